"""Where the configuration comes from: explicit argument > environment > file > default."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from llm_runner_router.config.tree import Config, merge, snake_keys
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.old.config import nested_settings
from llm_runner_router.old.deprecation import warn_old
from llm_runner_router.old.values import TRUTH_WORDS

FILES = ("config/config.json", "config.json", ".llmrouter.json")
"""Searched for in this order, in the current folder; the first that exists is taken."""

MAX_FILE_BYTES = 1 << 20

PATHS = (
    ("logging", "file"),
    ("models", "cache_dir"),
    ("models", "ollama_dir"),
    ("registry", "path"),
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, the file it came from (if any) and the folder of its relative paths."""

    config: Config
    file: Path | None
    folder: Path


def load_config(
    explicit: Mapping[str, Any] | None = None,
    config_file: str | os.PathLike[str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> LoadedConfig:
    """Find, merge and check all sources.

    ``config_file`` must exist where it is given; else FILES are looked for in ``folder`` (the
    current one by default). Flat settings of older versions still work and warn.
    InvalidConfigError names the key, the value and what is allowed.
    """
    here = (folder or Path.cwd()).absolute()
    file = here / config_file if config_file is not None else find_file(here)
    layers: list[dict[str, Any]] = []
    base = here
    if file is not None:
        base = relative_paths_base(file)
        layers.append(anchored(read_file(file), base))
    layers.append(read_environment(os.environ if environment is None else environment))
    if explicit is not None:
        layers.append(anchored(snake_keys(settings_of_program(explicit)), here))
    values: dict[str, Any] = {}
    for layer in layers:
        values = merge(values, layer)
    return LoadedConfig(Config.checked(values), file, base)


def find_file(folder: Path) -> Path | None:
    """The first of FILES in ``folder``."""
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def relative_paths_base(file: Path) -> Path:
    """The folder a file's relative paths start from: its own, or the one above ``config/``."""
    if file.name == "config.json" and file.parent.name == "config":
        return file.parent.parent
    return file.parent


def read_file(file: Path) -> dict[str, Any]:
    """The checked keys of a JSON file."""
    try:
        text = read_text(file)
        values = json.loads(text, object_pairs_hook=unique, parse_constant=refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        allowed = f"a readable JSON object ({error})"
        raise InvalidConfigError("config file", str(file), allowed) from None
    return snake_keys(settings_of_file(file, values))


def settings_of_file(file: Path, values: object) -> Mapping[str, Any]:
    """What a file says, in today's tree; one of an older version is told of in the log."""
    found = nested_settings(values)
    if found.renamed:
        # To whoever runs the service, who sees logs and no DeprecationWarning.
        keys = ", ".join(found.renamed)
        message = "%s has settings of an older version (%s): rewrite it with `llm-router migrate`"
        logger.warning(message, file, keys)
    return found.values


def settings_of_program(values: object) -> Mapping[str, Any]:
    """What a program says, in today's tree; its old keys are told of at its own line."""
    found = nested_settings(values)
    for old, new in found.renamed.items():
        warn_old(old, new)
    return found.values


def read_text(file: Path) -> str:
    """The text of a file of sane size."""
    with file.open("rb") as stream:
        data = stream.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"longer than {MAX_FILE_BYTES} bytes")
    return data.decode("utf-8-sig")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are not repeated."""
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} is repeated")
    return result


def refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    raise ValueError(f"{name} is no JSON number")


def anchored(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """``values`` with relative paths made absolute from ``folder``."""
    result = {section: dict(entries) for section, entries in values.items()}
    for section, key in PATHS:
        value = result.get(section, {}).get(key)
        if isinstance(value, str) and value:
            result[section][key] = str(folder / value)
    return result


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable, its deprecated name and the setting that it feeds."""

    name: str
    old_name: str
    section: str
    key: str
    parse: Callable[[str], object]


def parse_number(text: str) -> object:
    """A whole number, or the text for the check to refuse."""
    try:
        return int(text.strip())
    except ValueError:
        return text


def parse_truth(text: str) -> object:
    """A boolean, or the text for the check to refuse."""
    return TRUTH_WORDS.get(text.strip().lower(), text)


def parse_word(text: str) -> object:
    """A word in lower case."""
    return text.strip().lower()


VARIABLES = (
    Variable(
        "MAX_CONCURRENT_REQUESTS",
        "LLM_MAX_CONCURRENT",
        "performance",
        "max_concurrent",
        parse_number,
    ),
    Variable("CACHE_ENABLED", "LLM_CACHE_ENABLED", "cache", "enabled", parse_truth),
    Variable("LOG_LEVEL", "LLM_LOG_LEVEL", "logging", "level", parse_word),
)


def read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What VARIABLES set; a deprecated name warns, and loses against the new one.

    An empty text sets nothing, as templates of ``.env`` and compose files have them.
    """
    result: dict[str, Any] = {}
    given = {name: text for name, text in environment.items() if text.strip()}
    for variable in VARIABLES:
        name = variable.name
        if variable.old_name in given:
            # To whoever runs the service, who sees logs and no DeprecationWarning.
            logger.warning("%s is deprecated: use %s", variable.old_name, variable.name)
            name = variable.name if variable.name in given else variable.old_name
        if name in given:
            value = variable.parse(given[name])
            check_variable(name, variable, value)
            result.setdefault(variable.section, {})[variable.key] = value
    return result


def check_variable(name: str, variable: Variable, value: object) -> None:
    """A wrong value is reported under the variable's name."""
    try:
        Config.checked({variable.section: {variable.key: value}})
    except InvalidConfigError as error:
        raise InvalidConfigError(name, value, error.allowed) from None
