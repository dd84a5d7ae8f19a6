"""A checkpoint as a registered model, with its files on the machine that runs it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from llm_runner_router.backend import PullListener
from llm_runner_router.errors import AlreadyExistsError, RouterError, shorten
from llm_runner_router.registry.records import ModelRecord, ModelView
from llm_runner_router.registry.sources.checkpoint.source import UNCHANGED, parse_checkpoint
from llm_runner_router.types import ModelFormat

MAX_SHOWN = 200


class Registry(Protocol):
    """What keeps models: a Backend, or the face over one."""

    async def register_model(self, model: ModelRecord, /) -> ModelView:
        """Add a model; AlreadyExistsError where the id is taken."""
        ...

    async def unregister_model(self, model: str) -> None:
        """Forget a model."""
        ...

    async def get_model(self, model: str) -> ModelView:
        """One model."""
        ...

    async def pull_model(
        self, source: str, model: str = "", on_progress: PullListener | None = None
    ) -> ModelView:
        """Bring the files of a registered model; ``source`` is empty."""
        ...


@dataclass(frozen=True, slots=True)
class Registration:
    """The model as it is registered now; ``new`` unless it was before."""

    view: ModelView
    new: bool


async def register(
    registry: Registry, record: ModelRecord, on_progress: PullListener | None = None
) -> Registration:
    """Register ``record`` unless the same model is there, and bring its files.

    Again, it goes on where it was cut. AlreadyExistsError, before anything is brought, says how the
    model differs that has the id. What this has registered is forgotten where it cannot be brought:
    no model stays that never answers.
    """
    new = await is_new(registry, record)
    try:
        return Registration(await registry.pull_model("", record.id, on_progress), new)
    except RouterError:
        if new:
            with suppress(RouterError):
                await registry.unregister_model(record.id)
        raise


async def is_new(registry: Registry, record: ModelRecord) -> bool:
    """Register ``record``; whether the same model was not there already."""
    try:
        await registry.register_model(record)
    except AlreadyExistsError as taken:
        try:
            present = (await registry.get_model(record.id)).record
        except RouterError:  # the id is that of an alias
            raise taken from None
        check_same(present, record)
        return False
    return True


def check_same(present: ModelRecord, wanted: ModelRecord) -> None:
    """AlreadyExistsError names the first difference of two models with one id.

    A quantisation that is not asked for is whatever the present one has.
    """
    pairs = {
        "format": (str(present.format), str(wanted.format)),
        "source": (place_of(present), place_of(wanted)),
    }
    if wanted.config.quantization is not None:
        kind = present.config.quantization or UNCHANGED
        pairs["config.quantization"] = (kind, wanted.config.quantization)
    for field, (found, asked) in pairs.items():
        if found != asked:
            raise AlreadyExistsError(
                f"model {shorten(wanted.id)} is registered already, with {field} "
                f"{shorten(found, MAX_SHOWN)} and not {shorten(asked, MAX_SHOWN)}: use that one by "
                "its id, or give this one another (`migrate huggingface --id`)"
            )


def place_of(record: ModelRecord) -> str:
    """Where the weights come from; of a checkpoint, in one spelling."""
    if record.format is not ModelFormat.HF:
        return record.source
    return parse_checkpoint(record.source).origin.canonical
