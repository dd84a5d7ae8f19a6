"""Pipelines over a router in this process, with a small checkpoint."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.compat.router_thread import RouterThread
from llm_runner_router.compat.transformers import (
    TextGenerationPipeline,
    pipeline,
    seeds,
    set_seed,
)
from llm_runner_router.errors import (
    AlreadyExistsError,
    InvalidConfigError,
    InvalidRequestError,
    ModelFileError,
    ModelNotFoundError,
    UnavailableError,
)
from unit import tiny_checkpoint as tiny

CHAT = [{"role": "user", "content": "the quick"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("checkpoint") / "tiny")


@pytest.fixture(scope="module")
def ours(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    cache = tmp_path_factory.mktemp("cache")
    with pipeline("text-generation", folder, config=settings(cache)) as made:
        yield made


def settings(cache: Path) -> dict[str, Any]:
    return {"models": {"cacheDir": str(cache)}, "engine": {"threads": 1}}


def test_many_prompts_are_answered_in_order(ours: TextGenerationPipeline) -> None:
    texts = [f"the {number}" for number in range(30)]
    found = ours(texts, do_sample=False, max_new_tokens=2)
    assert [
        records[0]["generated_text"][: len(text)]
        for records, text in zip(found, texts, strict=True)
    ] == texts
    assert ours([]) == []


def test_a_seed_of_the_program_gives_the_same_answers_again(
    ours: TextGenerationPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds.PROGRAM, "_numbers", None)

    def answers() -> list[Any]:
        texts = ["the", "the", "a fox"]
        arguments = {"max_new_tokens": 12, "return_tensors": True, "num_return_sequences": 2}
        return [ours(texts, **arguments), ours("the", **arguments), *ours(iter_of(texts))]

    set_seed(42)
    first = answers()
    set_seed(42)
    assert answers() == first
    assert first[0][0] != first[0][1] != first[1]  # each draws anew
    set_seed(42)
    assert ours("the", do_sample=False, max_new_tokens=2)  # chance has no part in it
    assert answers() == first
    set_seed(43)
    assert answers() != first


def iter_of(texts: list[str]) -> Iterator[str]:
    yield from texts


def test_unknown_arguments_are_refused_by_name(ours: TextGenerationPipeline, folder: Path) -> None:
    for name in ("max_tokens", "num_beam_groups", "streamer", "min_new_tokens"):
        with pytest.raises(InvalidRequestError, match=name):
            ours("the", **{name: 1})
        with pytest.raises(InvalidRequestError, match=name):
            pipeline("text-generation", folder, **{name: 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task", "summarization"),
        ("model", None),
        ("device", "cuda:0"),
        ("device_map", {"a": 1}),
        ("dtype", "int4"),
        ("framework", "tf"),
        ("tokenizer", "another"),
        ("model_kwargs", {"load_in_8bit": True}),
        ("quantization", "Q9"),
    ],
)
def test_what_cannot_be_had_is_refused_at_once(folder: Path, name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        pipeline(**{"task": "text-generation", "model": folder, name: value})
    if name not in {"task", "model", "quantization"}:
        with pytest.raises(InvalidRequestError, match=name):
            pipeline(model=folder, quantization="F16", **{name: value})


def test_a_service_is_not_configured_here(folder: Path) -> None:
    with pytest.raises(InvalidConfigError, match="target"):
        pipeline(model=folder, target="127.0.0.1:1", config={})


def test_a_chat_that_ends_with_the_assistant_cannot_be_continued(
    ours: TextGenerationPipeline,
) -> None:
    begun = [*CHAT, {"role": "assistant", "content": "Sure,"}]
    with pytest.raises(InvalidRequestError, match="continue_final_message"):
        ours(begun)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with pytest.raises(ModelFileError, match=r"config\.json"):
        pipeline("text-generation", tmp_path, config=settings(tmp_path))
    assert set(threading.enumerate()) <= before


def test_a_closed_pipeline_says_so(tmp_path: Path, folder: Path) -> None:
    made = pipeline(model=str(folder), config=settings(tmp_path), max_new_tokens=2)
    assert made("the")[0]["generated_text"].startswith("the")
    made.close()
    made.close()
    with pytest.raises(UnavailableError, match="closed"):
        made("the")


def test_one_id_for_two_checkpoints_is_refused(tmp_path: Path, folder: Path) -> None:
    config = {**settings(tmp_path), "registry": {"path": str(tmp_path / "r.sqlite")}}
    pipeline(model=folder, config=config).close()
    pipeline(model=folder, config=config).close()  # it is registered already
    pipeline(model="tiny", config=config).close()  # by its id
    other = tiny.write(tmp_path / "tiny")
    with pytest.raises(AlreadyExistsError, match=f"source '{folder}' and not '{other}'"):
        pipeline(model=other, config=config)


def test_a_quantization_that_is_not_said_is_the_registered_one(
    tmp_path: Path, folder: Path
) -> None:
    config = {**settings(tmp_path), "registry": {"path": str(tmp_path / "r.sqlite")}}
    pipeline(model=folder, quantization="F32", config=config).close()
    with pipeline(model=folder, config=config) as made:
        assert made("the", max_new_tokens=2)
    with pytest.raises(AlreadyExistsError, match=r"quantization 'F32' and not 'Q8_0'"):
        pipeline(model=folder, quantization="Q8_0", config=config)


def test_a_model_whose_length_is_not_known_is_told_of(tmp_path: Path, folder: Path) -> None:
    """As of records that were made before they kept it."""
    config = {**settings(tmp_path), "registry": {"path": str(tmp_path / "r.sqlite")}}
    pipeline(model=folder, config=config).close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline(model="tiny", config=config).close()
    with RouterThread(config) as router:
        record = router.run(lambda face: face.get_model("tiny")).record
        bare = replace(record, labels={})
        router.run(lambda face: face.update_model(bare, ["labels"]))
    with pytest.warns(UserWarning, match="max_length and eos_token_id .* of tiny") as told:
        pipeline(model="tiny", config=config).close()
    assert told[0].filename == __file__


def test_what_is_said_of_a_registered_model_counts_more(tmp_path: Path) -> None:
    config = {**settings(tmp_path), "registry": {"path": str(tmp_path / "r.sqlite")}}
    generation = {"do_sample": False, "repetition_penalty": 1.9, "max_length": 20}
    folder = tiny.write(tmp_path / "tiny", generation_config=generation)
    pipeline(model=folder, config=config).close()
    with RouterThread(config) as router:
        record = router.run(lambda face: face.get_model("tiny")).record
        said = replace(record.config, repeat_penalty=1.0, temperature=1.5)
        fields = ["config.repeat_penalty", "config.temperature"]
        router.run(lambda face: face.update_model(replace(record, config=said), fields))
    with pipeline(model="tiny", config=config) as made:
        arguments = {"repetition_penalty": 1.0, "max_length": 20, "seed": 4}
        expected = made("the", do_sample=True, temperature=1.5, **arguments)
        assert made("the", seed=4) == expected
        assert made("the", do_sample=False, **arguments) != expected


def test_a_checkpoint_that_cannot_be_converted_is_not_left_registered(tmp_path: Path) -> None:
    config = {**settings(tmp_path), "registry": {"path": str(tmp_path / "r.sqlite")}}
    folder = tiny.write(tmp_path / "tiny")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelFileError, match="tokenizer"):
        pipeline(model=folder, config=config)
    with RouterThread(config) as router, pytest.raises(ModelNotFoundError):
        router.run(lambda face: face.get_model("tiny"))


PROGRAM = """
import sys
from llm_runner_router.compat.transformers import pipeline
config = {"models": {"cacheDir": sys.argv[2]}, "engine": {"threads": 1}}
print(pipeline(model=sys.argv[1], config=config)("the", max_new_tokens=2, do_sample=False))
generator = pipeline(model=sys.argv[1], config=config)
assert not {"transformers", "torch"} & set(sys.modules)
"""


def test_a_program_that_closes_nothing_ends_quietly(
    ours: TextGenerationPipeline, folder: Path, tmp_path: Path
) -> None:
    """As programs for Transformers do, which is not imported."""
    command = [sys.executable, "-c", PROGRAM, str(folder), str(tmp_path)]
    ended = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert ended.stdout == f"{ours('the', max_new_tokens=2, do_sample=False)}\n"
    assert ended.stderr == ""


def test_without_a_length_the_context_or_256_tokens_end_it(
    ours: TextGenerationPipeline, tmp_path: Path
) -> None:
    (short,) = ours("the", do_sample=False, return_tensors=True, eos_token_id=10_000)
    assert len(short["generated_token_ids"]) in (tiny.CONTEXT, tiny.CONTEXT + 1)
    roomy = tiny.write(tmp_path / "roomy", tiny.llama_config(max_position_embeddings=400))
    with pipeline(model=roomy, config=settings(tmp_path)) as made:
        (long,) = made("the", do_sample=False, return_tensors=True, eos_token_id=10_000)
    prompt = len(ours("the", max_new_tokens=1, return_tensors=True)[0]["generated_token_ids"]) - 1
    assert len(long["generated_token_ids"]) == prompt + 256
