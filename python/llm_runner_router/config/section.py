"""What the sections of the configuration have in common."""

from __future__ import annotations

from typing import TypedDict, TypeVar, Unpack

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict


class Section(BaseModel):
    """Base of all parts: frozen, both spellings, unknown keys refused, no silent conversion."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )


T = TypeVar("T")


class Limits(TypedDict, total=False):
    """What pydantic checks of a setting."""

    ge: float
    gt: float
    le: float
    min_length: int
    pattern: str


def setting(default: T, allowed: str, description: str, **limits: Unpack[Limits]) -> T:
    """A field whose error message says ``allowed``."""
    extra: JsonDict = {"allowed": allowed}
    found: T = Field(default, description=description, json_schema_extra=extra, **limits)
    return found


def word(default: T, allowed: str, description: str) -> T:
    """A field of an enumeration, given by its word."""
    extra: JsonDict = {"allowed": allowed}
    found: T = Field(default, description=description, json_schema_extra=extra, strict=False)
    return found
