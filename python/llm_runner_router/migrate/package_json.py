"""``package.json``: the release that is depended on, and ES modules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any, TypeAlias

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.leaves import below, leaves_of
from llm_runner_router.migrate.transformed import Transformed

PACKAGE = "llm-runner-router"
WANTED = "^1.2.0"
GROUPS = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")

PINS = (("overrides",), ("resolutions",), ("pnpm", "overrides"))
"""Where npm, yarn and pnpm are told to take another release than a package asks for."""

PIN_KEYS = frozenset(place[-1] for place in PINS)

PINNED = re.compile(rf"(?P<others>.*[/>])?{PACKAGE}(@.*)?", re.DOTALL)
"""The router in a key there, perhaps as what others need, or only of some releases."""

ANYWHERE = frozenset({None, "**/"})

RELEASE = re.compile(r"(?<![\w.-])v?(\d{1,6})(?:\.(\d{1,6}|[xX*]))?")
UPPER_BOUND = re.compile(r"<=?\s*v?[\w.*+-]+")
ELSEWHERE = re.compile(r"[:/@]")
"""In an address, a file or another package's name."""

ANY_RELEASE = frozenset({"", "*", "x", "latest"})

COMMONJS_VERSIONS = frozenset({"0.x", "1.0"})

Keys: TypeAlias = "tuple[str, ...]"
"""The keys that lead to a value, the outermost first."""

INSTALL = "run `npm install` where the package is still used"
MODULES = (
    '"type": "module" makes every .js file of the package an ES module: those that use require or '
    "module.exports are renamed to .cjs, or changed to import"
)


def migrated_package(old: Mapping[str, Any], source_version: str) -> Transformed:
    """``old`` with today's release and, from before 1.1, with ES modules.

    A package that does not depend on the router comes out as it is. ``source_version`` is the one
    that the folder is of, such as ``1.0``.
    """
    content = dict(old)
    changed = {f"{group}.{PACKAGE}" for group in old_dependencies(old)}
    for group in old_dependencies(old):
        content[group] = {**old[group], PACKAGE: WANTED}
    for keys in old_pins(old) if depends(old) else ():
        content = with_text(content, keys, WANTED)
        changed.add(reduce(below, keys))
    added: list[Field] = []
    notes = [INSTALL] if changed else []
    if depends(old) and source_version in COMMONJS_VERSIONS:
        if old.get("type") != "module":
            content = with_type(content)
            notes.append(MODULES)
        if "type" not in old:
            added = [Field("", Fate.ADDED, "type", "versions from 1.1 are ES modules")]
        elif old["type"] != "module":
            changed.add("type")
    notes += unclear_dependencies(old)
    fields = [Field(leaf, fate_of(leaf, changed), leaf) for leaf, _ in leaves_of(old)]
    return Transformed(content, [*fields, *added], notes)


def fate_of(leaf: str, changed: set[str]) -> Fate:
    """What is migrated is mapped; all the rest is kept."""
    return Fate.MAPPED if leaf in changed else Fate.KEPT


def with_type(package: Mapping[str, Any]) -> dict[str, Any]:
    """``package`` as an ES module; the key comes after the version, where it is new."""
    if "type" in package:
        return {**package, "type": "module"}
    result: dict[str, Any] = {}
    for key, value in package.items():
        result[key] = value
        if key == "version":
            result["type"] = "module"
    return {**result, "type": "module"}


def dependencies(package: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The groups that name the router, and the range that each asks for."""
    for group in GROUPS:
        entries = package.get(group)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            raise InvalidConfigError(group, entries, "an object of packages")
        if PACKAGE in entries:
            wanted = entries[PACKAGE]
            if not isinstance(wanted, str):
                raise InvalidConfigError(f"{group}.{PACKAGE}", wanted, "a range of releases")
            yield group, wanted


def old_dependencies(package: Mapping[str, Any]) -> list[str]:
    """The groups that ask for a release before 1.2."""
    return [group for group, wanted in dependencies(package) if is_old(wanted)]


def pins(package: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    """The ranges of the router that are to be taken in place of others, by the keys to them."""
    for place in PINS:
        inside: Any = package
        for key in place:
            inside = inside.get(key) if isinstance(inside, dict) else None
        yield from pins_below(place, inside)


def old_pins(package: Mapping[str, Any]) -> list[Keys]:
    """Those before 1.2 of the router that the package itself depends on."""
    return [keys for keys, wanted in pins(package) if is_own(keys) and is_old(wanted)]


def is_own(keys: Keys) -> bool:
    """Whether a range is not only that of what another package needs."""
    *_, above, own = keys[:-1] if keys[-1] == "." else keys
    found = PINNED.fullmatch(own)
    return above in PIN_KEYS and found is not None and found["others"] in ANYWHERE


def pins_below(keys: Keys, value: object) -> Iterator[tuple[Keys, str]]:
    """Those in a part of it. ``.`` is the package whose needs stand beside it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from pins_below((*keys, key), inner)
    elif isinstance(value, str):
        own = keys[-2] if keys[-1] == "." else keys[-1]
        if PINNED.fullmatch(own):
            yield keys, value


def with_text(value: Mapping[str, Any], keys: Keys, text: str) -> dict[str, Any]:
    """``value`` with another text at the end of ``keys``."""
    key, *rest = keys
    return {**value, key: with_text(value[key], tuple(rest), text) if rest else text}


def is_old(wanted: str) -> bool:
    """Whether a range begins before 1.2. A tag, a file or an address tells nothing."""
    found = first_release(wanted)
    return found is not None and found < (1, 2)


def first_release(wanted: str) -> tuple[int, int] | None:
    """The lowest release that a range begins with, as ``(major, minor)``."""
    if ELSEWHERE.search(wanted):
        return None
    found = [
        (int(match[1]), int(match[2]) if match[2] and match[2].isdigit() else 0)
        for match in RELEASE.finditer(UPPER_BOUND.sub("", wanted))
    ]
    return min(found, default=None)


def depends(package: Mapping[str, Any]) -> bool:
    """Whether a package uses the router."""
    return any(True for _ in dependencies(package))


def lowest_release(package: Mapping[str, Any]) -> tuple[int, int] | None:
    """The lowest release that a package asks for, where it names one."""
    found = [first_release(wanted) for _, wanted in dependencies(package)]
    return min((release for release in found if release is not None), default=None)


def unclear_dependencies(package: Mapping[str, Any]) -> Iterator[str]:
    """Ranges that are nobody's to change but the user's."""
    for group, wanted in dependencies(package):
        if is_unclear(wanted):
            yield f"{group}.{PACKAGE} is left as it is: see that it is of version 1.2"
    for keys, wanted in pins(package) if depends(package) else ():
        if is_unclear(wanted) or (is_old(wanted) and not is_own(keys)):
            yield f"{reduce(below, keys)} is left as it is: see that it is of version 1.2"


def is_unclear(wanted: str) -> bool:
    """Whether a range does not say of which release it is; ``$`` names a dependency that does."""
    stripped = wanted.strip()
    is_clear = first_release(wanted) is not None or stripped in ANY_RELEASE
    return not is_clear and not stripped.startswith("$")
