"""The public class: one vocabulary, text to ids and ids to text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from llm_runner_router.tokenizer.bpe import bpe_token_bytes, build_bpe, missing_bytes
from llm_runner_router.tokenizer.errors import TokenizerError
from llm_runner_router.tokenizer.metadata import Metadata, MetadataReader, is_unicode
from llm_runner_router.tokenizer.pre_tokenizers import PRE_TOKENIZER_KEY, pre_tokenizer_rule
from llm_runner_router.tokenizer.special_tokens import Match, SpecialTokenFinder
from llm_runner_router.tokenizer.spm import SPACE, build_spm, spm_token_bytes
from llm_runner_router.tokenizer.vocabulary import (
    CONTROL_KINDS,
    DefaultIds,
    TokenKind,
    Vocabulary,
    read_vocabulary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokenizers import Tokenizer as HfTokenizer

    class _Encode(Protocol):
        def __call__(self, text: str, /, *, first: bool) -> list[int]: ...


MODEL_KEY = "tokenizer.ggml.model"
ADD_BOS_KEY = "tokenizer.ggml.add_bos_token"
ADD_EOS_KEY = "tokenizer.ggml.add_eos_token"
ADD_SPACE_KEY = "tokenizer.ggml.add_space_prefix"
SPACE_RULE_KEY = "llm_runner_router.tokenizer.space_prefix"
"""Our own key, in files that are converted here: which texts the space is put before.

``first``: only what begins the whole text; ``each``: also what follows a special token. Neither
where the text begins with a space. Without the key, as llama.cpp: each, whatever it begins with.
"""

_ASCII_SPACE = " \t\n\v\f\r"
# Phi-3 was trained with the space behind special tokens eaten, and GGUF has no field to say so.
_STRIPPING_MODELS = ("phi-3", "phi3")
_NOT_STRIPPING = ("<unk>", "<s>", "<|endoftext|>")


@dataclass(frozen=True)
class _Parts:
    """What differs between the kinds of vocabulary."""

    vocabulary: Vocabulary
    model: HfTokenizer
    token_bytes: Callable[[str, TokenKind], bytes]
    missing_bytes: bytes
    leading_space: bool
    add_bos: bool
    space_rule: Literal["", "first", "each"] = ""


class Tokenizer:
    """A vocabulary of a GGUF file. Immutable and thread-safe."""

    def __init__(self, parts: _Parts, reader: MetadataReader) -> None:
        """Use :meth:`from_metadata`."""
        vocabulary = parts.vocabulary
        self._vocabulary = vocabulary
        self._model = parts.model
        self._missing_bytes = parts.missing_bytes
        self._leading_space = parts.leading_space
        self._space_rule = parts.space_rule
        self._control = SpecialTokenFinder(vocabulary.of_kinds(*CONTROL_KINDS))
        self._user_defined = SpecialTokenFinder(vocabulary.of_kinds(TokenKind.USER_DEFINED))
        self._stripping = _stripping_ids(reader, vocabulary)
        self._add_bos = _adds(reader, ADD_BOS_KEY, vocabulary.bos_id, default=parts.add_bos)
        self._add_eos = _adds(reader, ADD_EOS_KEY, vocabulary.eos_id, default=False)
        self._bytes = tuple(
            parts.token_bytes(text, kind)
            for text, kind in zip(vocabulary.texts, vocabulary.kinds, strict=True)
        )

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Tokenizer:
        """The tokenizer that the metadata of a GGUF file describes.

        Raises:
            TokenizerError: a key is missing, of the wrong type, or its value makes no sense.
        """
        reader = MetadataReader(metadata)
        build = {"gpt2": _bpe_parts, "llama": _spm_parts}[model_name(reader)]
        return cls(build(reader), reader)

    @property
    def vocab_size(self) -> int:
        """Ids go from 0 to one less."""
        return len(self._bytes)

    @property
    def bos_id(self) -> int | None:
        """The token that begins a text."""
        return self._vocabulary.bos_id

    @property
    def eos_id(self) -> int | None:
        """The token that ends a text."""
        return self._vocabulary.eos_id

    @property
    def eot_id(self) -> int | None:
        """The token that ends a turn of a conversation."""
        return self._vocabulary.eot_id

    @property
    def eom_id(self) -> int | None:
        """The token that ends a message inside a turn."""
        return self._vocabulary.eom_id

    @property
    def unknown_id(self) -> int | None:
        """The token for what the vocabulary cannot express."""
        return self._vocabulary.unknown_id

    @property
    def padding_id(self) -> int | None:
        """The token that fills up batches in training."""
        return self._vocabulary.padding_id

    @property
    def end_of_generation_ids(self) -> frozenset[int]:
        """Tokens that end an answer: those that the file names and those of well-known texts.

        A token of a well-known text is a control token whatever type the file gives it.
        """
        return self._vocabulary.end_of_generation_ids

    @property
    def add_bos(self) -> bool:
        """Whether a prompt of this model begins with :attr:`bos_id`."""
        return self._add_bos

    @property
    def leading_space(self) -> bool:
        """Whether encoding puts a space before the text, which :meth:`decode` takes away again.

        :meth:`token_bytes` keeps it: concatenated to the text of the prompt, a streamed answer
        continues it exactly, so an answer may begin with the space between two words. Only bytes
        that begin a text of their own (nothing or a control token before them) carry a space that
        nobody wrote.
        """
        return self._leading_space

    def token_text(self, token: int) -> str:
        """The token as the vocabulary spells it."""
        return self._vocabulary.texts[self._check(token)]

    def token_bytes(self) -> list[bytes]:
        """The bytes that each id adds to streamed text; may cut a UTF-8 sequence.

        Empty for control, unknown and unused tokens.
        """
        return list(self._bytes)

    def encode(
        self, text: str, *, add_special: bool = True, parse_special: bool = False
    ) -> list[int]:
        """The ids of ``text``.

        Args:
            text: any text without lone surrogates.
            add_special: add the BOS and EOS that the model wants.
            parse_special: the texts of control tokens become those tokens. Otherwise they are
                plain text, so what a user writes never becomes a control token.

        Raises:
            TokenizerError: the text cannot be expressed in this vocabulary.
        """
        return self.encode_segments([(text, parse_special)], add_special=add_special)

    def encode_segments(
        self, segments: Iterable[tuple[str, bool]], *, add_special: bool = True
    ) -> list[int]:
        """The ids of the concatenated texts of ``(text, trusted)`` segments.

        Only trusted segments may hold control tokens, and none spans a border. Everything else
        is encoded across the borders, as if they were not there.

        Raises:
            TokenizerError: the text cannot be expressed in this vocabulary.
        """
        pieces = list(segments)
        text = "".join(piece for piece, _ in pieces)
        self._check_text(text)
        ids = self._cut(text, self._control_matches(pieces), self._encode_plain)
        if add_special and self._add_bos and self.bos_id is not None:
            ids.insert(0, self.bos_id)
        if add_special and self._add_eos and self.eos_id is not None:
            ids.append(self.eos_id)
        return ids

    def decode(self, ids: Sequence[int], *, skip_special: bool = True) -> str:
        """The text of ``ids``; bytes that are no UTF-8 become U+FFFD.

        Args:
            ids: token ids.
            skip_special: leave control tokens out rather than show their names.

        Raises:
            TokenizerError: an id is not of this vocabulary.
        """
        parts = [self._piece(self._check(token), skip_special=skip_special) for token in ids]
        text = b"".join(parts).decode(errors="replace")
        starts_plain = skip_special or not ids or not self._is_control(ids[0])
        return text[1:] if self._leading_space and starts_plain and text[:1] == " " else text

    def find_control(self, text: str) -> list[tuple[int, int]]:
        """Where ``text`` spells control tokens: (start, end), leftmost and longest first."""
        return [(match.start, match.end) for match in self._control.find(text)]

    def control_texts(self) -> list[str]:
        """The texts of all control tokens."""
        return list(self._vocabulary.of_kinds(*CONTROL_KINDS))

    def _control_matches(self, pieces: Sequence[tuple[str, bool]]) -> list[Match]:
        matches = []
        offset = 0
        for piece, trusted in pieces:
            found = self._control.find(piece) if trusted else []
            matches += [Match(m.start + offset, m.end + offset, m.token) for m in found]
            offset += len(piece)
        return matches

    def _encode_plain(self, text: str, *, first: bool = True) -> list[int]:
        return self._cut(text, self._user_defined.find(text), self._encode_run, first=first)

    def _encode_run(self, text: str, *, first: bool) -> list[int]:
        wanted = self._space_rule == "each" or (first and self._space_rule == "first")
        if wanted and not text.startswith((" ", SPACE)):
            text = f" {text}"
        # A batch of one: only batches let other threads, such as the event loop's, run meanwhile.
        (encoding,) = self._model.encode_batch_fast([text], add_special_tokens=False)
        return list(encoding.ids)

    def _cut(
        self, text: str, matches: Sequence[Match], encode: _Encode, *, first: bool = True
    ) -> list[int]:
        """``encode`` for what lies between the matches, the matched tokens in their places.

        It is told whether a piece begins the whole text, which ``text`` itself does if ``first``.
        """
        ids: list[int] = []
        cursor = 0
        for match in matches:
            if match.start < cursor:  # its beginning was eaten as space behind the one before
                continue
            if match.start > cursor:
                ids += encode(text[cursor : match.start], first=first and cursor == 0)
            ids.append(match.token)
            cursor = self._skip_space(text, match)
        if cursor < len(text):
            ids += encode(text[cursor:], first=first and cursor == 0)
        return ids

    def _skip_space(self, text: str, match: Match) -> int:
        cursor = match.end
        if match.token in self._stripping:
            while cursor < len(text) and text[cursor] in _ASCII_SPACE:
                cursor += 1
        return cursor

    def _piece(self, token: int, *, skip_special: bool) -> bytes:
        if skip_special or not self._is_control(token):
            return self._bytes[token]
        return self._vocabulary.texts[token].encode()

    def _is_control(self, token: int) -> bool:
        return self._vocabulary.kinds[token] in CONTROL_KINDS

    def _check(self, token: int) -> int:
        if not 0 <= token < self.vocab_size:
            raise TokenizerError("token id", token, f"0 to {self.vocab_size - 1}")
        return token

    def _check_text(self, text: str) -> None:
        if not is_unicode(text):
            raise TokenizerError("text", text, "Unicode without lone surrogates")
        if not self._missing_bytes:
            return
        # Better an error than an answer to a text with holes.
        for byte in sorted(set(text.encode()) & set(self._missing_bytes)):
            raise TokenizerError("text", bytes([byte]), "bytes that have a token in the vocabulary")


def model_name(reader: MetadataReader) -> Literal["gpt2", "llama"]:
    """Which kind of tokenizer the file wants; TokenizerError for those that are not there."""
    match reader.text(MODEL_KEY):
        case "gpt2" | "llama" as name:
            return name
        case other:
            raise TokenizerError(MODEL_KEY, other, "gpt2, llama")


def _bpe_parts(reader: MetadataReader) -> _Parts:
    rule = pre_tokenizer_rule(reader.text(PRE_TOKENIZER_KEY, "default"))
    vocabulary = read_vocabulary(reader, DefaultIds())
    return _Parts(
        vocabulary=vocabulary,
        model=build_bpe(reader, vocabulary, rule),
        token_bytes=bpe_token_bytes,
        missing_bytes=missing_bytes(vocabulary),
        leading_space=False,
        add_bos=rule.add_bos,
    )


def _spm_parts(reader: MetadataReader) -> _Parts:
    vocabulary = read_vocabulary(reader, DefaultIds(bos=1, eos=2, unknown=0))
    leading_space = reader.boolean(ADD_SPACE_KEY) is not False
    rule = _space_rule(reader)
    return _Parts(
        vocabulary=vocabulary,
        model=build_spm(reader, vocabulary, space_prefix=leading_space and not rule),
        token_bytes=spm_token_bytes,
        missing_bytes=b"",
        leading_space=leading_space,
        add_bos=True,
        space_rule=rule if leading_space else "",
    )


def _space_rule(reader: MetadataReader) -> Literal["", "first", "each"]:
    match reader.text(SPACE_RULE_KEY, ""):
        case "" | "first" | "each" as rule:
            return rule
        case other:
            raise TokenizerError(SPACE_RULE_KEY, other, "first, each")


def _adds(reader: MetadataReader, key: str, token: int | None, *, default: bool) -> bool:
    given = reader.boolean(key)
    if given and token is None:
        raise TokenizerError(key, given, "false, where the vocabulary names no such token")
    return default and token is not None if given is None else given


def _stripping_ids(reader: MetadataReader, vocabulary: Vocabulary) -> frozenset[int]:
    name = reader.text("general.name", "").lower()
    if not any(model in name for model in _STRIPPING_MODELS):
        return frozenset()
    special = vocabulary.of_kinds(*CONTROL_KINDS, TokenKind.USER_DEFINED)
    return frozenset(token for text, token in special.items() if text not in _NOT_STRIPPING)
