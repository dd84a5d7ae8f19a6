"""The limits of an endpoint. What could be a secret never comes back in an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.hidden import hidden, shown_address
from llm_runner_router.providers.echo_behaviour import EchoBehaviour
from llm_runner_router.providers.known import KnownProvider
from llm_runner_router.registry.checks.line import check_line
from llm_runner_router.registry.records import Endpoint
from llm_runner_router.validation.json_text import check_json_object

MAX_URL = 2048
MAX_REFERENCE = 4096
MAX_WORD = 256
MAX_HEADERS = 32
MAX_HEADER = 1024
MAX_OPTIONS = 16_384

REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S(?:.*\S)?")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
ADDRESS = re.compile(r"unix:\S+|(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@?#\[\]]+):([0-9]{1,5})")
KEY_HEADER = re.compile(r"key|token|secret|auth|cookie|password")
"""What is in the name, in lower case, of a header that would keep a key in clear."""

KEY_OPTION = re.compile(
    r"(.*-)?(api-?key|access-?key|secret(-?key)?|password|credentials?|bearer|cookie"
    r"|(proxy-)?authorization|(api|auth|access|bearer|refresh|session|id)-?token"
    r"|(extra|default)-?headers)"
)
"""Names of options, in lower case and with ``-`` for ``_``, that would: ``max_tokens`` counts, and
``prompt_cache_key`` is none. Headers belong to the endpoint's own, where they are checked."""

NO_KEYS = "no key in clear; give it as api_key, by env:NAME or file:PATH"


def checked_endpoint(endpoint: Endpoint, provider: KnownProvider) -> Endpoint:
    """``endpoint`` as it is stored; InvalidRequestError names the first field that is wrong."""
    check_address(endpoint.base_url, provider)
    check_reference(endpoint.api_key)
    for name in ("organization", "api_version"):
        value = getattr(endpoint, name)
        if value is not None:
            check_line(f"endpoint.{name}", value, MAX_WORD)
    check_headers(endpoint.headers)
    options = plain_options(endpoint.options)
    if provider.kind == "echo":
        EchoBehaviour.of(options)
    return replace(endpoint, headers=dict(endpoint.headers), options=options)


def check_address(address: object, provider: KnownProvider) -> None:
    """A URL, or a gRPC target of the provider ``remote``; given where none is known."""
    remote = provider.kind == "remote"
    if address is None:
        if provider.base_url is None and provider.kind in ("openai", "remote"):
            allowed = f"an address, since none of provider {provider.name} is known"
            raise InvalidRequestError("endpoint.base_url", None, allowed)
    elif remote and not is_target(address):
        allowed = "host:port or unix:PATH"
        raise InvalidRequestError("endpoint.base_url", shown_address(address), allowed)
    elif not remote and not is_url(address):
        allowed = "http:// or https:// with a host, perhaps a port and a path, and nothing else"
        raise InvalidRequestError("endpoint.base_url", shown_address(address), allowed)


def is_target(address: object) -> bool:
    """``host:port`` or ``unix:PATH``."""
    if not isinstance(address, str) or len(address) > MAX_URL or not address.isprintable():
        return False
    found = ADDRESS.fullmatch(address)
    return found is not None and (found[1] is None or 0 < int(found[1]) <= 65_535)


def is_url(address: object) -> bool:
    """A URL of HTTP without a user, a password, a query or a fragment."""
    if not isinstance(address, str) or len(address) > MAX_URL or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
        whole = parts.port != 0 and not set("@?# \\") & set(address)
    except ValueError:
        return False
    return whole and parts.scheme in ("http", "https") and bool(parts.hostname)


def check_reference(reference: object) -> None:
    """Where the key is found, never the key itself."""
    good = isinstance(reference, str) and len(reference) <= MAX_REFERENCE
    good = good and str(reference).isprintable() and REFERENCE.fullmatch(str(reference)) is not None
    if reference is not None and not good:
        raise InvalidRequestError("endpoint.api_key", "a literal key", "env:NAME or file:PATH")


def check_headers(headers: Mapping[str, str]) -> None:
    """Few, printable, and none that holds a key."""
    if not isinstance(headers, Mapping):
        raise InvalidRequestError("endpoint.headers", hidden(headers), "texts by name")
    if len(headers) > MAX_HEADERS:
        allowed = f"at most {MAX_HEADERS} entries"
        raise InvalidRequestError("endpoint.headers", len(headers), allowed)
    for name, value in headers.items():
        check_header(name, value)


def check_header(name: object, value: object) -> None:
    """A name and a value that may be sent, neither of them to keep a key in clear."""
    if not isinstance(name, str) or HEADER_NAME.fullmatch(name) is None:
        raise InvalidRequestError("endpoint.headers key", name, "a name of a header")
    if KEY_HEADER.search(name.lower()) is not None:
        raise InvalidRequestError("endpoint.headers key", name, NO_KEYS)
    if not is_header(value):
        allowed = f"at most {MAX_HEADER} printable ASCII characters"
        raise InvalidRequestError(f"endpoint.headers[{name}]", "another value", allowed)


def is_header(value: object) -> bool:
    """A value that every server takes."""
    if not isinstance(value, str) or len(value) > MAX_HEADER:
        return False
    return value.isascii() and value.isprintable()


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of ``options`` as JSON keeps it: the store would give back no other."""
    check_json_object("endpoint.options", options)
    check_no_keys(options)
    text = json.dumps(dict(options), allow_nan=False)
    if len(text) > MAX_OPTIONS:
        allowed = f"at most {MAX_OPTIONS} characters of JSON"
        raise InvalidRequestError("endpoint.options", len(text), allowed)
    plain: dict[str, Any] = json.loads(text)
    return plain


def check_no_keys(value: object) -> None:
    """No name, however deep, under which a key would be kept in clear."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if KEY_OPTION.fullmatch(name.lower().replace("_", "-")) is not None:
                raise InvalidRequestError("endpoint.options key", name, NO_KEYS)
            check_no_keys(part)
    elif isinstance(value, list | tuple):
        for part in value:
            check_no_keys(part)
