"""A registry that speaks Ollama's protocol: that of Docker's, with manifests and blobs by digest.

What is asked is what ``PullModel`` of Ollama's ``server/images.go`` asks; keys are not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import aiohttp
from yarl import URL

from llm_runner_router.errors import RouterError, SourceError, UnavailableError, shorten
from llm_runner_router.registry.sources.ollama.manifest import (
    MANIFEST_TYPE,
    MAX_MANIFEST_BYTES,
    OllamaBlob,
    json_object,
)
from llm_runner_router.registry.sources.ollama.name import OllamaName
from llm_runner_router.registry.sources.web.address import is_loopback
from llm_runner_router.registry.sources.web.offer import BUSY
from llm_runner_router.registry.sources.web.request import Sessions, opened

SILENCE = 30.0
MAX_TOKEN_BYTES = 64 << 10
CHALLENGE = re.compile(r"Bearer\s+(.*)", re.IGNORECASE | re.DOTALL)
PARAMETER = re.compile(r'([A-Za-z]+)="([^"\\\x00-\x1f]*)"')
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class OllamaRegistry:
    """One model of a registry. ``headers`` are those that requests need; they may hold a token.

    Errors: SourceError where the registry lacks or refuses the model, UnavailableError where it
    does not answer.
    """

    def __init__(self, sessions: Sessions, name: OllamaName) -> None:
        self._sessions = sessions
        self._name = name
        self._base = URL(f"{name.base_url}/v2/{name.namespace}/{name.model}")
        self.headers = NO_HEADERS

    async def manifest(self) -> bytes:
        """The manifest, as it was sent. Logs in without a name where the registry wants that."""
        status, headers, body = await self._get_manifest()
        if status == 401:
            await self._log_in(headers.get("WWW-Authenticate", ""))
            status, _, body = await self._get_manifest()
        if status != 200:
            raise self._refused(status)
        return body

    async def renewed(self) -> bool:
        """Whether the token had run out and there is a new one."""
        if not self.headers:
            return False
        status, headers, _ = await self._get_manifest()
        if status != 401:
            return False
        await self._log_in(headers.get("WWW-Authenticate", ""))
        return True

    def blob_url(self, blob: OllamaBlob) -> URL:
        """Where a blob is."""
        return self._base / "blobs" / blob.digest

    async def _get_manifest(self) -> tuple[int, Mapping[str, str], bytes]:
        url = self._base / "manifests" / self._name.tag
        accepted = {**self.headers, "Accept": MANIFEST_TYPE}
        return await self._get(url, accepted, MAX_MANIFEST_BYTES)

    async def _log_in(self, challenge: str) -> None:
        """Get a token for whoever asks, from where the registry says."""
        url = token_url(challenge, URL(self._name.base_url))
        if url is None:
            raise self._refused(401)
        status, _, body = await self._get(url, NO_HEADERS, MAX_TOKEN_BYTES)
        if status != 200:
            raise self._refused(status)
        fields = json_object(body, f"token of {self._name.host}", MAX_TOKEN_BYTES)
        token = fields.get("token") or fields.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise SourceError(f"the registry {self._name.host} gives no token")
        self.headers = {"Authorization": f"Bearer {token}"}

    async def _get(
        self, url: URL, headers: Mapping[str, str], most: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and at most ``most`` + 1 bytes of an answer."""
        try:
            async with opened(self._sessions(), url, headers, SILENCE) as response:
                return response.status, response.headers, await bounded(response.content, most)
        except aiohttp.ClientError as error:
            message = f"the registry {self._name.host} cannot be reached ({type(error).__name__})"
            raise UnavailableError(message) from None

    def _refused(self, status: int) -> RouterError:
        name, host = shorten(self._name.short, 200), self._name.host
        if status in (404, 410):
            return SourceError(f"the registry {host} has no model {name}")
        if status in BUSY:
            message = f"the registry {host} cannot answer now (status {status})"
            return UnavailableError(message)
        if status in (401, 403):
            hint = "pull it with Ollama, whose models are used where they lie"
            message = f"the registry {host} gives {name} to some accounts only: {hint}"
            return SourceError(f"{message} (status {status})")
        return SourceError(f"the registry {host} refuses {name} (status {status})")


async def bounded(content: aiohttp.StreamReader, most: int) -> bytes:
    """The whole body, or the first ``most`` + 1 bytes of it."""
    body = bytearray()
    while len(body) <= most and (piece := await content.read(most + 1 - len(body))):
        body += piece
    return bytes(body)


def token_url(challenge: str, registry: URL) -> URL | None:
    """Where a ``WWW-Authenticate: Bearer`` sends to; ``None`` for what must not be followed.

    Nothing leaves in clear but to this machine, by a registry of this machine.
    """
    found = CHALLENGE.match(challenge)
    if found is None:
        return None
    values = dict(PARAMETER.findall(found[1]))
    try:
        realm = URL(values.pop("realm", ""))
        local = is_loopback(realm.host or "") and is_loopback(registry.host or "")
    except ValueError:
        return None
    if not realm.host or not (realm.scheme == "https" or (realm.scheme == "http" and local)):
        return None
    query = {name: values[name] for name in ("service", "scope") if name in values}
    return realm.with_user(None).update_query(query)
