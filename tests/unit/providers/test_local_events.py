from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from llm_runner_router.errors import TimeLimitError
from llm_runner_router.providers.base import Accepted, Delta, Finished
from llm_runner_router.providers.local_events import Translator
from llm_runner_router.types import FinishReason, TokenLogprob, TopLogprob

TEXTS = ["a", "b", "c"]


@dataclass
class CoreLogprob:
    token_id: int
    logprob: float
    top: list[tuple[int, float]] = field(default_factory=list)


@dataclass
class CoreEvent:
    """The attributes that _core.Event promises."""

    id: int = 1
    started: bool = False
    text: str = ""
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[CoreLogprob] = field(default_factory=list)
    prompt_logprobs: list[CoreLogprob | None] = field(default_factory=list)
    finish_reason: str = ""
    error_code: str = ""
    error_reason: str = ""
    error_message: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    queue_ms: float = 0.0
    first_token_ms: float = 0.0


def translated(*events: Any) -> list[Any]:
    return list(Translator(TEXTS.__getitem__, 1).translate(events))


def test_what_waited_is_one_delta() -> None:
    found = translated(
        CoreEvent(started=True, text="a", token_ids=[0], prompt_tokens=3, cached_tokens=2),
        CoreEvent(text="b", token_ids=[1]),
        CoreEvent(finish_reason="stop", prompt_tokens=3, completion_tokens=2),
    )
    assert [type(event) for event in found] == [Accepted, Delta, Finished]
    assert (found[0].metrics.prompt_tokens, found[0].metrics.cached_tokens) == (3, 2)
    assert (found[1].text, found[1].token_ids) == ("ab", (0, 1))
    assert found[2].finish_reason is FinishReason.STOP
    assert found[2].metrics.completion_tokens == 2


def test_nothing_to_say_is_no_delta() -> None:
    assert translated(CoreEvent()) == []
    assert len(translated(CoreEvent(token_ids=[2]))) == 1


def test_logprobs_carry_their_texts() -> None:
    first, second = translated(
        CoreEvent(
            started=True,
            prompt_logprobs=[None, CoreLogprob(0, -1.0)],
            token_ids=[2],
            logprobs=[CoreLogprob(2, -0.5, [(1, -0.25)])],
        )
    )
    assert first.prompt_logprobs == (TokenLogprob(1, "b", None), TokenLogprob(0, "a", -1.0))
    assert second.logprobs == (TokenLogprob(2, "c", -0.5, (TopLogprob(1, "b", -0.25),)),)


def test_a_failure_comes_behind_what_was_said() -> None:
    failed = CoreEvent(
        text="a", token_ids=[0], finish_reason="failed", error_code="DEADLINE_EXCEEDED"
    )
    events = Translator(TEXTS.__getitem__, 0).translate([failed])  # type: ignore[list-item]
    assert isinstance(next(events), Delta)
    with pytest.raises(TimeLimitError):
        next(events)
