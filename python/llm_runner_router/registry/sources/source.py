"""Where a model comes from, in values: what the text of a ``source`` says, checked.

::

    /models/a.gguf, file:///models/a.gguf          FileSource
    https://host/path/a.gguf[?query][#sha256=HEX]  HttpsSource; http:// on this machine only
    hf://org/repo[@revision][/file.gguf | :TAG | /TAG]  HubSource; TAG such as Q4_K_M
    ollama://[host[:port]/][namespace/]name[:tag]  OllamaSource

Sources are hostile. What is accepted has no part that could lead out of a folder: none that is
empty, ``.`` or ``..``, and no backslashes or control characters. Paths of this machine are the
exception: whoever may name them may name any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from yarl import URL

from llm_runner_router.registry.sources.file import SCHEME, absolute_path
from llm_runner_router.registry.sources.hub.name import parsed_hub_name
from llm_runner_router.registry.sources.ollama.name import OllamaName, parsed_ollama_name
from llm_runner_router.registry.sources.shards import check_first_shard, stem
from llm_runner_router.registry.sources.web.address import parsed_web_address
from llm_runner_router.registry.sources.wrong_source import check_source, wrong_source

KINDS = "a path, or file://, https://, hf:// or ollama://"
MAX_DEFAULT_ID = 128
NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._:-]+")


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file of this machine; of a sharded set, the first. ``path`` may be relative."""

    kind: ClassVar[str] = "file"
    path: Path

    @property
    def canonical(self) -> str:
        """One spelling a file."""
        return str(self.path)

    @property
    def default_id(self) -> str:
        """A model's id made of it."""
        return as_id(stem(self.path.name))


@dataclass(frozen=True, slots=True)
class HttpsSource:
    """A file of a web server; of a sharded set, the first.

    ``url`` may hold secrets in its query: neither it nor the query is ever shown, and the ``repr``
    leaves it out. ``sha256`` is what the file must have, in lower-case hexadecimal, or ``None``.
    """

    kind: ClassVar[str] = "https"
    url: URL
    sha256: str | None = None

    def __repr__(self) -> str:
        return f"HttpsSource({self.canonical})"

    @property
    def canonical(self) -> str:
        """One spelling a file; of the query only a fingerprint."""
        query = f"?{fingerprint(self.url.raw_query_string)}" if self.url.raw_query_string else ""
        digest = f"#sha256={self.sha256}" if self.sha256 else ""
        return f"{self.url.with_query(None)}{query}{digest}"

    @property
    def default_id(self) -> str:
        """A model's id made of the file's name."""
        return as_id(stem(self.url.name))


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of the Hugging Face hub, and which of its files.

    At most one of ``file`` (a path within the repository, that of the first of a sharded set) and
    ``tag`` (a quantisation in upper case, such as Q4_K_M) is given; neither: the fetcher chooses.
    """

    kind: ClassVar[str] = "hf"
    organization: str
    repository: str
    revision: str = "main"
    file: str | None = None
    tag: str | None = None

    @property
    def repo_id(self) -> str:
        """``org/repo``, as the hub calls it; its oldest models have no organisation."""
        return f"{self.organization}/{self.repository}" if self.organization else self.repository

    @property
    def canonical(self) -> str:
        """One spelling a choice; the revision ``main`` is left out."""
        revision = "" if self.revision == "main" else f"@{self.revision.replace('/', '%2F')}"
        choice = f"/{self.file}" if self.file else f":{self.tag}" if self.tag else ""
        return f"hf://{self.repo_id}{revision}{choice}"

    @property
    def default_id(self) -> str:
        """A model's id made of the file's name, or of the repository's and the tag."""
        if self.file is not None:
            return as_id(stem(self.file.rpartition("/")[2]))
        name = self.repository.removesuffix("-GGUF").removesuffix("-gguf")
        return as_id(f"{name}-{self.tag}" if self.tag else name)


@dataclass(frozen=True, slots=True)
class OllamaSource:
    """A model by its name at Ollama, or at another registry that speaks its protocol."""

    kind: ClassVar[str] = "ollama"
    name: OllamaName

    @property
    def canonical(self) -> str:
        """One spelling a model; Ollama's own registry and its library are left out."""
        return f"ollama://{self.name.short}"

    @property
    def default_id(self) -> str:
        """A model's id: its name, and its tag unless that is ``latest``."""
        tag = "" if self.name.tag == "latest" else f":{self.name.tag}"
        return as_id(f"{self.name.model}{tag}")


Source = FileSource | HttpsSource | HubSource | OllamaSource


def parse_source(text: str) -> Source:
    """What ``text`` says. InvalidRequestError of the field ``source`` says what is allowed.

    Nothing is read, on no disk and no network.
    """
    check_source(text, KINDS)
    scheme = SCHEME.match(text)
    match scheme.group().lower() if scheme is not None else "":
        case "" | "file://":
            path = absolute_path(text, Path())
            check_first_shard(path.name, text)
            return FileSource(path)
        case "https://" | "http://":
            return HttpsSource(*parsed_web_address(text))
        case "hf://":
            return HubSource(*parsed_hub_name(text[len("hf://") :], text))
        case "ollama://":
            return OllamaSource(parsed_ollama_name(text[len("ollama://") :], text))
        case _:
            raise wrong_source(text, KINDS)


def fingerprint(text: str) -> str:
    """Sixteen hexadecimal digits that stand for a text without telling it."""
    return sha256(text.encode()).hexdigest()[:16]


def as_id(name: str) -> str:
    """A model's id as like ``name`` as ids may be."""
    return NOT_IN_IDS.sub("-", name).strip("-.:")[:MAX_DEFAULT_ID] or "model"
