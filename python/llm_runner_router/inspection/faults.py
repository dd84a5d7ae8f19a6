"""What of a file this version cannot use, beside what the core finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llm_runner_router.inspection.report import MetadataLine
from llm_runner_router.prompt import ChatTemplate, ChatTemplateError
from llm_runner_router.tokenizer.support import tokenizer_faults

TEMPLATE_KEY = "tokenizer.chat_template"


def text_faults(metadata: Sequence[MetadataLine]) -> list[str]:
    """What keeps text from becoming tokens, and conversations from becoming text."""
    values = {line.key: line.value for line in metadata}
    lengths = {line.key: line.length for line in metadata if line.length is not None}
    return [*tokenizer_faults(values, lengths), *template_faults(values)]


def template_faults(values: Mapping[str, object]) -> list[str]:
    """Why the file's chat template cannot be used; nothing where there is none."""
    if TEMPLATE_KEY not in values:
        return []
    source = values[TEMPLATE_KEY]
    if not isinstance(source, str):
        return [f"{TEMPLATE_KEY}: is no text"]
    try:
        ChatTemplate(source, bos_token="", eos_token="")
    except ChatTemplateError as error:
        return [f"{TEMPLATE_KEY}: {error}"]
    return []
