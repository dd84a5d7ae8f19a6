"""The one error of chat templates."""

from __future__ import annotations


class ChatTemplateError(ValueError):
    """The template is broken, forbidden or too costly, or rejects the conversation."""
