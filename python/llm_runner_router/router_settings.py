"""What the constructor of LLMRouter was given, in all the forms that it takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from llm_runner_router.config.tree import Config
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.old.deprecation import warn_old

PathText: TypeAlias = str | os.PathLike[str]

FILE_KEYS = ("configFile", "config_file")
"""The key among settings that names a file with more of them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that were given, not yet checked, and the file to read others from."""

    values: Any = None
    file: PathText | None = None


def settings_of(config: object, file: PathText | None, options: Mapping[str, Any]) -> Settings:
    """One tree and one file; InvalidConfigError where two of them are said."""
    if isinstance(config, str | os.PathLike):  # v0
        warn_old("LLMRouter(path)", "LLMRouter(config_file=path)")
        return taken(options, [file, config])
    values: object = config
    if isinstance(config, Config):
        values = config.model_dump(exclude_unset=True)
    if not (values is None or isinstance(values, Mapping)):
        return Settings(values, file)  # refused with its value where it is checked
    return taken(merged(values or {}, options), [file])


def merged(values: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Both, of which each has keys of its own."""
    for key in options.keys() & values.keys():
        raise InvalidConfigError(key, "two values", "the key in one place only")
    return {**values, **options}


def taken(values: Mapping[str, Any], files: Sequence[PathText | None]) -> Settings:
    """The settings, and the one file that is named by them or beside them."""
    rest = {key: value for key, value in values.items() if key not in FILE_KEYS}
    named = [*files, *(values[key] for key in FILE_KEYS if key in values)]
    found = [file for file in named if file is not None]
    for file in found:
        if not isinstance(file, str | os.PathLike):
            raise InvalidConfigError("configFile", file, "a path")
    if len(found) > 1:
        raise InvalidConfigError("configFile", os.fspath(found[1]), "one file only")
    return Settings(rest or None, next(iter(found), None))
