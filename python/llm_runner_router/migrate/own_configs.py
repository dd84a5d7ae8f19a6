"""Which configurations are a router's: ``config.json`` is what many programs call their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any

from llm_runner_router.config.errors import field_name
from llm_runner_router.config.tree import SECTIONS
from llm_runner_router.migrate.config import FLAT
from llm_runner_router.migrate.json_file import JsonFile

OWN_NAME = PurePosixPath(".llmrouter.json")
"""What no other program calls its file."""


def own_configs(
    configs: Mapping[PurePosixPath, JsonFile], given: Collection[PurePosixPath]
) -> dict[PurePosixPath, JsonFile]:
    """Those of ``configs`` that are a router's; ``given`` are the files that code gives to one."""
    return {
        path: file
        for path, file in configs.items()
        if path == OWN_NAME or path in given or not is_strange(file.content)
    }


def is_strange(config: Mapping[str, Any]) -> bool:
    """Whether keys are there, and none of them is ours."""
    says = any(not key.startswith("_") for key in config)
    return says and not any(key in FLAT for key in config) and not own_sections(config)


def own_sections(config: Mapping[str, Any]) -> list[str]:
    """The sections of a configuration that have settings of today, or say nothing."""
    return [
        key
        for key, value in config.items()
        if key in SECTIONS and (not value or (isinstance(value, dict) and has_setting(key, value)))
    ]


def has_setting(section: str, values: Mapping[str, Any]) -> bool:
    """Whether one of the keys of a section is a setting."""
    kind = SECTIONS[section]
    return any(field_name(kind, key) in kind.model_fields for key in values)
