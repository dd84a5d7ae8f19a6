"""The limits of a prompt template."""

from __future__ import annotations

from dataclasses import replace

from llm_runner_router.prompt.prompt_template import variables_of
from llm_runner_router.registry.checks.alias import check_entries
from llm_runner_router.registry.checks.line import check_kept_text, check_line
from llm_runner_router.registry.records import PromptTemplate
from llm_runner_router.validation.request import MAX_MODEL_ID, check_stop

MAX_NAME = 256
MAX_FORMAT = 100_000
MAX_PATTERNS = 64


def checked_template(template: PromptTemplate) -> PromptTemplate:
    """``template`` as it is stored; InvalidRequestError names the first field that is wrong."""
    check_line("id", template.id, MAX_MODEL_ID)
    check_line("name", template.name or template.id, MAX_NAME)
    check_kept_text("format", template.format, MAX_FORMAT)
    variables_of(template.format)
    check_stop(template.stop_tokens, "stop_tokens")
    check_entries("model_compatibility", template.model_compatibility, 0, MAX_PATTERNS)
    for index, pattern in enumerate(template.model_compatibility):
        check_line(f"model_compatibility[{index}]", pattern, MAX_MODEL_ID)
    return replace(
        template,
        name=template.name or template.id,
        stop_tokens=tuple(template.stop_tokens),
        model_compatibility=tuple(template.model_compatibility),
    )
