"""A model of Transformers as a model of ours: a record of format ``hf``, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from llm_runner_router.backend import Backend
from llm_runner_router.checkpoints.chat_template import KEY as TEMPLATE
from llm_runner_router.checkpoints.checkpoint import Checkpoint
from llm_runner_router.checkpoints.file_names import CONFIG, TOKENIZER
from llm_runner_router.checkpoints.generation_defaults import NAMES
from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from llm_runner_router.compat.transformers.registration import register
from llm_runner_router.local_path import expanded, is_folder
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.registry.checks.model import checked_record
from llm_runner_router.registry.records import ModelConfig, ModelRecord, ModelView, PullProgress
from llm_runner_router.registry.sources.checkpoint.source import parse_checkpoint
from llm_runner_router.types import ModelFormat

IN_FILE = "the model's file"
LATER = "its context length and the defaults of requests are taken over once its files are here"


@dataclass(frozen=True, slots=True)
class HuggingFacePlan:
    """What is to be registered; and of a folder of this machine, what becomes of its settings."""

    record: ModelRecord
    fields: Sequence[Field] = ()
    notes: Sequence[str] = ()


class Result(StrEnum):
    """What a migration has come to."""

    REGISTERED = "registered"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The model as it is registered now, and what could not be taken over."""

    result: Result
    view: ModelView
    notes: Sequence[str]


def planned(model: str, identity: str = "", quantization: str | None = None) -> HuggingFacePlan:
    """The plan for a folder of this machine, or a name of the hub. Reads all but the weights.

    InvalidRequestError where an argument makes no sense; ModelFileError and UnsupportedError where
    the checkpoint of a folder cannot be converted.

    Args:
        model: the folder, or ``org/repo[@revision]``, also with ``hf://``.
        identity: the id that it gets; empty: made of the name.
        quantization: what its weights become; ``None``: F16.
    """
    path = expanded(model).absolute()
    is_here = model != "" and "://" not in model and is_folder(path)
    is_path = is_here or model.startswith(("/", "./", "../", "~"))
    source = str(path) if is_path else model if "://" in model else f"hf://{model}"
    default = parse_checkpoint(source).default_id
    config = ModelConfig(quantization=quantization)
    record = ModelRecord(identity or default, default, ModelFormat.HF, source, config)
    checked = checked_record(record)
    if is_here:
        return of_folder(path, checked)
    elsewhere = (f"{path} is not on this machine: it has to be on that of the service",)
    return HuggingFacePlan(checked, (), (*(elsewhere if is_path else ()), LATER))


def of_folder(folder: Path, record: ModelRecord) -> HuggingFacePlan:
    """The plan for a checkpoint that is here, with its name, context and defaults."""
    checkpoint = Checkpoint.of(folder)
    blueprint = checkpoint.blueprint()
    config, notes = checkpoint.defaults(blueprint.context_length)
    length = Field(f"{CONFIG}: context", Fate.MAPPED, "config.contextLength")
    in_file = [Field(TOKENIZER, Fate.MAPPED, IN_FILE)]
    tokenizer = checkpoint.tokenizer(blueprint)
    if TEMPLATE in tokenizer.values:
        in_file.append(Field("chat template", Fate.MAPPED, IN_FILE))
    fields = [length, *in_file, *generation_fields(checkpoint.generation(), config)]
    return HuggingFacePlan(record, fields, (*blueprint.notes, *notes, *tokenizer.notes))


def generation_fields(settings: GenerationSettings, config: ModelConfig) -> list[Field]:
    """What becomes of each setting of generation."""
    return [generation_field(settings, key, config) for key in settings.values]


def generation_field(settings: GenerationSettings, key: str, config: ModelConfig) -> Field:
    """One setting. ``max_length`` counts prompt and answer, which no default here does."""
    path, value = f"{settings.file}: {key[:100]}", settings.values[key]
    name = NAMES.get(key)
    if name is not None and getattr(config, name) is not None:
        return Field(path, Fate.MAPPED, f"config.{name}")
    if key == "do_sample" and value is False:
        return Field(path, Fate.MAPPED, "config.temperature", "0: the likeliest token")
    if key == "eos_token_id":
        return Field(path, Fate.MAPPED, IN_FILE)
    return Field(path, Fate.UNMAPPED)


async def migrate(
    backend: Backend, plan: HuggingFacePlan, on_progress: Callable[[PullProgress], None]
) -> Outcome:
    """Register the model, bring its files and convert them; see ``register`` for what may fail."""
    notes = list(plan.notes)

    def listen(step: PullProgress) -> None:
        if step.note and step.note not in notes:
            notes.append(step.note)
        on_progress(step)

    done = await register(backend, plan.record, listen)
    result = Result.REGISTERED if done.new else Result.PRESENT
    return Outcome(result, done.view, tuple(note for note in notes if note != LATER))
