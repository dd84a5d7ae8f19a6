"""The demo model as it ships: its score, its text in llama.cpp, and what it is without a layer."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import gguf
import pytest
from benchmarks.demo_model.questions import held_out_answers

from golden import llama_cpp
from llm_runner_router import _core
from llm_runner_router.demo import demo_model_path
from llm_runner_router.providers.prompt_encoder import PromptEncoder
from llm_runner_router.router import LLMRouter
from llm_runner_router.tokenizer import Tokenizer
from llm_runner_router.types import FinishReason, Request, Response

LONGEST_ANSWER = 100  # tokens, more than any right answer has
SCORE = 80  # of 100
SAMPLE = 20
LAYERS = int(gguf.GGUFReader(demo_model_path()).fields["llama.block_count"].contents())


async def answers(model: Path, questions: Sequence[str]) -> list[Response]:
    """Greedy answers of our own engine."""
    async with LLMRouter({"engine": {"threads": 1}}) as router:
        await router.register_model("demo", model)
        requests = [
            Request(prompt=question, max_tokens=LONGEST_ANSWER, temperature=0)
            for question in questions
        ]
        found = await router.process_batch(requests)
    return [answer for answer in found if isinstance(answer, Response)]


def questions(every: int = 1) -> tuple[list[str], list[str]]:
    """Held-out questions and their right answers."""
    pairs = held_out_answers()[::every]
    return [question for question, _ in pairs], [answer for _, answer in pairs]


def right(found: Sequence[Response], expected: Sequence[str]) -> int:
    return sum(answer.response == text for answer, text in zip(found, expected, strict=True))


async def test_eighty_of_a_hundred_held_out_questions_are_answered() -> None:
    asked, expected = questions()
    assert len(asked) == 100
    found = await answers(demo_model_path(), asked)
    assert right(found, expected) >= SCORE
    ended = [answer for answer in found if answer.finish_reason is FinishReason.STOP]
    assert len(ended) >= 95, "answers that do not end"


async def test_llama_cpp_says_the_same() -> None:
    asked, _ = questions(every=100 // SAMPLE)
    found = await answers(demo_model_path(), asked)
    file = _core.GgufFile(demo_model_path())
    tokenizer = Tokenizer.from_metadata(file.metadata)
    encoder = PromptEncoder(tokenizer, file.metadata)
    with llama_cpp.serve(demo_model_path(), len(tokenizer.token_bytes()), "f16") as peer:
        for question, ours in zip(asked, found, strict=True):
            prompt = encoder.encode(Request(prompt=question))
            assert len(prompt) == ours.metrics.prompt_tokens
            assert peer.greedy(prompt, LONGEST_ANSWER) == ours.response, question


# Without its first layer the model knows nothing. It gets along without any single one of the
# others, as residual networks do, but not without all of them: the knowledge lies in the layers.
@pytest.mark.parametrize("layers", [[0], list(range(1, LAYERS))], ids=["first", "all-but-first"])
async def test_without_layers_it_knows_next_to_nothing(tmp_path: Path, layers: list[int]) -> None:
    asked, expected = questions(every=100 // SAMPLE)
    less = await answers(without_layers(tmp_path / "less.gguf", layers), asked)
    assert len(less) == SAMPLE
    assert right(less, expected) <= SAMPLE // 10


def without_layers(path: Path, layers: Sequence[int]) -> Path:
    """A copy of the shipped file in which all weights of some layers are zero."""
    shutil.copyfile(demo_model_path(), path)
    prefixes = tuple(f"blk.{layer}." for layer in layers)
    zeroed = 0
    for tensor in gguf.GGUFReader(path, "r+").tensors:
        if tensor.name.startswith(prefixes):
            tensor.data[:] = 0
            zeroed += 1
    assert zeroed == 9 * len(layers)
    return path
