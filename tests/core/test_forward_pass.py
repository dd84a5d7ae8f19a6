"""Same tokens, same bits: whatever else is in the batch, in whichever chunks, from whose blocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core import forward
from core.random_gpt2 import RandomGpt2
from core.random_llama import RandomLlama
from core.random_model import RandomModel, Sizes
from llm_runner_router import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOCABULARY = 320
ROWS_OF_256 = Sizes(
    embedding=256, feed_forward=256, head_dim=64, vocabulary=VOCABULARY, context=512
)
KINDS = ["f32", "f16", "q8_0", "q4_K", "q6_K", "gpt2-f32"]
TOKENS = forward.random_tokens(150, VOCABULARY)
BLOCKS = list(range(10))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder: Path = tmp_path_factory.mktemp("models")
    return {kind: made(kind).write(folder / f"{kind}.gguf") for kind in KINDS}


def made(kind: str) -> RandomModel:
    if kind.startswith("gpt2-"):
        return RandomGpt2(replace(ROWS_OF_256, kv_heads=4), matrices=kind.removeprefix("gpt2-"))
    return RandomLlama(ROWS_OF_256, matrices=kind)


@pytest.mark.parametrize("kv_type", ["f32", "f16"])
@pytest.mark.parametrize("kind", KINDS)
class TestBitIdentity:
    def model(self, models: dict[str, Path], kind: str, kv_type: str) -> Any:
        return forward.load(models[kind], kv_type=kv_type, blocks=128)

    def test_in_chunks(self, models: dict[str, Path], kind: str, kv_type: str) -> None:
        model = self.model(models, kind, kv_type)
        alone = forward.whole(model, TOKENS)
        for size in (1, 7, 64):
            # Other blocks, in another order: what is left of the first pass must not matter.
            blocks = [40 + 10 * (size % 3) + block for block in reversed(BLOCKS)]
            parts = [
                forward.logits(model, (part := TOKENS[at : at + size], at, blocks, len(part)))
                for at in range(0, len(TOKENS), size)
            ]
            assert (np.concatenate(parts) == alone).all()

    def test_in_company(self, models: dict[str, Path], kind: str, kv_type: str) -> None:
        model = self.model(models, kind, kv_type)
        alone = forward.whole(model, TOKENS)
        others = [forward.random_tokens(count, VOCABULARY, count) for count in (1, 33, 90)]
        found = forward.logits(
            model,
            (others[0], 0, [20], 1),
            (others[1], 0, [21, 22, 23], 0),
            (TOKENS, 0, list(range(50, 60)), len(TOKENS)),
            (others[2], 0, list(range(30, 36)), 90),
        )
        assert (found[1 : 1 + len(TOKENS)] == alone).all()

    def test_after_a_shared_prefix(self, models: dict[str, Path], kind: str, kv_type: str) -> None:
        model = self.model(models, kind, kv_type)
        alone = forward.whole(model, TOKENS)
        shared = 6 * forward.BLOCK_SIZE
        rest = TOKENS[shared:]
        blocks = [*BLOCKS[:6], 70, 71, 72, 73]
        found = forward.logits(
            model, ([5], 0, [80], 0), (rest, shared, blocks, len(rest)), ([9], 0, [81], 1)
        )
        assert (found[: len(rest)] == alone[shared:]).all()

    def test_only_the_last_rows(self, models: dict[str, Path], kind: str, kv_type: str) -> None:
        model = self.model(models, kind, kv_type)
        alone = forward.whole(model, TOKENS)
        assert (forward.logits(model, (TOKENS, 0, BLOCKS, 3)) == alone[-3:]).all()
        assert forward.logits(model, (TOKENS[:-1], 0, BLOCKS, 0)).shape == (0, VOCABULARY)
        last = (TOKENS[-1:], len(TOKENS) - 1, BLOCKS, 1)
        assert (forward.logits(model, last) == alone[-1]).all()


def test_chunks_do_matter_to_other_tokens(models: dict[str, Path]) -> None:
    """So that the comparisons above can fail."""
    model = forward.load(models["f32"])
    alone = forward.whole(model, TOKENS)
    changed = [TOKENS[0] ^ 1, *TOKENS[1:]]
    assert not (forward.whole(model, changed) == alone).all(axis=-1).any()


@pytest.mark.parametrize("attention", ["paged", "ggml"])
def test_both_kinds_of_attention_take_mixed_batches(
    models: dict[str, Path], attention: str
) -> None:
    """More runs of equally long items than one graph of ggml's attention holds, some padded."""
    model = forward.load(models["f32"], attention=attention, blocks=256)
    lengths = [1, 1, 3, 1, 2, 5, 1, 7, 2, 9, 4, 30, 1]
    prompts = [forward.random_tokens(20 + i + n, VOCABULARY, i) for i, n in enumerate(lengths)]
    tables = [list(range(8 * i, 8 * i + 8)) for i in range(len(lengths))]
    warm = [
        (tokens[:-count], 0, table, 0)
        for tokens, table, count in zip(prompts, tables, lengths, strict=True)
    ]
    forward.logits(model, *warm)
    batch = [
        (tokens[-count:], len(tokens) - count, table, 1)
        for tokens, table, count in zip(prompts, tables, lengths, strict=True)
    ]
    found = forward.logits(model, *batch)
    peer = forward.load(models["f32"])
    expected = np.array([forward.whole(peer, tokens)[-1] for tokens in prompts])
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize(
    "name", ["token_embd.weight", "blk.0.attn_q.weight", "blk.1.ffn_norm.weight", "output.weight"]
)
@pytest.mark.parametrize("attention", ["paged", "ggml"])
def test_weights_that_are_no_numbers_end_nothing(
    tmp_path: Path, value: float, name: str, attention: str
) -> None:
    spoiled = RandomLlama()
    spoiled.tensors[name][:] = value
    path = spoiled.write(tmp_path / "model.gguf")
    found = forward.whole(forward.load(path, attention=attention, kv_type="f16"), list(range(40)))
    assert found.shape == (40, 40)
    if np.isnan(value):
        assert np.isnan(found).all()
    elif np.isinf(value):
        assert not np.isfinite(found).all()


def run(models: dict[str, Path], *items: Any, **options: Any) -> NDArray[np.float32]:
    return forward.logits(forward.load(models["f32"], blocks=4, **options), *items)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "0 tokens"),
        ([([], 0, [0], 0)], "an item of 0 tokens"),
        ([([1], -1, [0], 0)], "at position -1"),
        ([([1], 0, [0], 2)], "with 2 outputs"),
        ([([1], 0, [0], -1)], "with -1 outputs"),
        ([([VOCABULARY], 0, [0], 1)], f"token {VOCABULARY} of {VOCABULARY}"),
        ([([-1], 0, [0], 1)], "token -1"),
        ([([1], 0, [4], 1)], "block 4 of 4"),
        ([([1], 0, [-1], 1)], "block -1"),
        ([([1], 16, [0], 1)], "covers 16 of 17 positions"),
        ([([1], 2**31 - 1, [0] * 4, 1)], "covers 64 of 2147483648"),
        ([([1] * 9, 0, [0], 1)], "9 tokens in 1 items; allowed: 1 to 8"),
    ],
)
def test_a_bad_batch_is_refused(models: dict[str, Path], items: list[Any], message: str) -> None:
    with pytest.raises(_core.CoreError, match=message) as caught:
        run(models, *items, batch_tokens=8)
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "BATCH_INVALID")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"threads": 0}, "RUNNER_CONFIG"),
        ({"threads": 100_000}, "RUNNER_CONFIG"),
        ({"batch_tokens": 0}, "RUNNER_CONFIG"),
        ({"blocks": 0}, "KV_CONFIG"),
        ({"block_size": 0}, "KV_CONFIG"),
        ({"blocks": 2**31 - 1}, "KV_CONFIG"),
        ({"kv_type": "q8_0"}, "KV_TYPE_UNKNOWN"),
        ({"attention": "flash"}, "ATTENTION_UNKNOWN"),
    ],
)
def test_a_bad_configuration_is_refused(
    models: dict[str, Path], options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(_core.CoreError) as caught:
        forward.load(models["f32"], **options)
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", reason)


def test_a_file_that_shrinks_is_data_loss(models: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(models["f32"].read_bytes())
    model = forward.load(path)
    forward.whole(model, TOKENS[:4])
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4096 * 4096)
    with pytest.raises(_core.CoreError) as caught:
        forward.whole(model, TOKENS[:4])
    assert (caught.value.code, caught.value.reason) == ("DATA_LOSS", "MODEL_FILE_TRUNCATED")
