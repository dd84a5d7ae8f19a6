"""What a running server of Ollama tells of its models.

``GET /api/tags`` and ``POST /api/show``, as Ollama's ``docs/api.md`` and ``api/types.go`` describe
them. The server is believed in nothing that could lead elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from llm_runner_router.errors import SourceError, shorten
from llm_runner_router.providers.transport_errors import translated
from llm_runner_router.registry.sources.ollama.manifest import json_object

MAX_BYTES = 16 << 20
MAX_MODELS = 100_000
SECONDS = 60.0
DIGEST = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class ListedModel:
    """An entry of the list.

    ``digest`` is the sha256 of its manifest in lower-case hexadecimal, empty where none is told;
    ``details`` may be anything, and nothing.
    """

    name: str
    digest: str
    details: object


class Server:
    """A server by its base URL. Belongs to the event loop of the client, which stays open."""

    def __init__(self, address: str, http: httpx.AsyncClient) -> None:
        self.address = address
        self._http = http

    async def models(self) -> list[ListedModel]:
        """All models. UnavailableError, SourceError where it does not answer as Ollama does."""
        answer = await self._answer("GET", "/api/tags", None)
        entries = answer.get("models")
        if not isinstance(entries, list) or len(entries) > MAX_MODELS:
            raise SourceError(f"{self.address}/api/tags: models is no list of models")
        return [listed(entry, f"{self.address}/api/tags") for entry in entries]

    async def show(self, name: str) -> Mapping[str, Any]:
        """All that is told of one model."""
        return await self._answer("POST", "/api/show", {"model": name})

    async def _answer(
        self, method: str, path: str, body: Mapping[str, str] | None
    ) -> dict[str, Any]:
        where = f"{self.address}{path}"
        with translated(f"Ollama at {self.address}"):
            sent = self._http.stream(method, where, json=body, timeout=SECONDS)
            async with sent as response:
                data = b""
                async for piece in response.aiter_bytes():
                    data += piece
                    if len(data) > MAX_BYTES:
                        raise SourceError(f"{where}: more than {MAX_BYTES} bytes")
        if response.status_code != 200:
            raise SourceError(f"{where}: status {response.status_code}{reason(data)}")
        return json_object(data, where, MAX_BYTES)


def listed(entry: object, where: str) -> ListedModel:
    """One entry; SourceError where it has no name."""
    fields = entry if isinstance(entry, Mapping) else {}
    name = fields.get("model") or fields.get("name")
    if not isinstance(name, str):
        raise SourceError(f"{where}: {shorten(entry)} has no name")
    digest = fields.get("digest")
    found = DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    return ListedModel(name, found[1].lower() if found else "", fields.get("details"))


def reason(data: bytes) -> str:
    """What Ollama says of a failure, if it says something."""
    try:
        said = json_object(data, "answer", MAX_BYTES).get("error")
    except SourceError:
        return ""
    return f": {shorten(said)}" if said else ""
