"""The tokenizer of a checkpoint as its own library understands it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tokenizers import Tokenizer

from llm_runner_router.checkpoints.faults import damaged
from llm_runner_router.checkpoints.file_names import TOKENIZER

PANIC = "PanicException"
"""What the library raises where it meant to end the process: no Exception, and of no module."""


class LibraryTokenizer:
    """Of the content of tokenizer.json; ModelFileError for whatever the library does with it.

    Texts are neither cut nor filled up, whatever the file says: Transformers does so only when a
    call asks for it.
    """

    def __init__(self, content: str) -> None:
        with refused():
            self._tokenizer = Tokenizer.from_str(content)
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()

    def ids(self, text: str, *, add_special: bool = False) -> Sequence[int]:
        """The tokens of a text."""
        with refused():
            found: Sequence[int] = self._tokenizer.encode(text, add_special_tokens=add_special).ids
            return found

    def text(self, ids: Sequence[int], *, skip_special: bool) -> str:
        """The text of tokens; ids that there are not have none."""
        with refused():
            found: str = self._tokenizer.decode(ids, skip_special_tokens=skip_special)
            return found

    def id_of(self, token: str) -> int | None:
        """The token that the file spells so."""
        with refused():
            found: int | None = self._tokenizer.token_to_id(token)
            return found


@contextmanager
def refused() -> Iterator[None]:
    """Errors of the library, which raises nothing more special, and its panics."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != PANIC:
            raise
        raise damaged(TOKENIZER, f"its library refuses it: {str(error)[:200]}") from None
