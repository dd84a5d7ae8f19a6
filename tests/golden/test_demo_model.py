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


# Wanted of every layer, true of the first only: two trainings of the shipped model gave 0 right
# answers of 100 without layer 0, but 64 to 85 without one of the others (80 and 84 when whole).
# llama.cpp says the same of these copies. Strict: a model that needs its layers ends the mark.
NEEDLESS = pytest.mark.xfail(strict=True, reason="the model answers without this layer")


@pytest.mark.parametrize(
    "layer", [0, *(pytest.param(layer, marks=NEEDLESS) for layer in range(1, LAYERS))]
)
async def test_without_a_layer_it_knows_nothing(tmp_path: Path, layer: int) -> None:
    asked, expected = questions(every=100 // SAMPLE)
    less = await answers(without_layer(tmp_path / "less.gguf", layer), asked)
    assert len(less) == SAMPLE
    assert right(less, expected) <= SAMPLE * 0.2


def without_layer(path: Path, layer: int) -> Path:
    """A copy of the shipped file in which all weights of a layer are zero."""
    shutil.copyfile(demo_model_path(), path)
    zeroed = 0
    for tensor in gguf.GGUFReader(path, "r+").tensors:
        if tensor.name.startswith(f"blk.{layer}."):
            tensor.data[:] = 0
            zeroed += 1
    assert zeroed >= 9
    return path
