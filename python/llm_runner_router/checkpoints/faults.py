"""The errors of checkpoints."""

from __future__ import annotations

from llm_runner_router.errors import ModelFileError, UnsupportedError, shorten

MAX_SHOWN = 200


def damaged(name: str, why: str) -> ModelFileError:
    """The error of a file of a checkpoint that is not what it has to be."""
    return ModelFileError(f"checkpoint: {shorten(name, MAX_SHOWN)}: {why}")


def unsupported(key: str, value: object, allowed: str) -> UnsupportedError:
    """The error of a checkpoint that may be right, but cannot be run here."""
    shown = shorten(value, MAX_SHOWN)
    return UnsupportedError(f"checkpoint: {key}: {shown} cannot be converted; allowed: {allowed}")
