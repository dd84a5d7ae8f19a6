"""Which registered model is which of Ollama's."""

from __future__ import annotations

from pathlib import Path

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.ollama.model import FoundModel, Way
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.sources.source import parse_source
from llm_runner_router.registry.sources.source_settings import is_marked
from llm_runner_router.types import ModelFormat


def same_model(present: ModelRecord, model: FoundModel) -> bool:
    """Whether a registered model is that of Ollama, whoever runs it."""
    wanted = model.record
    if present.format is ModelFormat.API:
        same = present.provider == wanted.provider and present.source == wanted.source
        return same and present.endpoint.base_url == wanted.endpoint.base_url
    return names_weights(present, model) or is_at_ollama(present, wanted.id)


def names_weights(record: ModelRecord, model: FoundModel) -> bool:
    """Whether a record names the file of a model's weights, or of those that it had before.

    These lay in the same store, and the record has its settings from there. A path names no
    adapter, and so never a model that has one.
    """
    if model.weights is None or model.adapted:
        return False
    if record.source == str(model.weights):
        return True
    beside = Path(record.source).parent == model.weights.parent
    return beside and is_marked(record) and record.id == model.name


def is_at_ollama(record: ModelRecord, name: str) -> bool:
    """Whether a record takes the model of that name from Ollama's store or registry."""
    try:
        return parse_source(record.source).canonical == f"ollama://{name}"
    except InvalidRequestError:
        return False


def way_of(record: ModelRecord) -> Way:
    """Who runs a registered model."""
    return Way.IN_PLACE if record.format is ModelFormat.GGUF else Way.SERVER
