"""Small vocabularies in the shape of GGUF metadata."""

from __future__ import annotations

from typing import Any

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def byte_letters() -> list[str]:
    """GPT-2's letter for each byte, in the order of the bytes."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = iter(range(256, 512))
    return [chr(byte if byte in kept else next(moved)) for byte in range(256)]


def bpe(
    merges: list[str] | None = None, control: list[str] | None = None, **values: Any
) -> dict[str, Any]:
    """A byte-level vocabulary: 256 bytes, then merges, then control tokens.

    Keyword arguments are keys under ``tokenizer.ggml``; None takes a key away.
    """
    merges = ["h e", "l l", "he ll", "hell o", "Ġ w", "o r", "< |"] if merges is None else merges
    control = ["<|start|>", "<|im_end|>", "<s>"] if control is None else control
    tokens = [*byte_letters(), *(merge.replace(" ", "") for merge in merges), *control]
    kinds = [NORMAL] * (len(tokens) - len(control)) + [CONTROL] * len(control)
    return _metadata(
        {
            "model": "gpt2",
            "pre": "gpt-2",
            "tokens": tokens,
            "token_type": kinds,
            "merges": merges,
        }
        | values
    )


def spm(pieces: list[str] | None = None, **values: Any) -> dict[str, Any]:
    """A SentencePiece vocabulary: three special tokens, 256 bytes, the pieces, best first."""
    pieces = ["▁hello", "▁he", "llo", "▁h", "ll", *"▁helo<s/>"] if pieces is None else pieces
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *pieces]
    kinds = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, *[NORMAL] * len(pieces)]
    scores = [0.0] * 259 + [-float(place) for place in range(len(pieces))]
    return _metadata(
        {
            "model": "llama",
            "tokens": tokens,
            "token_type": kinds,
            "scores": scores,
            "bos_token_id": 1,
            "eos_token_id": 2,
        }
        | values
    )


def _metadata(values: dict[str, Any]) -> dict[str, Any]:
    return {f"tokenizer.ggml.{key}": value for key, value in values.items() if value is not None}
