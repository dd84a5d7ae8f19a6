"""A server of Ollama that tells which models it has."""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from integration.upstreams.faults import Fault
from integration.upstreams.ollama_server import CREATED, OllamaServer

DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "7B",
    "quantization_level": "Q4_0",
}


class OllamaListServer(OllamaServer):
    """``tags`` and ``shown`` are what it answers, in the shape of Ollama's own answers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tags: list[dict[str, Any]] = []
        self.shown: dict[str, dict[str, Any]] = {}

    def add(
        self,
        name: str,
        manifest: bytes = b"",
        *,
        details: dict[str, Any] | None = DETAILS,
        **shown: Any,
    ) -> None:
        """A model; without ``details`` as servers of old told it."""
        entry = {"name": name, "model": name, "modified_at": CREATED, "size": 5}
        entry["digest"] = hashlib.sha256(manifest).hexdigest()
        self.tags.append({**entry, **({} if details is None else {"details": details})})
        self.shown[name] = {"modelfile": "FROM x", "details": details or {}, **shown}

    async def handle(self, request: web.Request, body: Any, fault: Fault) -> web.StreamResponse:
        if request.path == "/api/tags":
            return web.json_response({"models": self.tags})
        if request.path == "/api/show":
            shown = self.shown.get(body["model"])
            if shown is None:
                return web.json_response({"error": "model not found"}, status=404)
            return web.json_response(shown)
        return await super().handle(request, body, fault)
