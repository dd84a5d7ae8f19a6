"""Keys, from the place that a reference names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from llm_runner_router.errors import ProviderRejectedError
from llm_runner_router.providers.known import KnownProvider
from llm_runner_router.registry.records import Endpoint

MAX_SECRET_BYTES = 65_536


class Secret(str):
    """A text that its repr does not show, so that no traceback or log of a structure tells it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)"


def resolve(reference: str) -> str:
    """The secret that ``env:NAME`` or ``file:PATH`` holds, without space around it.

    ProviderRejectedError names the reference, never the value. Reads a file, so it blocks.
    """
    scheme, _, place = reference.partition(":")
    if scheme == "env" and place:
        return checked(os.environ.get(place), reference, "is not set")
    if scheme == "file" and place:
        return checked(content(Path(place)), reference, "is no readable file of at most 64 KiB")
    # What is no reference may be a key that somebody put in the wrong place.
    raise ProviderRejectedError("the key is given neither as env:NAME nor as file:PATH")


def content(path: Path) -> str | None:
    """What a regular file of sane size holds; ``None`` where it cannot be had."""
    try:
        # Not waiting for a writer, should it be a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            data = file.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError):
        return None
    return data.decode(errors="replace") if len(data) <= MAX_SECRET_BYTES else None


def checked(value: str | None, reference: str, missing: str) -> Secret:
    """``value`` as a header can carry it."""
    if value is None:
        raise ProviderRejectedError(f"the key {reference} {missing}")
    text = value.strip()
    if not text:
        raise ProviderRejectedError(f"the key {reference} is empty")
    if not (text.isascii() and text.isprintable()):
        raise ProviderRejectedError(f"the key {reference} is not printable ASCII in one line")
    return Secret(text)


def key_of(endpoint: Endpoint, provider: KnownProvider) -> str | None:
    """The key of an endpoint; ``None``: it takes none.

    The provider's customary variable goes to the provider's own address only: with any other a
    record could send the key wherever it likes.
    """
    if endpoint.api_key is not None:
        return resolve(endpoint.api_key)
    own = endpoint.base_url is None or same_address(endpoint.base_url, provider.base_url)
    if own and provider.key_variable is not None:
        return resolve(f"env:{provider.key_variable}")
    return None


def same_address(one: str, other: str | None) -> bool:
    """Whether two base URLs are the same but for a slash at the end."""
    return other is not None and one.rstrip("/") == other.rstrip("/")
