"""The one error of the tokenizer."""

from __future__ import annotations

from llm_runner_router.errors import shorten


class TokenizerError(ValueError):
    """A metadata key, a text or a token id is not what the tokenizer can work with."""

    def __init__(self, key: str, value: object, allowed: str) -> None:
        super().__init__(f"{key}: {shorten(value)} is not allowed; allowed: {allowed}")
        self.key = key
        self.value = value
        self.allowed = allowed
