"""Chat templates of records, seen to be templates before they are kept."""

from __future__ import annotations

from llm_runner_router.errors import InvalidRequestError


def check_chat_template(field: str, source: str) -> None:
    """InvalidRequestError where ``source`` is no template in Jinja that can be compiled."""
    from llm_runner_router.prompt import (  # noqa: PLC0415 - loads Jinja, and few records have one
        ChatTemplate,
        ChatTemplateError,
    )

    try:
        ChatTemplate(source, bos_token="", eos_token="")
    except ChatTemplateError as error:
        raise InvalidRequestError(field, source, f"a chat template in Jinja ({error})") from None
