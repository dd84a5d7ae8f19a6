"""The errors of chat templates."""

from __future__ import annotations


class ChatTemplateError(ValueError):
    """The template is broken, forbidden or too costly, or rejects the conversation."""


class GoTemplateError(ChatTemplateError):
    """A Go template is broken, or has what cannot be translated; both counted from 1."""

    def __init__(self, line: int, column: int, problem: str) -> None:
        super().__init__(f"line {line}, column {column} of the Go template: {problem}")
        self.line = line
        self.column = column
