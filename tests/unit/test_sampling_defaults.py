"""What a model's record adds to requests that leave it out."""

from __future__ import annotations

from llm_runner_router.registry.records import ModelConfig, ModelLimits, ModelRecord
from llm_runner_router.sampling_defaults import with_defaults
from llm_runner_router.types import Message, ModelFormat, Request, Role

SYSTEM = Message(Role.SYSTEM, "Be kind.")
USER = Message(Role.USER, "hello")


def record(limits: ModelLimits | None = None, **config: object) -> ModelRecord:
    settings = ModelConfig(**config)  # type: ignore[arg-type]
    return ModelRecord("m", "", ModelFormat.GGUF, "/m", settings, limits=limits or ModelLimits())


def test_the_request_goes_before_the_model() -> None:
    defaults = record(temperature=1.5, top_k=0, stop=("END",), seed=7, frequency_penalty=-0.5)
    request = with_defaults(Request(prompt="x", temperature=0.0, stop=("A",)), defaults)
    assert (request.temperature, request.top_k, request.stop) == (0.0, 0, ("A",))
    assert (request.seed, request.frequency_penalty) == (7, -0.5)
    assert with_defaults(Request(prompt="x"), defaults).stop == ("END",)
    assert with_defaults(Request(prompt="x"), record()) == Request(prompt="x")


def test_a_system_message_begins_what_has_none() -> None:
    kind = record(system="Be kind.")
    assert with_defaults(Request(prompt="hello"), kind).messages == (SYSTEM, USER)
    assert with_defaults(Request(prompt="hello"), kind).prompt is None
    assert with_defaults(Request(messages=(USER,)), kind).messages == (SYSTEM, USER)
    own = Request(messages=(Message(Role.SYSTEM, "Be rude."), USER))
    assert with_defaults(own, kind) == own
    raw = Request(prompt="hello", raw=True)
    assert with_defaults(raw, kind) == raw


def test_an_answer_is_as_long_as_its_model_may_make_it() -> None:
    short = ModelLimits(max_tokens=10)
    assert with_defaults(Request(prompt="x"), record(short)).max_tokens == 10
    assert with_defaults(Request(prompt="x"), record(short, max_tokens=50)).max_tokens == 10
    assert with_defaults(Request(prompt="x"), record(short, max_tokens=5)).max_tokens == 5
    assert with_defaults(Request(prompt="x", max_tokens=3), record(short)).max_tokens == 3
