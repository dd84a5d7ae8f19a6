"""What turns texts into tokens for a pipeline's tokenizer: the checkpoint's files, or the model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from llm_runner_router.checkpoints.chat_template import chat_template
from llm_runner_router.checkpoints.file_names import TOKENIZER
from llm_runner_router.checkpoints.library_tokenizer import LibraryTokenizer
from llm_runner_router.checkpoints.text_file import read_text
from llm_runner_router.checkpoints.tokenizer_metadata import settings_of
from llm_runner_router.compat.router_thread import RouterThread
from llm_runner_router.errors import UnsupportedError

NO_FOLDER = "is not known of a model that is no folder of this machine"


class Vocabulary(Protocol):
    """RouterErrors say what is wrong, and what is not known here."""

    def ids(self, text: str, *, add_special: bool) -> Sequence[int]:
        """The tokens of a text; the texts of special tokens become those tokens."""
        ...

    def text(self, ids: Sequence[int], *, skip_special: bool) -> str:
        """The text of tokens."""
        ...

    def id_of(self, token: str) -> int | None:
        """The token that is spelled so; ``None`` where there is none."""
        ...

    def template(self) -> str | None:
        """The chat template in Jinja; ``None`` where there is none."""
        ...


class FolderVocabulary:
    """That of the checkpoint in ``folder``, read when it is first used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _library(self) -> LibraryTokenizer:
        return LibraryTokenizer(read_text(self._folder / TOKENIZER))

    def ids(self, text: str, *, add_special: bool) -> Sequence[int]:
        """See Vocabulary."""
        return self._library.ids(text, add_special=add_special)

    def text(self, ids: Sequence[int], *, skip_special: bool) -> str:
        """See Vocabulary."""
        return self._library.text(ids, skip_special=skip_special)

    def id_of(self, token: str) -> int | None:
        """See Vocabulary."""
        return self._library.id_of(token)

    def template(self) -> str | None:
        """See Vocabulary."""
        return chat_template(self._folder, settings_of(self._folder))


class ServedVocabulary:
    """That of a registered model, by what its router tells of it."""

    def __init__(self, thread: RouterThread, model: str) -> None:
        self._thread = thread
        self._model = model

    def ids(self, text: str, *, add_special: bool) -> Sequence[int]:
        """See Vocabulary."""
        return self._thread.run(
            lambda router: router.tokenize(
                text, model=self._model, add_special=add_special, parse_special=True
            )
        )

    def text(self, ids: Sequence[int], *, skip_special: bool) -> str:
        """See Vocabulary. The router leaves special tokens out."""
        if not skip_special:
            raise UnsupportedError(
                f"tokenizer: the text of special tokens {NO_FOLDER}; say skip_special_tokens=True"
            )
        if not ids:
            return ""
        return self._thread.run(lambda router: router.detokenize(ids, model=self._model))

    def id_of(self, token: str) -> int | None:
        """See Vocabulary. Special tokens are known by having no text of their own."""
        ids = self.ids(token, add_special=False)
        if len(ids) == 1 and not self.text(ids, skip_special=True):
            return ids[0]
        raise UnsupportedError(f"tokenizer: the id of a token that is not special {NO_FOLDER}")

    def template(self) -> str | None:
        """See Vocabulary."""
        raise UnsupportedError(
            f"tokenizer: the chat template {NO_FOLDER}; give the pipeline the messages themselves"
        )
