"""Addresses of files on web servers."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote

from yarl import URL

from llm_runner_router.registry.sources.shards import check_first_shard, shard_names
from llm_runner_router.registry.sources.wrong_source import CONTROL, wrong_source

ALLOWED = "https://host/path/file.gguf, or http:// on this machine; no user name"
DIGEST = re.compile(r"sha256=([0-9a-fA-F]{64})")
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"{LABEL}(\.{LABEL})*")

QUERY = re.compile(r"[!-~]*")


def parsed_web_address(text: str) -> tuple[URL, str | None]:
    """The URL without its fragment, and the sha256 that the fragment may tell."""
    address, _, fragment = text.partition("#")
    digest = DIGEST.fullmatch(fragment)
    if fragment and digest is None:
        raise wrong_source(text, f"{ALLOWED}; behind # nothing but sha256= and 64 digits")
    url = checked_address(address, text)
    if digest is not None and len(shard_names(url.name)) > 1:
        raise wrong_source(text, f"{ALLOWED}; a sha256 behind # of a single file only")
    return url, digest.group(1).lower() if digest else None


def checked_address(address: str, text: str) -> URL:
    """One spelling a file: host in lower case, usual ports left out, query as it was."""
    check_path(address, text)
    try:
        url = URL(address)
        host = url.raw_host or ""
        known_port = url.port is not None and 0 < url.port < 2**16
    except ValueError:
        raise wrong_source(text, ALLOWED) from None
    secure = url.scheme == "https" or is_loopback(host)
    if not secure or not known_port or not is_host(host):
        raise wrong_source(text, ALLOWED)
    check_first_shard(url.name, text)
    query = address.partition("?")[2]
    if not QUERY.fullmatch(query):
        raise wrong_source(text, f"{ALLOWED}; a query of ASCII without spaces")
    base = url.with_query(None)
    return URL(f"{base}?{query}", encoded=True) if query else base


def check_path(address: str, text: str) -> None:
    """No user name, and no part of the path that leads elsewhere, however it is written."""
    authority, _, path = address.partition("?")[0].partition("://")[2].partition("/")
    if "@" in authority:
        raise wrong_source(text, ALLOWED)
    try:
        parts = unquote(path, errors="strict").split("/")
    except ValueError:
        raise wrong_source(text, f"{ALLOWED}; a path of UTF-8") from None
    bad = any(part in ("", ".", "..") or "\\" in part or CONTROL.search(part) for part in parts)
    if bad or "%2f" in path.rpartition("/")[2].lower():
        raise wrong_source(text, f"{ALLOWED}; no empty parts, . or .. in its path")


def is_host(host: str) -> bool:
    """Whether it is a name or a number that a host may have."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return len(host) < 254 and HOST.fullmatch(host) is not None
    return "%" not in host


def is_loopback(host: str) -> bool:
    """Whether what is sent to a host stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
