"""Models of format hf answer as Transformers does, and pipelines give back the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from golden import checkpoints
from llm_runner_router import LLMRouter
from llm_runner_router.checkpoints.generation_settings import NAMES
from llm_runner_router.compat.transformers import TextGenerationPipeline, pipeline
from llm_runner_router.errors import InvalidRequestError

TEXT = "the quick brown fox and the cat sat on the mat, 12 dogs jumps over the lazy "
CHAT = [{"role": "user", "content": "the quick"}]


@dataclass
class Pair:
    """One checkpoint behind both faces."""

    folder: Path
    cache: Path
    ours: TextGenerationPipeline
    theirs: Any

    def both(self, value: object, **arguments: Any) -> tuple[Any, Any]:
        return self.ours(value, **arguments), self.theirs(value, **arguments)

    def same(self, value: object, **arguments: Any) -> Any:
        ours, theirs = self.both(value, **arguments)
        assert ours == theirs
        return ours


def settings(cache: Path) -> dict[str, Any]:
    """Keys and values in F32, as Transformers has them."""
    return {"models": {"cacheDir": str(cache)}, "engine": {"kvType": "f32", "threads": 1}}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=checkpoints.VARIANTS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> Iterator[Pair]:
    yield from made(request.param, tmp_path_factory, cache)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Pair]:
    yield from made("gpt2", tmp_path_factory, cache)


def made(name: str, factory: pytest.TempPathFactory, cache: Path) -> Iterator[Pair]:
    folder = checkpoints.write(name, factory.mktemp("checkpoint"))
    theirs = transformers.pipeline("text-generation", model=str(folder), dtype=torch.float32)
    with pipeline(model=folder, dtype="float32", config=settings(cache)) as ours:
        yield Pair(folder, cache, ours, theirs)


def test_greedy_answers_are_those_of_transformers(pair: Pair) -> None:
    for text in (TEXT, "the", "a fox 7"):
        records = pair.same(text, do_sample=False, max_new_tokens=30, return_tensors=True)
        assert len(records[0]["generated_token_ids"]) > 10


def test_chats_become_the_same_tokens(pair: Pair) -> None:
    pair.same(CHAT, do_sample=False, max_new_tokens=9, return_tensors=True)


TURNS = [*CHAT, {"role": "assistant", "content": "brown </s> fox"}]


def test_the_tokenizer_of_a_pipeline_is_that_of_transformers(pair: Pair) -> None:
    ours, theirs = pair.ours.tokenizer, pair.theirs.tokenizer
    for name in ("bos", "eos", "unk"):
        for attribute in (f"{name}_token", f"{name}_token_id"):
            assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    for text in (TEXT, "", " two  été 🙂", f"the{theirs.eos_token} cat"):
        for special in (True, False):
            ids = ours.encode(text, add_special_tokens=special)
            assert ids == theirs.encode(text, add_special_tokens=special)
            for skip in (True, False):
                found = ours.decode(ids, skip_special_tokens=skip)
                assert found == theirs.decode(ids, skip_special_tokens=skip)
    tokens = [theirs.eos_token, "the", "no such token"]
    assert ours.convert_tokens_to_ids(tokens) == theirs.convert_tokens_to_ids(tokens)
    for chat in (CHAT, TURNS):
        for prompt in (True, False):
            arguments: dict[str, Any] = {"add_generation_prompt": prompt}
            text = theirs.apply_chat_template(chat, tokenize=False, **arguments)
            assert ours.apply_chat_template(chat, tokenize=False, **arguments) == text
            ids = theirs.apply_chat_template(chat, **arguments)
            assert ours.apply_chat_template(chat, **arguments) == dict(ids)
            plain = ours.apply_chat_template(chat, return_dict=False, **arguments)
            assert plain == ids["input_ids"]


async def test_logprobs_are_those_of_transformers(pair: Pair) -> None:
    async with LLMRouter(settings(pair.cache)) as router:
        await router.register_model("m", pair.folder, format="hf", config={"quantization": "F32"})
        answer = await router.process(
            TEXT, model="m", raw=True, max_tokens=1, temperature=0, prompt_logprobs=0
        )
        parts = [await router.tokenize(text, model="m") for text in (TEXT, " two  été 🙂", "")]
    ids = [token.token_id for token in answer.prompt_logprobs]
    assert ids == pair.theirs.tokenizer(TEXT).input_ids == list(parts[0])
    assert list(parts[1]) == pair.theirs.tokenizer(" two  été 🙂").input_ids
    with torch.no_grad():
        logits = pair.theirs.model(torch.tensor([ids])).logits[0].double()
    expected = torch.log_softmax(logits, -1)
    errors = [
        abs((token.logprob or 0.0) - float(expected[place - 1, token.token_id]))
        for place, token in enumerate(answer.prompt_logprobs)
        if place > 0
    ]
    assert len(errors) > 20
    assert max(errors) < 1e-4


GREEDY: list[dict[str, Any]] = [
    {"max_new_tokens": 7},
    {"max_new_tokens": 12, "return_full_text": False},
    {"max_new_tokens": 4, "return_tensors": True},
    {"max_new_tokens": 4, "return_text": True},
    {"max_new_tokens": 20, "repetition_penalty": 1.4},
    {"max_new_tokens": 20, "stop_sequence": "q"},
    {"max_new_tokens": 20, "stop_sequence": ["zzz", " "]},
    {"max_new_tokens": 5, "max_length": 90},
    {"max_length": 30},
    {"max_length": 30, "prefix": "the dog "},
    {"max_new_tokens": 9, "prefix": "the dog ", "return_full_text": False},
    {"max_new_tokens": 30, "eos_token_id": 69},
    {"max_new_tokens": 30, "eos_token_id": [69, 70, 71, 72, 259, 260]},
    {"max_new_tokens": 6, "temperature": None, "num_return_sequences": 1},
    {"max_new_tokens": 6, "truncation": True, "add_special_tokens": True},
    {"max_length": 30, "truncation": True},
]
"""Arguments of calls that take the likeliest token."""


@pytest.mark.parametrize("arguments", GREEDY, ids=str)
@pytest.mark.filterwarnings("ignore:Both `max_new_tokens`")
def test_calls_give_what_pipelines_of_transformers_give(
    gpt2: Pair, arguments: dict[str, Any]
) -> None:
    gpt2.same("the quick brown fox", do_sample=False, **arguments)


INPUTS: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (lambda: "the cat", lambda found: found),
    (lambda: ["the cat"], lambda found: found),
    (lambda: ["the cat", "a dog", "brown"], lambda found: found),
    (lambda: CHAT, lambda found: found),
    (lambda: [CHAT, [*CHAT, {"role": "system", "content": "on"}]], lambda found: found),
    (lambda: (text for text in ("the cat", "a dog")), list),
    (lambda: (turn for turn in CHAT), lambda found: found),
    (lambda: (chat for chat in (CHAT, CHAT)), list),
]
"""What may be given, and how what comes back is read."""


@pytest.mark.parametrize("number", range(len(INPUTS)))
def test_every_form_of_input_is_answered_in_its_form(gpt2: Pair, number: int) -> None:
    given, read = INPUTS[number]
    for arguments in ({}, {"return_full_text": False}):
        ours = read(gpt2.ours(given(), do_sample=False, max_new_tokens=6, **arguments))
        theirs = read(gpt2.theirs(given(), do_sample=False, max_new_tokens=6, **arguments))
        assert ours == theirs


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("name", ["gpt2", "tied llama in shards of bfloat16"])
def test_flags_that_tokenizer_json_contradicts(
    name: str, flag: bool, tmp_path: Path, cache: Path
) -> None:
    """The tokens before a text are those of tokenizer.json, for them and for us."""
    folder = checkpoints.write(name, tmp_path)
    written = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**written, "add_bos_token": flag}))
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    with pipeline(model=folder, dtype="float32", config=settings(cache)) as ours:
        (found,) = ours("the quick", max_new_tokens=1, do_sample=False, return_tensors=True)
    assert found["generated_token_ids"][:-1] == theirs("the quick").input_ids


def test_sampling(gpt2: Pair) -> None:
    """With one token to choose from, sampling is no matter of luck."""
    gpt2.same("the cat", do_sample=True, top_k=1, max_new_tokens=6, num_return_sequences=3)
    first, second = (gpt2.ours("the cat", seed=4, max_new_tokens=20) for _ in range(2))
    assert first == second
    assert first != gpt2.ours("the cat", seed=5, max_new_tokens=20)
    three = gpt2.ours("the cat", seed=4, max_new_tokens=20, num_return_sequences=3)
    assert three[0] == first[0]
    assert three[1] != three[2]


def test_a_generation_config_of_transformers(gpt2: Pair) -> None:
    config = transformers.GenerationConfig(
        max_new_tokens=9, do_sample=False, repetition_penalty=1.3, eos_token_id=0, pad_token_id=0
    )
    gpt2.same("the cat", generation_config=config)


@pytest.mark.filterwarnings("ignore:Both `max_new_tokens`")
def test_defaults_of_a_pipeline_and_of_a_model(tmp_path: Path, cache: Path) -> None:
    folder = checkpoints.write("gpt2", tmp_path)
    generation = transformers.GenerationConfig(do_sample=False, max_length=17, eos_token_id=0)
    generation.save_pretrained(folder)
    theirs = transformers.pipeline("text-generation", model=str(folder), return_full_text=False)
    with pipeline(
        "text-generation", str(folder), config=settings(cache), dtype="float32",
        return_full_text=False,
    ) as ours:  # fmt: skip
        for arguments in ({}, {"max_new_tokens": 3}, {"return_full_text": True}):
            assert ours("the cat", **arguments) == theirs("the cat", **arguments)


def test_an_older_checkpoint_says_it_in_its_configuration(gpt2: Pair, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(gpt2.folder, tmp_path / "older"))
    (folder / "generation_config.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    config |= {"do_sample": False, "max_length": 30, "repetition_penalty": 1.5}
    (folder / "config.json").write_text(json.dumps(config))
    theirs = transformers.pipeline("text-generation", model=str(folder), dtype=torch.float32)
    with pipeline(model=folder, dtype="float32", config=settings(gpt2.cache)) as ours:
        assert ours("the cat") == theirs("the cat")


def test_the_settings_of_generation_are_those_of_transformers() -> None:
    theirs = set(transformers.GenerationConfig().to_dict())
    assert theirs - {"transformers_version", "_from_model_config"} == NAMES


def test_the_token_that_ends_an_answer_belongs_to_it(gpt2: Pair, tmp_path: Path) -> None:
    """Whichever of the model's it is, and though its text is not shown."""
    whole = gpt2.same("the cat", do_sample=False, max_new_tokens=9, return_tensors=True)
    ids = whole[0]["generated_token_ids"]
    folder = Path(shutil.copytree(gpt2.folder, tmp_path / "ends"))
    generation = transformers.GenerationConfig(eos_token_id=[ids[-3], 299])
    generation.save_pretrained(folder)
    theirs = transformers.pipeline("text-generation", model=str(folder), dtype=torch.float32)
    arguments = {"do_sample": False, "max_new_tokens": 9, "return_tensors": True}
    with pipeline(model=folder, dtype="float32", config=settings(gpt2.cache)) as ours:
        found = ours("the cat", **arguments)
        assert found == theirs("the cat", **arguments)
        assert found[0]["generated_token_ids"] == ids[: ids.index(ids[-3], -9) + 1]


def test_contract_14_max_length_counts_prompt_and_answer(gpt2: Pair) -> None:
    """``max_length`` is of prompt and answer, ``max_new_tokens`` of the answer alone."""
    prompt = len(gpt2.theirs.tokenizer(TEXT).input_ids)
    whole = gpt2.same(TEXT, do_sample=False, max_length=prompt + 5, return_tensors=True)
    assert len(whole[0]["generated_token_ids"]) == prompt + 5
    answer = gpt2.same(TEXT, do_sample=False, max_new_tokens=5, return_tensors=True)
    assert answer == whole
    with pytest.warns(UserWarning, match="`max_new_tokens` takes precedence"):
        both = gpt2.ours(
            TEXT, do_sample=False, max_length=prompt + 9, max_new_tokens=5, return_tensors=True
        )
    assert both == answer
    chat = gpt2.same(CHAT, do_sample=False, max_length=32, return_tensors=True)
    assert len(chat[0]["generated_token_ids"]) == 32
    with pytest.raises(InvalidRequestError, match="max_length"):
        gpt2.ours(TEXT, max_length=prompt)
    with pytest.raises(ValueError, match="max_length"):
        gpt2.theirs(TEXT, max_length=prompt)
