"""Rules of the whole suite."""

from hypothesis import HealthCheck, settings

# Machines stand still now and then, which says nothing of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

pytest_plugins = ["plugins.garbage", "plugins.skips", "plugins.postgresql"]
