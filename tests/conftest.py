"""Rules of the whole suite."""

pytest_plugins = ["plugins.skips", "plugins.postgresql"]
