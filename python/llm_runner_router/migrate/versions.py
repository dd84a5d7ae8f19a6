"""Versions of LLM Runner Router, told by what a folder holds.

0.x gave the constructor a path and used ``require``; 1.0 had flat settings; 1.1 had them too, with
ES modules; 1.2 has nested ones and other names of environment variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate import package_json
from llm_runner_router.migrate.config import FLAT
from llm_runner_router.migrate.environment import NEW_NAMES
from llm_runner_router.migrate.own_configs import own_sections
from llm_runner_router.migrate.package_json import depends, lowest_release

ALLOWED_TARGETS = "1.2, 1.2.x or latest"
ALLOWED_SOURCES = "0.x, 1.0, 1.1 or 1.2, or a release of these such as 1.0.5"


class Version(StrEnum):
    """The versions that differ in what they leave in a folder, the oldest first."""

    V0 = "0.x"
    V1_0 = "1.0"
    V1_1 = "1.1"
    V1_2 = "1.2"


FLAT_VERSIONS = frozenset({Version.V0, Version.V1_0, Version.V1_1})
COMMONJS_VERSIONS = frozenset(map(Version, package_json.COMMONJS_VERSIONS))
MODULE_VERSIONS = frozenset({Version.V1_1, Version.V1_2})

LIKELY = (Version.V1_2, Version.V1_0, Version.V1_1, Version.V0)
"""Which one is taken where several are possible."""

OLD_REGISTRY_KEYS = ("prompts", "routing")
OLD_MODEL_KEYS = ("displayName", "type", "path", "context_length", "default_temperature", "speed")


@dataclass(frozen=True, slots=True)
class Clue:
    """Something in a folder that only some versions leave there; ``words`` say where and what."""

    words: str
    versions: frozenset[Version]


@dataclass(frozen=True, slots=True)
class Detected:
    """The version of a folder, and the clues that speak for it."""

    version: Version
    clues: Sequence[Clue]


def detected(clues: Sequence[Clue]) -> Detected:
    """The version that agrees with the clues. Of two that contradict each other the first counts.

    Without any clue there is nothing old: 1.2.
    """
    possible = frozenset(Version)
    followed: list[Clue] = []
    for clue in clues:
        if possible & clue.versions:
            possible &= clue.versions
            followed.append(clue)
    return Detected(next(version for version in LIKELY if version in possible), followed)


def source_version(text: str) -> Version:
    """The version that the user names, such as ``1.0``, ``v1.0.5`` or ``0.x``."""
    found = re.fullmatch(r"v?(?:(0)(?:\.[\dx]{1,9})*|(1\.[012])(?:\.[\dx]{1,9})?)", text.strip())
    if not found:
        raise InvalidRequestError("from", text, ALLOWED_SOURCES)
    return Version.V0 if found[1] else Version(found[2])


def target_version(text: str) -> Version:
    """The version that is migrated to: there is one only."""
    if not re.fullmatch(r"v?1\.2(\.(x|\d{1,9}))?|latest", text.strip()):
        raise InvalidRequestError("to", text, ALLOWED_TARGETS)
    return Version.V1_2


def config_clues(where: str, config: Mapping[str, Any]) -> list[Clue]:
    """What a configuration file tells by its shape."""
    flat = [key for key in config if key in FLAT]
    nested = [key for key in own_sections(config) if isinstance(config[key], dict)]
    if flat:
        return [Clue(f"{where}: flat setting {flat[0]}", FLAT_VERSIONS)]
    if nested:
        return [Clue(f"{where}: section {nested[0]}", frozenset({Version.V1_2}))]
    return []


def registry_clues(where: str, registry: Mapping[str, Any]) -> list[Clue]:
    """What a registry file tells by its version and its keys."""
    version = registry.get("version")
    if isinstance(version, str) and version.startswith("1.2."):
        return [Clue(f"{where}: version {version}", frozenset({Version.V1_2}))]
    models = registry["models"] if isinstance(registry.get("models"), list) else ()
    records = [model for model in models if isinstance(model, dict)]
    old = [key for key in OLD_REGISTRY_KEYS if key in registry]
    old += [key for key in OLD_MODEL_KEYS if any(key in record for record in records)]
    return [Clue(f"{where}: {old[0]}", FLAT_VERSIONS)] if old else []


def environment_clues(where: str, names: Sequence[str]) -> list[Clue]:
    """What the names of variables tell."""
    old = [name for name in names if name in NEW_NAMES]
    new = [name for name in names if name in NEW_NAMES.values()]
    if old:
        return [Clue(f"{where}: {old[0]}", FLAT_VERSIONS)]
    return [Clue(f"{where}: {new[0]}", frozenset({Version.V1_2}))] if new else []


def package_clues(where: str, package: Mapping[str, Any]) -> list[Clue]:
    """What ``package.json`` tells: the release it depends on."""
    release = lowest_release(package) if depends(package) else None
    if release is None:
        return []
    words = f"{where}: llm-runner-router {release[0]}.{release[1]}"
    return [Clue(words, frozenset({version_of(release)}))]


def module_clues(where: str, package: Mapping[str, Any]) -> list[Clue]:
    """What ``package.json`` tells by whether its scripts are ES modules where nothing else says."""
    if not depends(package):
        return []
    if package.get("type") == "module":
        return [Clue(f'{where}: "type": "module"', MODULE_VERSIONS)]
    return [Clue(f'{where}: no "type": "module"', COMMONJS_VERSIONS)]


def version_of(release: tuple[int, int]) -> Version:
    """The version of a release."""
    older = {(1, 0): Version.V1_0, (1, 1): Version.V1_1}
    return Version.V0 if release < (1, 0) else older.get(release, Version.V1_2)
