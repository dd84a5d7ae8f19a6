"""A Hugging Face hub on loopback: what its library asks of the API, and a CDN for the contents.

Repositories have commits; big files lie behind a redirect to ``/cdn/``, small ones (``git``) come
from the hub itself. A repository may be gated, private or disabled, and answers as the hub does.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from integration.upstreams.content_server import ContentServer
from integration.upstreams.faults import Fault
from integration.upstreams.server import Seen

COMMIT = "c" * 40
GATED = "Access to this repository is restricted. You must have access to it."


@dataclass
class Stored:
    """A file of a commit; ``listed_sha256`` is what the API says instead of the truth."""

    content: bytes
    git: bool = False
    listed_sha256: str | None = None

    @property
    def blob(self) -> str:
        if self.git:
            head = f"blob {len(self.content)}\0".encode()
            return hashlib.sha1(head + self.content).hexdigest()
        return self.listed_sha256 or hashlib.sha256(self.content).hexdigest()

    def sibling(self, name: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"rfilename": name, "size": len(self.content)}
        if self.git:
            return {**entry, "blobId": self.blob}
        lfs = {"sha256": self.blob, "size": len(self.content), "pointerSize": 134}
        return {**entry, "blobId": "e" * 40, "lfs": lfs}


@dataclass
class Repository:
    """``revisions`` are commits by name; ``commits`` are files by commit."""

    revisions: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Stored]] = field(default_factory=dict)
    token: str | None = None  # who has none sees no repository
    gated: bool = False  # who has no token sees the repository, but no contents
    disabled: bool = False

    def files(self, revision: str) -> tuple[str, dict[str, Stored]] | None:
        commit = self.revisions.get(revision, revision)
        return (commit, self.commits[commit]) if commit in self.commits else None


class HubServer(ContentServer):
    """``bodies`` are answers of the API instead of its own, each once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.repositories: dict[str, Repository] = {}
        self.bodies: dict[str, bytes] = {}
        self.good_token = "hf_right"
        self.gate: asyncio.Event | None = None  # what answers of the API wait for

    def add(
        self, repo_id: str, contents: dict[str, bytes | Stored], commit: str = COMMIT, **how: Any
    ) -> Repository:
        """A repository whose ``main`` is ``commit``; an old one gets a new commit."""
        repository = self.repositories.setdefault(repo_id, Repository(**how))
        stored = {
            name: content if isinstance(content, Stored) else Stored(content)
            for name, content in contents.items()
        }
        repository.commits[commit] = stored
        repository.revisions["main"] = commit
        for file in stored.values():
            self.put(f"/cdn/{file.blob}", file.content, etag=f'"{file.blob}"')
        return repository

    def answer_once(self, path: str, answer: dict[str, Any]) -> None:
        """What the API says at ``path`` the next time."""
        self.bodies[path] = json.dumps(answer).encode()

    @property
    def cdn(self) -> str:
        """Another host for who looks at names, as the hub's own CDN is."""
        return f"http://localhost:{self.port}"

    @property
    def of_cdn(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path.startswith("/cdn/")]

    async def handle(self, request: web.Request, _body: Any, _fault: Fault) -> web.StreamResponse:
        if request.path in self.statuses:
            return web.Response(status=self.statuses[request.path], text="nothing for people")
        if request.path in self.bodies:
            answer = self.bodies.pop(request.path)
            return web.Response(body=answer, content_type="application/json")
        if request.path.startswith("/cdn/"):
            assert request.method == "GET"
            return await self.content(request)
        parts = request.raw_path.partition("?")[0].strip("/").split("/")
        if self.gate is not None:
            await self.gate.wait()
        if parts[:2] == ["api", "models"]:
            end = parts.index("revision") if "revision" in parts else len(parts)
            return self.listing(request, "/".join(parts[2:end]), parts[end:])
        end = parts.index("resolve")  # the oldest repositories have no organisation
        name = unquote("/".join(parts[end + 2 :]))
        return await self.resolve(request, "/".join(parts[:end]), unquote(parts[end + 1]), name)

    def listing(self, request: web.Request, repo_id: str, rest: list[str]) -> web.Response:
        repository = self.repositories.get(repo_id)
        refusal = self.refusal(request, repository)
        if refusal is not None:
            return refusal
        assert repository is not None
        found = repository.files(unquote(rest[1]) if rest[:1] == ["revision"] else "main")
        if found is None:
            return failure(404, "RevisionNotFound", "Invalid rev id")
        commit, files = found
        assert request.query["blobs"] == "true"
        siblings = [stored.sibling(name) for name, stored in files.items()]
        answer = {"id": repo_id, "sha": commit, "siblings": siblings, "tags": ["gguf"]}
        return web.json_response(answer)

    async def resolve(
        self, request: web.Request, repo_id: str, revision: str, name: str
    ) -> web.StreamResponse:
        repository = self.repositories.get(repo_id)
        refusal = self.refusal(request, repository)
        if refusal is not None:
            return refusal
        assert repository is not None
        if repository.gated and self.token_of(request) is None:
            return failure(401, "GatedRepo", GATED)
        found = repository.files(revision)
        if found is None or name not in found[1]:
            return failure(404, "EntryNotFound", "Entry not found")
        commit, stored = found[0], found[1][name]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{stored.blob}"'}
        if not stored.git:
            headers["Location"] = f"{self.cdn}/cdn/{stored.blob}?signature=secret"
            headers["X-Linked-Etag"] = f'"{stored.blob}"'
            headers["X-Linked-Size"] = str(len(stored.content))
            return web.Response(status=302, headers=headers)
        if request.method == "HEAD":
            headers["Content-Length"] = str(len(stored.content))
            return web.Response(headers=headers)
        return web.Response(body=stored.content, headers=headers)

    def refusal(self, request: web.Request, repository: Repository | None) -> web.Response | None:
        """What the hub says to who may not see a repository, and of one that is not."""
        token = self.token_of(request)
        if token not in (None, self.good_token):
            return failure(401, "", "Invalid credentials in Authorization header")
        hidden = repository is not None and repository.token not in (None, token)
        if repository is None or hidden:
            status = 401 if token is None else 404
            return failure(status, "RepoNotFound", "Repository not found")
        if repository.disabled:
            return failure(403, "", "Access to this resource is disabled.")
        return None

    @staticmethod
    def token_of(request: web.Request) -> str | None:
        text = request.headers.get("Authorization")
        return None if text is None else text.removeprefix("Bearer ")


def failure(status: int, code: str, message: str) -> web.Response:
    headers = {"X-Error-Message": message}
    if code:
        headers["X-Error-Code"] = code
    return web.Response(status=status, headers=headers, text=json.dumps({"error": message}))
