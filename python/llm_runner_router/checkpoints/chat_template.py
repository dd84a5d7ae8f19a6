"""The chat template of a checkpoint: chat_template.jinja, else that of tokenizer_config.json."""

from __future__ import annotations

from pathlib import Path

from llm_runner_router.checkpoints.faults import damaged
from llm_runner_router.checkpoints.fields import Fields, is_unicode
from llm_runner_router.checkpoints.file_names import JINJA, JSON
from llm_runner_router.checkpoints.text_file import read_object, read_text

KEY = "tokenizer.chat_template"
MAX_LETTERS = 1 << 20


def chat_template(folder: Path, settings: Fields) -> str | None:
    """The template in Jinja, of several the ``default`` one; ``None`` where there is none."""
    if (folder / JINJA).exists():
        return checked(JINJA, read_text(folder / JINJA))
    if settings.has("chat_template"):
        return of_value(settings.file, settings.raw("chat_template"))
    if (folder / JSON).exists():
        return of_value(JSON, read_object(folder / JSON).get("chat_template"))
    return None


def of_value(file: str, value: object) -> str | None:
    """A template, or a list of them by name."""
    match value:
        case None:
            return None
        case str(text):
            return checked(file, text)
        case list(entries):
            for entry in entries:
                match entry:
                    case {"name": "default", "template": str(text)}:
                        return checked(file, text)
            return None
        case _:
            raise damaged(file, "chat_template is no text")


def checked(file: str, text: str) -> str:
    """A template of reasonable length; an empty one is none."""
    if len(text) > MAX_LETTERS or not is_unicode(text):
        raise damaged(file, f"the chat template is no text of at most {MAX_LETTERS} letters")
    return text
