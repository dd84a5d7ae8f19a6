"""``pipeline``: Transformers' factory, for text generation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llm_runner_router.compat.router_thread import RouterThread
from llm_runner_router.compat.transformers.loading import LOADING, quantization_of
from llm_runner_router.compat.transformers.model_choice import (
    ModelChoice,
    OpenedModel,
    opened,
)
from llm_runner_router.compat.transformers.parameters import check_names
from llm_runner_router.compat.transformers.text_generation import (
    ARGUMENTS,
    TextGenerationPipeline,
)
from llm_runner_router.compat.transformers.tokenizer import PipelineTokenizer
from llm_runner_router.compat.transformers.vocabularies import (
    FolderVocabulary,
    ServedVocabulary,
    Vocabulary,
)
from llm_runner_router.config.tree import Config
from llm_runner_router.errors import InvalidRequestError

TASK = "text-generation"


def pipeline(  # noqa: PLR0913 - Transformers' own, and where the model runs
    task: str | None = TASK,
    model: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    quantization: str | None = None,
    target: str | None = None,
    config: Mapping[str, Any] | Config | None = None,
    **arguments: object,
) -> TextGenerationPipeline:
    """A pipeline that answers with ``model``, which is in memory when this returns.

    Close it, or use it as a context manager. RouterErrors say what is wrong; an argument that
    could not be honoured is refused by its name.

    Args:
        task: ``text-generation``, the only one.
        model: a folder with a checkpoint, a name of the Hugging Face hub, or the id of a model
            that is registered.
        revision: a branch, a tag or a commit of the hub.
        quantization: what a checkpoint's weights become, such as ``Q4_K_M``; F16, or what
            is registered, where neither this nor ``dtype`` says anything.
        target: a service, ``host:port``; without one the model runs in this process.
        config: of the router in this process; not with ``target``.
        arguments: ``dtype``, what changes nothing here (such as ``use_fast``), and defaults of
            calls.
    """
    if task not in (None, TASK):
        raise InvalidRequestError("task", task, TASK)
    if not isinstance(model, str | os.PathLike):
        raise InvalidRequestError("model", model, "a folder, a name of the hub, or a model's id")
    loading = {name: arguments.pop(name) for name in LOADING & arguments.keys()}
    check_names("", arguments, ARGUMENTS | LOADING)
    of_type = quantization_of(loading, os.fspath(model))
    choice = ModelChoice(model, revision, quantization or of_type)
    thread = RouterThread(config, target=target)
    try:
        found = thread.run(lambda router: opened(router, choice))
        found.warn()
        name = found.record.id
        tokenizer = tokenizer_of(thread, found, choice.folder)
        return TextGenerationPipeline(thread, name, found.parameters, arguments, tokenizer)
    except BaseException:
        thread.close()
        raise


def tokenizer_of(
    thread: RouterThread, model: OpenedModel, folder: Path | None
) -> PipelineTokenizer:
    """Over the files of the checkpoint where they are here, else over what the router tells."""
    vocabulary: Vocabulary
    if folder is not None:
        vocabulary = FolderVocabulary(folder)
    else:
        vocabulary = ServedVocabulary(thread, model.record.id)
    known = model.settings
    return PipelineTokenizer(vocabulary, None if known is None else known.special_tokens)
