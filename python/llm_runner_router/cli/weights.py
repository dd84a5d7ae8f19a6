"""``models add``: in what form a model's weights are there, and what they become."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_runner_router.types import ModelFormat

WORDS = {"gguf": ModelFormat.GGUF, "hf": ModelFormat.HF, "huggingface": ModelFormat.HF}

Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="gguf, or hf: a checkpoint of Transformers, of which the source is the folder or the "
        "name of the hub.",
        show_default="gguf",
    ),
]
Quantization = Annotated[
    str | None,
    typer.Option(
        metavar="TYPE",
        help="What the weights of a checkpoint become, such as Q4_K_M.",
        show_default="F16",
    ),
]


def format_of(word: str, provider: str) -> ModelFormat:
    """What ``--format`` says; a model of a provider has no weights here."""
    if provider and word:
        raise typer.BadParameter("--format does not go with --provider")
    if word and word.lower() not in WORDS:
        raise typer.BadParameter(f"--format {word}: allowed: {', '.join(WORDS)}")
    return ModelFormat.API if provider else WORDS[word.lower() or "gguf"]


def type_of(quantization: str | None) -> str | None:
    """``--quantization`` as it is spelt in records."""
    return None if quantization is None else quantization.upper()
