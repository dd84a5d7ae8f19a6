"""The configuration of a running service.

The wire names times with their unit, in milliseconds; the configuration's own keys are
``performance.timeout`` and ``server.drain_timeout``. NAMES says so once, for both directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.message import Message

from llm_runner_router.config.errors import shown
from llm_runner_router.config.tree import leaves, snake_keys
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.v1 import router_pb2
from llm_runner_router.wire.fields import assign

Nested = Mapping[str, Mapping[str, Any]]

NAMES = {
    ("performance", "timeout_ms"): "timeout",
    ("server", "drain_timeout_ms"): "drain_timeout",
    ("models", "default_model"): "default",
    ("routing", "retry_backoff_ms"): "retry_backoff",
    ("routing", "first_token_timeout_ms"): "first_token_timeout",
    ("routing", "breaker_cooldown_ms"): "breaker_cooldown",
    ("cache", "ttl_seconds"): "ttl",
}
"""Wire fields whose key in the configuration differs."""

SCALE = {("server", "drain_timeout_ms"): 1000.0, ("routing", "breaker_cooldown_ms"): 1000.0}
"""Wire fields whose value is the configuration's times this."""

WHOLE = {
    ("performance", "timeout_ms"),
    ("engine", "kv_bytes"),
    ("routing", "seed"),
    ("routing", "retry_backoff_ms"),
    ("routing", "first_token_timeout_ms"),
    ("cache", "ttl_seconds"),
    ("cache", "max_bytes"),
}
"""Doubles on the wire that are whole numbers in the configuration."""


def config_to_wire(values: Nested) -> router_pb2.Config:
    """The part of a configuration that the wire knows; ``None`` is left out."""
    message = router_pb2.Config()
    for section, name in paths():
        value = values.get(section, {}).get(NAMES.get((section, name), name))
        if value is not None:
            set_value(getattr(message, section), section, name, value)
    return message


def set_value(target: Message, section: str, name: str, value: object) -> None:
    """Set one wire field from the configuration's value."""
    scale = SCALE.get((section, name))
    if scale is not None and isinstance(value, int | float):
        value *= scale
    assign(target, name, value, path=f"{section}.{name}", error=InvalidConfigError)


def config_from_wire(message: router_pb2.Config) -> dict[str, dict[str, Any]]:
    """Every field that is set, nested under the configuration's keys."""
    values: dict[str, dict[str, Any]] = {}
    for section, name in paths():
        part = getattr(message, section)
        if message.HasField(section) and part.HasField(name):
            key = NAMES.get((section, name), name)
            values.setdefault(section, {})[key] = value_of(part, section, name)
    return values


def value_of(part: Message, section: str, name: str) -> object:
    """The configuration's value of one wire field."""
    value: Any = getattr(part, name)
    if (section, name) in SCALE:
        return float(value / SCALE[section, name])
    if (section, name) in WHOLE and value.is_integer():
        return int(value)
    result: object = value
    return result


def changes_from_wire(message: router_pb2.UpdateConfigRequest) -> dict[str, dict[str, Any]]:
    """The values that the mask names; all that are set where it is empty."""
    values = config_from_wire(message.config)
    if not message.update_mask.paths:
        return values
    changes: dict[str, dict[str, Any]] = {}
    for section, name in masked(message.update_mask.paths):
        key = NAMES.get((section, name), name)
        if key in values.get(section, {}):
            changes.setdefault(section, {})[key] = values[section][key]
    return changes


def masked(mask: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The wire fields under the paths of a mask."""
    known = list(paths())
    for path in mask:
        section, _, name = path.partition(".")
        found = [place for place in known if place[0] == section and name in ("", place[1])]
        if not found:
            allowed = ", ".join(f"{section}.{name}" for section, name in known)
            raise InvalidConfigError("update_mask", path, allowed)
        yield from found


def paths() -> Iterator[tuple[str, str]]:
    """Every section and field that the wire knows."""
    for section in router_pb2.Config.DESCRIPTOR.fields:
        if section.message_type is not None:
            yield from ((section.name, field.name) for field in section.message_type.fields)


def changes_to_wire(changes: Nested) -> router_pb2.UpdateConfigRequest:
    """The message of a change, in either spelling of its keys; InvalidConfigError as ``updated``.

    A key that is known but not on the wire cannot be changed while running.
    """
    message = router_pb2.UpdateConfigRequest()
    names = {(section, NAMES.get((section, name), name)): name for section, name in paths()}
    for (section, key), value in leaves(snake_keys(changes)):
        name = names.get((section, key))
        if name is None:
            allowed = ", ".join(sorted(f"{part}.{name}" for part, name in names))
            raise InvalidConfigError(f"{section}.{key}", shown((section, key), value), allowed)
        set_value(getattr(message.config, section), section, name, value)
        message.update_mask.paths.append(f"{section}.{name}")
    return message
