from __future__ import annotations

import pytest

from llm_runner_router.registry.records import ModelConfig, ModelLimits
from unit.cli.services import FakeService, run


def test_fields_are_changed_one_by_one(service: FakeService) -> None:
    result = run(
        *("models", "update", "m", "owner=alice", "tags=chat,small", "config.pinned=true"),
        *('config.stop=["a,b"]', "limits.max_tokens=500", "quality=0.5", "config.system=7"),
        *("--etag", "e1"),
    )
    assert result.exit_code == 0, result.output
    ((record, fields),) = service.asked
    assert fields == [
        *("owner", "tags", "config.pinned", "config.stop"),
        *("limits.max_tokens", "quality", "config.system"),
    ]
    assert (record.id, record.owner, tuple(record.tags), record.etag) == (
        *("m", "alice", ("chat", "small")),
        "e1",
    )
    assert record.config == ModelConfig(pinned=True, stop=["a,b"], system="7")
    assert record.limits == ModelLimits(max_tokens=500)
    assert record.quality == 0.5
    assert result.output.strip() == "updated m"


def test_a_field_without_a_value_is_cleared(service: FakeService) -> None:
    assert run("models", "update", "m", "config.idle_timeout=", "owner=").exit_code == 0
    ((record, fields),) = service.asked
    assert fields == ["config.idle_timeout", "owner"]
    assert record.config == ModelConfig()
    assert record.owner == ""


def test_a_setting_that_there_is_not_is_named(service: FakeService) -> None:
    result = run("models", "update", "m", "config.colour=1")
    assert result.exit_code == 1
    assert "config.colour" in result.output
    assert service.asked == []


@pytest.mark.parametrize("setting", ["owner", "=x", "quality=high", "config.pinned=maybe"])
def test_what_is_no_setting_is_refused(service: FakeService, setting: str) -> None:
    assert run("models", "update", "m", setting).exit_code == 2
    assert service.asked == []


@pytest.mark.parametrize(
    "setting",
    ["apiKey=SECRET", "endpoint.key=SECRET", 'endpoint.key="SECRET"', "SECRET", "=SECRET"],
)
def test_a_key_that_is_given_as_a_setting_is_not_shown(service: FakeService, setting: str) -> None:
    result = run("models", "update", "m", setting)
    assert result.exit_code != 0
    assert "SECRET" not in result.output
    assert setting.partition("=")[0].replace("SECRET", "") in result.output
    assert service.asked == []
