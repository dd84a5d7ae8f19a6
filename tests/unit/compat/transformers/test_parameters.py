from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.compat.transformers.parameters import (
    GENERATION,
    Parameters,
    check_names,
    parameters_of,
    said_by_model,
)
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import ModelConfig


def merged(
    model: dict[str, Any] | None = None,
    pipeline: dict[str, Any] | None = None,
    **call: Any,
) -> Parameters:
    return parameters_of(model or {}, pipeline or {}, call)


def test_the_defaults_are_those_of_pipelines() -> None:
    found = merged()
    assert (found.max_new_tokens, found.max_length) == (None, None)
    assert (found.temperature, found.top_k, found.top_p) == (0.7, 50, 1.0)
    assert (found.repetition_penalty, found.sequences, found.stop) == (1.0, 1, ())


def test_who_says_it_first_wins() -> None:
    model, own = {"top_k": 1, "top_p": 0.1, "min_p": 0.1}, {"top_k": 2, "top_p": 0.2}
    found = merged(model, own, top_k=3)
    assert (found.top_k, found.top_p, found.min_p) == (3, 0.2, 0.1)
    config = {"top_k": 4, "temperature": 0.4}
    found = merged(model, own, generation_config=config)
    assert (found.top_k, found.top_p, found.temperature) == (4, 0.1, 0.4)
    assert merged(model, own, generation_config=config, top_k=5).top_k == 5
    assert merged(model, {**own, "generation_config": config}).top_k == 2


def test_without_sampling_the_temperature_does_not_matter() -> None:
    assert merged(do_sample=False, temperature=0.9).temperature == 0.0
    assert merged({"do_sample": False}).temperature == 0.0
    assert merged({"do_sample": False}, do_sample=True).temperature == 0.7


def test_one_length_alone() -> None:
    assert merged(max_length=9).max_new_tokens is None
    assert merged({"max_length": 9}).max_length == 9
    with pytest.warns(UserWarning, match="precedence"):
        found = merged(max_length=9, max_new_tokens=4)
    assert (found.max_new_tokens, found.max_length) == (4, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_new_tokens", 0),
        ("max_new_tokens", True),
        ("max_length", 1.5),
        ("max_length", -1),
        ("num_return_sequences", 0),
        ("num_beams", 4),
        ("stop_strings", 3),
        ("stop_strings", [3]),
        ("eos_token_id", "end"),
        ("eos_token_id", [True]),
        ("generation_config", 3),
        ("seed", "x"),
        ("seed", True),
        ("seed", -1),
        ("seed", 1 << 32),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        merged(**{name: value})


def test_the_likeliest_answer_is_one() -> None:
    with pytest.raises(InvalidRequestError, match="num_return_sequences"):
        merged(do_sample=False, num_return_sequences=2)
    assert merged(num_return_sequences=2).sequences == 2


def test_what_a_generation_config_wants_beyond_this_is_refused() -> None:
    class Config:
        def to_diff_dict(self) -> dict[str, Any]:
            return {"transformers_version": "5", "num_beams": 1, "top_k": 9, "min_length": None}

    assert merged(generation_config=Config()).top_k == 9
    with pytest.raises(InvalidRequestError, match=r"generation_config\.penalty_alpha"):
        merged(generation_config={"penalty_alpha": 0.5})


def test_ends_and_stops() -> None:
    assert merged(eos_token_id=3).ends == {3}
    assert merged(eos_token_id=[3, 4]).ends == {3, 4}
    assert merged({"eos_token_id": [3]}).ends == {3}
    assert merged({"eos_token_id": [3]}, eos_token_id=4).ends == {4}
    assert merged().ends == set()
    assert merged(stop_strings="a").stop == ("a",)
    assert merged(stop_strings=["a", "b"]).stop == ("a", "b")


def test_a_record_says_what_its_model_does() -> None:
    config = ModelConfig(temperature=0.0, top_k=5, repeat_penalty=1.2, max_tokens=7)
    assert said_by_model(config) == {
        "do_sample": False,
        "top_k": 5,
        "repetition_penalty": 1.2,
        "max_new_tokens": 7,
    }
    assert said_by_model(ModelConfig(temperature=0.5)) == {"temperature": 0.5}


@pytest.mark.parametrize("name", ["token", "use_auth_token"])
def test_the_value_of_an_unknown_argument_is_not_shown(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=rf"^{name}: '…' .* top_k") as caught:
        check_names("", {name: "hf_secret"}, GENERATION)
    assert "hf_secret" not in f"{caught.value} {caught.value.value}"
