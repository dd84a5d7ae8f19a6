"""Models that were quantised here: they load, know what they knew, and llama.cpp agrees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest

from core import forward
from core.float_models import TYPES, go_on, values_of
from golden import llama_cpp, reference_models
from golden.reference_models import VOCABULARY, Export
from llm_runner_router import _core
from llm_runner_router.demo import demo_model_path
from llm_runner_router.providers.prompt_encoder import PromptEncoder
from llm_runner_router.router import LLMRouter
from llm_runner_router.tokenizer import Tokenizer
from llm_runner_router.types import Request

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKENS = forward.random_tokens(48, VOCABULARY)
QUESTIONS = ["What is LLM Runner Router?", "Which language is the engine written in?", "Hello!"]
LONGEST_ANSWER = 60

# Mean distance of log-probabilities from the F16 model's: a third above what is measured. Random
# weights suffer more than trained ones, which are compared by their answers below.
DISTANCES = {
    "F16": 0.0,
    "Q8_0": 0.06,
    "Q6_K": 0.15,
    "Q5_K_M": 0.28,
    "Q5_K_S": 0.28,
    "Q5_0": 0.33,
    "Q5_1": 0.3,
    "Q4_K_M": 0.52,
    "Q4_K_S": 0.5,
    "Q4_1": 0.56,
    "Q4_0": 0.6,
    "Q3_K_L": 0.88,
    "Q3_K_M": 0.88,
    "Q3_K_S": 1.0,
    "Q2_K": 1.4,
}


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model in F16, with rows that every type's blocks fit."""
    path = tmp_path_factory.mktemp("half") / "model.gguf"
    model = reference_models.build("rows-of-256")
    return reference_models.export(model, path, Export(matrices="f16"))


def logprobs(path: Path) -> NDArray[np.float64]:
    return forward.log_softmax(forward.whole(forward.load(path), TOKENS))


def test_all_types_have_a_bound() -> None:
    assert DISTANCES.keys() == TYPES.keys()


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_loads_and_stays_near_f16(half: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "small.gguf"
    _core.quantize(half, target, kind, go_on)
    assert _core.GgufShards(target).find_faults() == []
    distance = float(np.abs(logprobs(target) - logprobs(half)).mean())
    bound = DISTANCES[kind]
    assert bound / 2 <= distance <= bound


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model as F32: what its Q8_0 stands for."""
    path = tmp_path_factory.mktemp("demo") / "demo.gguf"
    reader = gguf.GGUFReader(demo_model_path())
    writer = gguf.GGUFWriter(path, "llama")
    own = {"general.architecture", "general.file_type", "general.quantization_version"}
    for key, found in reader.fields.items():
        if key not in own and not key.startswith("GGUF."):
            element = found.types[1] if len(found.types) > 1 else None
            writer.add_key_value(key, found.contents(), found.types[0], sub_type=element)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, values_of(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_the_demo_model_comes_back_byte_for_byte(demo: Path, tmp_path: Path) -> None:
    target = tmp_path / "again.gguf"
    _core.quantize(demo, target, "Q8_0", go_on)
    shipped, again = gguf.GGUFReader(demo_model_path()), gguf.GGUFReader(target)
    assert [tensor.name for tensor in again.tensors] == [one.name for one in shipped.tensors]
    for old, new in zip(shipped.tensors, again.tensors, strict=True):
        assert new.data.tobytes() == old.data.tobytes(), new.name


async def answers(path: Path) -> list[str]:
    """Greedy answers of our engine."""
    async with LLMRouter({"engine": {"threads": 1}}) as router:
        await router.register_model("demo", path)
        return [
            (await router.process(text, max_tokens=LONGEST_ANSWER, temperature=0.0)).response
            for text in QUESTIONS
        ]


@pytest.mark.parametrize("kind", ["Q8_0", "Q5_1", "Q4_K_M"])
async def test_llama_cpp_says_the_same(demo: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "small.gguf"
    _core.quantize(demo, target, kind, go_on)
    found = await answers(target)
    metadata = _core.GgufFile(target).metadata
    tokenizer = Tokenizer.from_metadata(metadata)
    encoder = PromptEncoder(tokenizer, metadata)
    with llama_cpp.serve(target, len(tokenizer.token_bytes()), "f16") as peer:
        for text, answer in zip(QUESTIONS, found, strict=True):
            prompt = encoder.encode(Request(prompt=text))
            assert peer.greedy(prompt, LONGEST_ANSWER) == answer, text
