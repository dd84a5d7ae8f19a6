"""Texts that show whether two tokenizers are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llm_runner_router.checkpoints.faults import unsupported
from llm_runner_router.checkpoints.file_names import TOKENIZER
from llm_runner_router.checkpoints.library_tokenizer import LibraryTokenizer
from llm_runner_router.checkpoints.tokenizer_json import TokenizerJson
from llm_runner_router.tokenizer import Tokenizer, TokenizerError
from llm_runner_router.tokenizer.metadata import Metadata

TEXTS = (
    "Hello, world! It's 10:42, isn't it? I'LL say: we've got 3 or 4 of 1,000,000.",
    "  two spaces before,   three between, and one behind ",
    "\ttabs\tand\nlines\n\n\r\n  \n end\n",
    "def f(x: int) -> str:\n    return f'{x!r:>{10}}' if x != 0x1F else \"\"  # ok\n",
    "Zażółć gęślą jaźń. Übergrößenträger; ça été; ñandú; İstanbul; ǆ.",
    "Быстрая лиса, Ελλάδα, עברית, العربية, हिन्दी, ไทย, 中文字符, 日本語のテキスト, 한국어",
    "emoji: 🙂👍🏽👩‍👩‍👧 — “quotes” … № ½ ² ａｂｃ ﬁ e\u0301 \u00a0nbsp\u200bzero\u2028line",  # noqa: RUF001
    "aaaaaaaaaaaaaaaaaaaaaaaa 11111111111111 ???!!!... ((([[[{{{ a1b2c3 CamelCaseWord snake_case_x",
    "https://example.org/a?b=c&d=%20#e user@example.org $12.50 50% \\alpha ^_^ <tag/> \x01\x7f",
    " a", "a", "1", "'s", "▁", " ",
)  # fmt: skip
MOST_ADDED = 64
MOST_OF_VOCABULARY = 4096


def check_same(theirs: LibraryTokenizer, tokenizer: TokenizerJson, metadata: Metadata) -> None:
    """UnsupportedError unless both tokenizers give the same ids for many texts, special ones too.

    Args:
        theirs: that of the checkpoint; its normalizer and pre-tokenizer are known ones.
        tokenizer: what its file says.
        metadata: that of the GGUF file.
    """
    try:
        ours = Tokenizer.from_metadata(metadata)
        for text in probes(tokenizer):
            expected = theirs.ids(text, add_special=True)
            found = ours.encode(text, parse_special=True)
            if found != expected:
                message = f"{text[:60]!r} becomes {found[:12]} instead of {expected[:12]}"
                raise unsupported(TOKENIZER, message, "tokenizers whose tokens are the same here")
    except TokenizerError as error:
        raise unsupported(TOKENIZER, str(error), "tokenizers that GGUF can hold") from None


def probes(tokenizer: TokenizerJson) -> Iterator[str]:
    """Ordinary texts, added tokens among them, and words made of the vocabulary's own pieces."""
    yield from TEXTS
    for token in tokenizer.added[:MOST_ADDED]:
        yield f"a{token.text}b {token.text} c{token.text}"
    texts = list(tokenizer.vocabulary)
    step = max(1, len(texts) // MOST_OF_VOCABULARY)
    pieces = [readable(text) for text in texts[::step]]
    for first in range(0, len(pieces), 16):
        yield "".join(pieces[first : first + 16])


def readable(piece: str) -> str:
    """A token of the vocabulary as it stands in texts, about."""
    return piece.replace("Ġ", " ").replace("Ċ", "\n").replace("▁", " ")


def affixes_of(theirs: LibraryTokenizer) -> tuple[Sequence[int], Sequence[int]]:
    """The tokens that the tokenizer puts before a text and behind it."""
    bare, whole = theirs.ids("a"), theirs.ids("a", add_special=True)
    for first in range(len(whole) - len(bare) + 1):
        if whole[first : first + len(bare)] == bare:
            return whole[:first], whole[first + len(bare) :]
    raise unsupported(f"{TOKENIZER}: post_processor", whole, "tokens before and behind a text")
