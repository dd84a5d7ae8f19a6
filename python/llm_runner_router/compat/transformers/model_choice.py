"""The ``model`` argument: a folder, a name of the hub, or the id of a registered model."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.file_names import CONFIG
from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from llm_runner_router.checkpoints.special_tokens import end_tokens
from llm_runner_router.checkpoints.text_file import read_object
from llm_runner_router.compat.transformers.parameters import GENERATION as KNOWN
from llm_runner_router.compat.transformers.parameters import said_by_model
from llm_runner_router.errors import (
    AlreadyExistsError,
    InvalidRequestError,
    ModelNotFoundError,
    RouterError,
)
from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.registry.sources.checkpoint.source import parse_checkpoint
from llm_runner_router.router import LLMRouter
from llm_runner_router.types import ModelFormat


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What was given; ``quantization`` is what a checkpoint becomes, ``None``: F16."""

    model: str | os.PathLike[str]
    revision: str | None = None
    quantization: str | None = None

    @property
    def text(self) -> str:
        """As text."""
        return os.fspath(self.model)

    @property
    def folder(self) -> Path | None:
        """The folder of this machine that it is."""
        path = Path(self.text).expanduser()
        return path.absolute() if path.is_dir() else None

    def record(self) -> ModelRecord:
        """The model to register. InvalidRequestError where the text is none of a model."""
        name = self.text if self.text.startswith("hf://") else f"hf://{self.text}"
        named = f"{name}@{self.revision}" if self.revision else name
        source = named if self.folder is None else str(self.folder)
        identity = parse_checkpoint(source).default_id
        config = ModelConfig(quantization=self.quantization)
        return ModelRecord(identity, "", ModelFormat.HF, source, config)


async def opened(router: LLMRouter, choice: ModelChoice) -> tuple[str, dict[str, Any]]:
    """Have the model in memory; its id, and the generation parameters that it brings along."""
    view = None
    if choice.folder is None:
        try:
            view = await router.get_model(choice.text)
        except (ModelNotFoundError, InvalidRequestError):
            view = None
    identity = await registered(router, choice.record()) if view is None else view.record.id
    view = await router.load_model(identity)
    return identity, {**said_by_model(view.record.config), **said_by_folder(choice.folder)}


async def registered(router: LLMRouter, record: ModelRecord) -> str:
    """Register a model unless it is registered already, and bring it here; its id.

    What cannot be brought is not left registered.
    """
    new = await is_new(router, record)
    try:
        await router.pull_model("", record.id)
    except RouterError:
        if new:
            with suppress(RouterError):
                await router.unregister_model(record.id)
        raise
    return record.id


async def is_new(router: LLMRouter, record: ModelRecord) -> bool:
    """Register a model; whether it was not there. AlreadyExistsError where another one is."""
    try:
        await router.register_model(record)
    except AlreadyExistsError:
        present = (await router.get_model(record.id)).record
        same = (present.format, present.source, present.config.quantization)
        if same != (record.format, record.source, record.config.quantization):
            raise
        return False
    return True


def said_by_folder(folder: Path | None) -> dict[str, Any]:
    """What a checkpoint says that records do not keep: ``max_length``, and the ends of answers."""
    if folder is None:
        return {}
    settings = GenerationSettings.of(folder)
    ends = end_tokens(Fields(CONFIG, read_object(folder / CONFIG)), settings)
    said = {key: value for key, value in settings.values.items() if key in KNOWN}
    return {**said, "eos_token_id": list(ends) or None}
