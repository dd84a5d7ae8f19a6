"""Chat templates of records, seen to be templates before they are kept."""

from __future__ import annotations

import asyncio

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.checks.model import TEXTS
from llm_runner_router.registry.records import ModelRecord

FIELD = "config.chat_template"


async def check_chat_template(record: ModelRecord, where: str = "") -> None:
    """InvalidRequestError where its template is none in Jinja that can be compiled.

    What is no text, or too long, is left to ``checked_record``. ``where`` stands before the field.
    """
    source = record.config.chat_template
    if isinstance(source, str) and len(source) <= TEXTS["chat_template"]:
        # Not on the event loop: a long template takes a second or two.
        await asyncio.to_thread(compile_template, where + FIELD, source)


def compile_template(field: str, source: str) -> None:
    """InvalidRequestError of ``field`` where that fails."""
    from llm_runner_router.prompt import (  # noqa: PLC0415 - loads Jinja, and few records have one
        ChatTemplate,
        ChatTemplateError,
    )

    try:
        ChatTemplate(source, bos_token="", eos_token="")
    except ChatTemplateError as error:
        raise InvalidRequestError(field, source, f"a chat template in Jinja ({error})") from None
