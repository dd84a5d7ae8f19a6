"""The text of LangChain's messages; other modalities are refused."""

from __future__ import annotations

from collections.abc import Mapping

from llm_runner_router.errors import InvalidRequestError, UnsupportedError, shorten

CALLS = frozenset(
    ("tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call")
)
"""Calls of tools in an assistant's content: the message's own list of calls has them too."""

THOUGHTS = frozenset(("thinking", "redacted_thinking", "reasoning", "reasoning_content"))
"""What the model thought; it is not said again."""

NOT_SAID = CALLS | THOUGHTS


def text_of(content: object, path: str, *, but: frozenset[str] = frozenset()) -> str:
    """The text of a message's content: a text, or a list of texts and blocks.

    Blocks of the types ``but`` are left out. UnsupportedError names a block of another modality,
    InvalidRequestError what is no content at all.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise InvalidRequestError(path, content, "text, or a list of content blocks")
    return "".join(
        block_text(block, f"{path}[{index}]", but) for index, block in enumerate(content)
    )


def block_text(block: object, path: str, but: frozenset[str]) -> str:
    """The text of one block."""
    if isinstance(block, str):
        return block
    if not isinstance(block, Mapping):
        raise InvalidRequestError(path, block, "text, or a content block")
    kind = block.get("type")
    if kind in but:
        return ""
    if kind != "text":
        raise UnsupportedError(
            f"{path}.type: {shorten(kind)} is not offered; allowed: text (images, audio, video "
            "and files cannot be sent)"
        )
    text = block.get("text")
    if not isinstance(text, str):
        raise InvalidRequestError(f"{path}.text", text, "text")
    return text
