from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.registry.records import ModelRecord, Pricing
from llm_runner_router.routing.cost import Prices, priced
from llm_runner_router.routing.published_prices import PublishedPrices
from llm_runner_router.types import Metrics, ModelFormat
from unit.echoes import model

OWN = Pricing(3.0, 15.0, cached_input=0.30, cache_write=3.75, reasoning=20.0)
METRICS = Metrics(
    prompt_tokens=1000,
    cached_tokens=400,
    cache_write_tokens=100,
    completion_tokens=50,
    reasoning_tokens=10,
)
PARTS = (
    "prompt_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "completion_tokens",
    "reasoning_tokens",
)


def api(source: str, provider: str, pricing: Pricing | None = None) -> ModelRecord:
    record = model("a", source, provider=provider, pricing=pricing)
    return replace(record, format=ModelFormat.API, etag="1")


def test_prices_of_the_record() -> None:
    # 500 at 3, 400 at 0.30, 100 at 3.75, 40 at 15 and 10 at 20 USD a million.
    wanted = (500 * 3 + 400 * 0.30 + 100 * 3.75 + 40 * 15 + 10 * 20) / 1e6
    prices = Prices()
    record = api("gpt-4o", "openai", OWN)
    assert prices.cost(record, METRICS) == pytest.approx(wanted)
    assert prices.per_million(record) == OWN


def test_prices_left_out_are_those_of_the_whole() -> None:
    record = replace(model(), pricing=Pricing(3.0, 15.0))
    assert Prices().cost(record, METRICS) == pytest.approx((1000 * 3 + 50 * 15) / 1e6)


def test_published_prices_of_openai() -> None:
    prices, record = Prices(), api("gpt-4o", "openai")
    # 2.5 USD a million in, 1.25 cached, 10 out; cache writes and reasoning have no price apart.
    wanted = (600 * 2.5 + 400 * 1.25 + 50 * 10) / 1e6
    assert prices.cost(record, METRICS) == pytest.approx(wanted)
    assert prices.per_million(record) == Pricing(2.5, 10.0, cached_input=1.25)


def test_published_prices_of_anthropic() -> None:
    prices, record = Prices(), api("claude-sonnet-4-5", "anthropic")
    wanted = (500 * 3 + 400 * 0.30 + 100 * 3.75 + 50 * 15) / 1e6
    assert prices.cost(record, METRICS) == pytest.approx(wanted)
    assert prices.per_million(record) == Pricing(3.0, 15.0, cached_input=0.3, cache_write=3.75)


def test_published_prices_of_long_prompts() -> None:
    long = Metrics(prompt_tokens=300_000, completion_tokens=10)
    record = api("claude-sonnet-4-5", "anthropic")
    assert Prices().cost(record, long) > 300_000 * 3 / 1e6 + 10 * 15 / 1e6


def test_constant_prices_give_the_published_costs() -> None:
    compared = 0
    for provider in get_snapshot().providers:
        for found in provider.models:
            published = PublishedPrices(provider, found)
            constant = published.constant()
            if constant is not None:
                assert priced(constant, METRICS) == pytest.approx(published.cost(METRICS)), found.id
                compared += 1
    assert compared > 100


@pytest.mark.parametrize("record", [model(), api("x", "echo")])
def test_what_runs_here_is_free(record: ModelRecord) -> None:
    assert Prices().cost(record, METRICS) == 0.0
    assert Prices().per_million(record) == Pricing(0.0, 0.0)


@pytest.mark.parametrize("provider", ["openai", "vllm", "any-llm:nobody"])
def test_unknown_prices_are_said_once(provider: str, caplog: pytest.LogCaptureFixture) -> None:
    prices, record = Prices(), api("no such model", provider)
    with caplog.at_level(logging.WARNING):
        assert prices.cost(record, METRICS) == 0.0
        assert prices.per_million(record) is None
    assert [entry.message for entry in caplog.records] == [
        "no price is known of model 'a': its answers count as free; set its pricing"
    ]


def test_the_provider_knows_best() -> None:
    metrics = replace(METRICS, cost_usd=0.5)
    assert Prices().cost(api("gpt-4o", "openai", OWN), metrics) == 0.5


def test_a_changed_record_has_its_new_prices() -> None:
    prices, record = Prices(), api("gpt-4o", "openai")
    assert prices.per_million(record) != OWN
    assert prices.per_million(replace(record, pricing=OWN, etag="2")) == OWN


@given(st.builds(Metrics, **dict.fromkeys(PARTS, st.integers(-5, 100_000))))
@pytest.mark.parametrize("record", [api("x", "openai", OWN), api("claude-sonnet-4-5", "anthropic")])
def test_no_numbers_leave_the_range_of_the_prices(record: ModelRecord, metrics: Metrics) -> None:
    prompt, completion = max(metrics.prompt_tokens, 0), max(metrics.completion_tokens, 0)
    cost = Prices().cost(record, metrics)
    assert cost >= (prompt * 0.299 + completion * 14.9) / 1e6
    assert cost <= (prompt * 3.76 + completion * 20.1) / 1e6


def test_another_router_tells_its_own_costs(caplog: pytest.LogCaptureFixture) -> None:
    prices, record = Prices(), api("far", "remote")
    with caplog.at_level(logging.WARNING):
        assert prices.cost(record, replace(METRICS, cost_usd=0.25)) == 0.25
        assert prices.cost(record, METRICS) == 0.0
    assert caplog.records == []
    assert prices.per_million(record) is None
    assert prices.per_million(replace(record, pricing=OWN, etag="2")) == OWN
