from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.compat.router_identity import identity_of
from llm_runner_router.compat.router_thread import RouterThread
from llm_runner_router.config.tree import Config


def of_config(**values: Any) -> str:
    return identity_of(None, Config.checked(values))


def test_a_service_is_its_address() -> None:
    assert identity_of("h:1", None) == identity_of("h:1", None) != identity_of("h:2", None)
    assert "secret" not in identity_of("u:secret@h:1", None)


def test_models_in_memory_are_those_of_one_router() -> None:
    assert of_config() != of_config()
    assert identity_of(None, None) != identity_of(None, None)


def test_models_of_a_registry_are_those_of_all_that_are_configured_alike() -> None:
    one = {"path": "/a.sqlite"}
    assert of_config(registry=one) == of_config(registry=one)
    assert of_config(registry=one) != of_config(registry={"path": "/b.sqlite"})
    other = of_config(registry=one, routing={"strategy": "cost-optimized"})
    assert of_config(registry=one) != other


@pytest.mark.parametrize("user", ["", "ann:secret@", "ann:sec/ret@"])
def test_databases_are_told_apart_without_their_passwords(user: str) -> None:
    first = of_config(registry={"url": f"postgresql://{user}h/one"})
    again = of_config(registry={"url": f"postgresql://{user.replace('t@', 'x@')}h/one"})
    assert first == again
    if "/" not in user:
        assert first != of_config(registry={"url": f"postgresql://{user}h/two"})


def test_the_file_of_the_configuration_counts(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"registry": {"path": "models.sqlite"}}')
    said = {"registry": {"path": str(tmp_path / "models.sqlite")}}
    assert RouterThread(config_file=file).identity == RouterThread(said).identity
    assert RouterThread().identity != RouterThread().identity
    assert RouterThread(target="h:1").identity == identity_of("h:1", None)
