"""How long a context the file of a model was made for."""

from __future__ import annotations

from pathlib import Path

from llm_runner_router.errors import RouterError
from llm_runner_router.inspection.inspecting import number, text
from llm_runner_router.inspection.model_file import FileContents, read_model
from llm_runner_router.validation.request import MAX_CONTEXT


def trained_context(path: Path) -> int | None:
    """Tokens of prompt and answer; ``None`` where the headers do not say, or cannot be read.

    Of a sharded set any file will do. Blocks.
    """
    try:
        return context_of(read_model(path))
    except RouterError:  # what is damaged shows when the model is loaded
        return None


def context_of(contents: FileContents) -> int | None:
    """Tokens of prompt and answer that a file says its model was made for."""
    values = {line.key: line.value for line in contents.metadata}
    found = number(values, f"{text(values, 'general.architecture')}.context_length")
    return found if found is not None and 1 <= found <= MAX_CONTEXT else None
