"""Models of a running server of Ollama."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from llm_runner_router.errors import RouterError, UnavailableError, UnsupportedError
from llm_runner_router.migrate.ollama.labels import OF_DETAILS, labels_of
from llm_runner_router.migrate.ollama.model import FoundModel, Model, RefusedModel, Way
from llm_runner_router.migrate.ollama.server import ListedModel, Server
from llm_runner_router.migrate.ollama.stored_models import StoredModels
from llm_runner_router.registry.checks.model import TEXTS, checked_record
from llm_runner_router.registry.records import (
    DEFAULT_CAPABILITIES,
    Endpoint,
    ModelConfig,
    ModelRecord,
)
from llm_runner_router.registry.sources.ollama.name import OllamaName, parsed_ollama_name
from llm_runner_router.registry.sources.source_settings import followed
from llm_runner_router.types import ModelFormat

PROVIDER = "ollama"
ENCODER = "bert"
"""In the names of families (``bert``, ``nomic-bert``, ``jina-bert-v2``) that make embeddings."""

STAYS = "its template, system prompt and parameters stay with Ollama, which applies them"


class ServedModels:
    """Belongs to one event loop.

    A model whose very manifest lies in ``stored`` is run here, on the file that lies there; the
    others, and those that the engine does not run, go on being answered by the server.
    """

    def __init__(self, server: Server, stored: StoredModels) -> None:
        self._server = server
        self._stored = stored

    async def all(self) -> AsyncIterator[Model]:
        """Every model of the server. RouterError where it does not answer."""
        for entry in await self._server.models():
            yield await self.model(entry)

    async def model(self, entry: ListedModel) -> Model:
        """One model, whoever runs it. UnavailableError where the server has gone."""
        try:
            name = parsed_ollama_name(entry.name, entry.name)
            here = await self._here(name, entry.digest)
            return here if isinstance(here, FoundModel) else await self._there(name, entry, here)
        except UnavailableError:
            raise
        except RouterError as error:
            return RefusedModel(entry.name, error.message)

    async def _here(self, name: OllamaName, digest: str) -> Model | None:
        """The model in the store; refused where it cannot be run, ``None`` where it is not there.

        That a name is there does not say that it is the same model.
        """
        data = await asyncio.to_thread(self._stored.manifest, name)
        if data is None or sha256(data).hexdigest() != digest:
            return None
        return await self._stored.model(name)

    async def _there(
        self, name: OllamaName, entry: ListedModel, here: RefusedModel | None
    ) -> FoundModel:
        """The model as the server runs it."""
        shown = await self._server.show(entry.name)
        record = ModelRecord(
            id=name.short,
            name=name.short,
            format=ModelFormat.API,
            source=entry.name,
            capabilities=capabilities_of(shown, families_of(entry.details)),
            labels=labels_of(entry.details, OF_DETAILS),
            provider=PROVIDER,
            endpoint=Endpoint(base_url=self._server.address),
        )
        why = () if here is None else (f"not run here: {here.reason}",)
        marked = followed(record, ModelConfig(license=license_of(shown))).record
        return FoundModel(checked_record(marked), Way.SERVER, (*why, STAYS))


def license_of(shown: Mapping[str, Any]) -> str | None:
    """The terms of a model, which may be one text or many; ``None`` where there are none."""
    terms = shown.get("license")
    texts = terms if isinstance(terms, list) else [terms]
    text = "\n\n".join(one.strip() for one in texts if isinstance(one, str) and one.strip())
    return text if 0 < len(text) <= TEXTS["license"] else None


def capabilities_of(shown: Mapping[str, Any], families: Sequence[str]) -> tuple[str, ...]:
    """What a model can do; UnsupportedError where it writes no text.

    Older servers do not tell, and the families of the model must do.
    """
    told = shown.get("capabilities")
    if not isinstance(told, list):
        told = [] if any(ENCODER in family.lower() for family in families) else ["completion"]
    if "completion" not in told:
        raise UnsupportedError("it writes no text: such models are not offered")
    return (*DEFAULT_CAPABILITIES, *(("tools",) if "tools" in told else ()))


def families_of(details: object) -> list[str]:
    """The architectures that a model is of, as ``details`` of the list name them."""
    fields = details if isinstance(details, Mapping) else {}
    more = fields.get("families")
    families = [fields.get("family"), *(more if isinstance(more, list) else [])]
    return [family for family in families if isinstance(family, str)]
