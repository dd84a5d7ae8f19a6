"""The ``model`` argument: a folder, a name of the hub, or the id of a registered model."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_runner_router.checkpoints.pipeline_settings import PipelineSettings
from llm_runner_router.compat.transformers.parameters import said_by_model
from llm_runner_router.compat.transformers.registration import register
from llm_runner_router.errors import InvalidRequestError, ModelNotFoundError
from llm_runner_router.local_path import expanded, is_folder
from llm_runner_router.registry.records import ModelConfig, ModelRecord, ModelView
from llm_runner_router.registry.sources.checkpoint.source import parse_checkpoint
from llm_runner_router.router import LLMRouter
from llm_runner_router.types import ModelFormat

UNKNOWN = (
    "max_length and eos_token_id of the generation config of {model} are not known here: "
    "pull the model again, or name its folder"
)


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model in memory.

    ``parameters`` are those of generation that it brings along. ``settings`` are those of its
    checkpoint; ``None`` where they are not known here.
    """

    record: ModelRecord
    parameters: Mapping[str, Any]
    settings: PipelineSettings | None

    def warn(self) -> None:
        """Say it to who calls the caller, where answers may be longer than in Transformers."""
        if self.settings is None and self.record.format is ModelFormat.HF:
            warnings.warn(UNKNOWN.format(model=self.record.id), UserWarning, stacklevel=3)


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
        path = expanded(self.text)
        return path.absolute() if is_folder(path) else None

    def record(self) -> ModelRecord:
        """The model to register. InvalidRequestError where the text is none of a model."""
        name = self.text if self.text.startswith("hf://") else f"hf://{self.text}"
        named = f"{name}@{self.revision}" if self.revision else name
        source = named if self.folder is None else str(self.folder)
        identity = parse_checkpoint(source).default_id
        config = ModelConfig(quantization=self.quantization)
        return ModelRecord(identity, "", ModelFormat.HF, source, config)


async def opened(router: LLMRouter, choice: ModelChoice) -> OpenedModel:
    """Have the model in memory."""
    present = await registered(router, choice)
    if present is None:
        present = (await register(router, choice.record())).view
    record = (await router.load_model(present.record.id)).record
    settings = await asyncio.to_thread(settings_of, record, choice.folder)
    said = settings.generation if settings is not None else {}
    of_record = said_by_model(record.config)
    if choice.folder is not None:
        return OpenedModel(record, {**of_record, **said}, settings)
    # What somebody has said of the registered model counts more than what came along with it.
    along = {key: value for key, value in said.items() if key != "do_sample"}
    return OpenedModel(record, {**along, **of_record}, settings)


async def registered(router: LLMRouter, choice: ModelChoice) -> ModelView | None:
    """The registered model that has the text as its id; a folder of that name goes first."""
    if choice.folder is not None:
        return None
    try:
        return await router.get_model(choice.text)
    except (ModelNotFoundError, InvalidRequestError):
        return None


def settings_of(record: ModelRecord, folder: Path | None) -> PipelineSettings | None:
    """What a checkpoint says to pipelines: its folder, else what the record keeps of it. Blocks."""
    if folder is not None:
        return PipelineSettings.of(folder)
    return PipelineSettings.of_labels(record.labels)
