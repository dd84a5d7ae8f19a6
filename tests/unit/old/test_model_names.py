"""The names of old models are those of fields and settings that there are."""

from __future__ import annotations

from llm_runner_router.old.model_names import (
    FIELDS,
    OLD_KEYS,
    OTHER_SETTINGS,
    SETTINGS,
    spellings,
)
from llm_runner_router.registry.file_fields import CONFIG, MODEL


def test_each_means_something_of_today() -> None:
    assert set(FIELDS.values()) <= MODEL.names.keys()
    assert {*SETTINGS.values(), *OTHER_SETTINGS.values()} <= CONFIG.names.keys()


def test_none_is_a_name_of_today() -> None:
    assert not OLD_KEYS & MODEL.names.keys()
    assert not OTHER_SETTINGS.keys() & CONFIG.names.keys()


def test_the_old_spelling_comes_first() -> None:
    assert spellings("source") == ("path", "source")
    assert spellings("provider") == ("provider",)
