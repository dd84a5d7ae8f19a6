from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.admission import quotas as quotas_module
from llm_runner_router.admission.quotas import Quotas
from llm_runner_router.admission.ticket import Ticket
from llm_runner_router.config.routing import CallerLimits, LimitsConfig
from llm_runner_router.errors import RateLimitError


def quotas(callers: dict[str, CallerLimits] | None = None, **each: Any) -> Quotas:
    config = LimitsConfig(each_caller=CallerLimits(**each), callers=callers or {})
    return Quotas(lambda: config)


def test_nothing_is_counted_without_limits() -> None:
    unlimited = quotas(share=2.0)
    assert unlimited.enter(Ticket("a"), 0.0) is None
    assert len(unlimited) == 0
    assert unlimited.of("a").share == 2.0


def test_requests_of_a_minute() -> None:
    limited = quotas(requests_per_minute=2)
    limited.enter(Ticket("a"), 0.0)
    limited.enter(Ticket("a"), 10.0)
    limited.enter(Ticket("b"), 10.0)
    for _ in range(3):  # those that are refused do not count
        with pytest.raises(RateLimitError, match=r"caller 'a'.*\(requests_per_minute\)") as caught:
            limited.enter(Ticket("a"), 20.0)
        assert caught.value.retry_after == 40.0
    limited.enter(Ticket("a"), 60.0)
    with pytest.raises(RateLimitError):
        limited.enter(Ticket("a"), 60.0)


def test_tokens_of_a_minute() -> None:
    limited = quotas(tokens_per_minute=100)
    limited.enter(Ticket("a", tokens=60), 0.0)
    limited.enter(Ticket("a", tokens=40), 10.0)
    with pytest.raises(RateLimitError, match=r"100 of 100 tokens.*\(tokens_per_minute\)") as caught:
        limited.enter(Ticket("a", tokens=61), 20.0)
    assert caught.value.retry_after == 50.0
    limited.enter(Ticket("a", tokens=60), 60.0)


def test_a_prompt_beyond_the_limit_never_fits() -> None:
    limited = quotas(tokens_per_minute=100)
    with pytest.raises(RateLimitError, match="asks for 101 more") as caught:
        limited.enter(Ticket("a", tokens=101), 0.0)
    assert caught.value.retry_after == 60.0


def test_streams_at_once() -> None:
    limited = quotas(concurrent_streams=1)
    account = limited.enter(Ticket("a"), 0.0)
    assert account is not None
    with pytest.raises(RateLimitError, match=r"\(concurrent_streams\)") as caught:
        limited.enter(Ticket("a"), 0.0)
    assert caught.value.retry_after > 0
    limited.leave(account)
    assert limited.enter(Ticket("a"), 0.0) is account


def test_a_caller_has_its_own_limits_or_those_of_each() -> None:
    limited = quotas(
        {"big": CallerLimits(), "small": CallerLimits(requests_per_minute=1)}, requests_per_minute=2
    )
    assert limited.enter(Ticket("big"), 0.0) is None
    limited.enter(Ticket("small"), 0.0)
    limited.enter(Ticket("other"), 0.0)
    limited.enter(Ticket("other"), 0.0)
    for caller in ("small", "other"):
        with pytest.raises(RateLimitError):
            limited.enter(Ticket(caller), 0.0)


def test_however_many_callers_come_few_are_remembered_and_none_of_those_that_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quotas_module, "REMEMBERED", 10)
    limited = quotas({"named": CallerLimits(requests_per_minute=1)}, concurrent_streams=1)
    named = limited.enter(Ticket("named"), 0.0)
    assert named is not None
    limited.leave(named)
    assert limited.enter(Ticket("running"), 0.0) is not None
    for number in range(1000):
        account = limited.enter(Ticket(f"stranger {number}"), 0.0)
        assert account is not None
        limited.leave(account)
    assert len(limited) <= 10
    for caller in ("named", "running"):
        with pytest.raises(RateLimitError):
            limited.enter(Ticket(caller), 0.0)
