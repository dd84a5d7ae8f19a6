"""A registry on loopback that speaks Ollama's protocol: manifests by tag, blobs by digest."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from integration.upstreams.content_server import ContentServer
from integration.upstreams.faults import Fault
from integration.upstreams.ollama_store import OllamaFiles
from integration.upstreams.server import Seen
from llm_runner_router.registry.sources.ollama.manifest import MANIFEST_TYPE


class OllamaRegistryServer(ContentServer):
    """Blobs lie behind a redirect to what looks like another host.

    ``tokens``: each log-in gives the next of them, and only the latest is good; none: it is open.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manifests: dict[str, bytes] = {}
        self.known: set[str] = set()
        self.tokens: list[str] = []
        self.token = ""
        self.realm: str | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, files: OllamaFiles, name: str = "library/tiny", tag: str = "latest") -> None:
        self.manifests[f"/v2/{name}/manifests/{tag}"] = files.manifest
        for digest, content in files.blobs.items():
            self.known.add(f"/v2/{name}/blobs/{digest}")
            self.put(f"/store/{digest}", content, etag=f'"{digest}"')

    @property
    def of_store(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path.startswith("/store/")]

    async def handle(self, request: web.Request, _body: Any, _fault: Fault) -> web.StreamResponse:
        path = request.path
        if path in self.statuses:
            return web.Response(status=self.statuses[path], text="nothing for people")
        if path.startswith("/store/"):
            assert "Authorization" not in request.headers
            return await self.content(request)
        if path == "/token":
            return self.log_in(request)
        return self.answer(request) if self.may(request) else self.challenge()

    def answer(self, request: web.Request) -> web.Response:
        path = request.path
        if path in self.manifests:
            assert request.headers["Accept"] == MANIFEST_TYPE
            return web.Response(body=self.manifests[path], content_type=MANIFEST_TYPE)
        if path in self.known:
            digest = path.rpartition("/")[2]
            location = f"http://localhost:{self.port}/store/{digest}?signed=yes"
            return web.Response(status=307, headers={"Location": location})
        return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)

    def may(self, request: web.Request) -> bool:
        wanted = bool(self.tokens) or bool(self.token) or self.realm is not None
        return not wanted or request.headers.get("Authorization") == f"Bearer {self.token}"

    def challenge(self) -> web.Response:
        realm = self.realm if self.realm is not None else f"{self.address}/token"
        asked = f'Bearer realm="{realm}",service="registry",scope="repository:library/tiny:pull"'
        return web.Response(status=401, headers={"WWW-Authenticate": asked})

    def log_in(self, request: web.Request) -> web.Response:
        assert request.query["service"] == "registry"
        assert request.query["scope"] == "repository:library/tiny:pull"
        assert "Authorization" not in request.headers
        self.token = self.tokens.pop(0)
        return web.Response(text=json.dumps({"token": self.token}))
