"""What answers cost."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, replace

from llm_runner_router.providers.known import known
from llm_runner_router.registry.records import ModelRecord, Pricing
from llm_runner_router.routing.published_prices import PublishedPrices
from llm_runner_router.types import Metrics, ModelFormat

logger = logging.getLogger(__name__)

MILLION = 1_000_000
FREE = Pricing(0.0, 0.0)
CACHED_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """How a record's answers are priced: by its own prices, or else by the published ones."""

    per_million: Pricing | None
    published: PublishedPrices | None = None

    def cost(self, metrics: Metrics) -> float:
        """US dollars; 0 where no price is known."""
        counted = consistent(metrics)
        if self.published is not None:
            return self.published.cost(counted)
        return 0.0 if self.per_million is None else priced(self.per_million, counted)


class Prices:
    """Belongs to one event loop. Prices are looked up once for each version of a record."""

    def __init__(self) -> None:
        self._tariffs: OrderedDict[tuple[str, str], Tariff] = OrderedDict()

    def cost(self, record: ModelRecord, metrics: Metrics) -> float:
        """US dollars that an answer of ``record`` costs: what the provider says, where it does.

        Models that run here cost nothing unless their record has prices, and those whose price is
        unknown cost 0 too.
        """
        if metrics.cost_usd > 0:
            return metrics.cost_usd
        return self._tariff(record).cost(metrics)

    def per_million(self, record: ModelRecord) -> Pricing | None:
        """Prices to estimate with; ``None`` where they are unknown."""
        return self._tariff(record).per_million

    def _tariff(self, record: ModelRecord) -> Tariff:
        key = (record.id, record.etag)
        tariff = self._tariffs.get(key)
        if tariff is None:
            tariff = self._tariffs[key] = tariff_of(record)
            if len(self._tariffs) > CACHED_RECORDS:
                self._tariffs.popitem(last=False)
        return tariff


def tariff_of(record: ModelRecord) -> Tariff:
    """Whose prices hold for ``record``. Says so once where there are none."""
    if record.pricing is not None:
        return Tariff(record.pricing)
    if record.format is not ModelFormat.API or known(record.provider).kind == "echo":
        return Tariff(FREE)
    if known(record.provider).kind == "remote":
        return Tariff(None)  # the other router tells what its answers cost
    provider = known(record.provider).prices_id
    published = None if provider is None else PublishedPrices.find(provider, record.source)
    if published is None:
        logger.warning(
            "no price is known of model %r: its answers count as free; set its pricing", record.id
        )
        return Tariff(None)
    constant = published.constant()
    return Tariff(published.per_million(), published) if constant is None else Tariff(constant)


def consistent(metrics: Metrics) -> Metrics:
    """``metrics`` with no part above its whole, whatever a provider says."""
    prompt, completion = max(metrics.prompt_tokens, 0), max(metrics.completion_tokens, 0)
    cached = min(max(metrics.cached_tokens, 0), prompt)
    return replace(
        metrics,
        prompt_tokens=prompt,
        cached_tokens=cached,
        cache_write_tokens=min(max(metrics.cache_write_tokens, 0), prompt - cached),
        completion_tokens=completion,
        reasoning_tokens=min(max(metrics.reasoning_tokens, 0), completion),
    )


def priced(prices: Pricing, metrics: Metrics) -> float:
    """US dollars of consistent ``metrics``."""
    cached, written = metrics.cached_tokens, metrics.cache_write_tokens
    reasoned = metrics.reasoning_tokens
    total = (
        (metrics.prompt_tokens - cached - written) * prices.input
        + cached * otherwise(prices.cached_input, prices.input)
        + written * otherwise(prices.cache_write, prices.input)
        + (metrics.completion_tokens - reasoned) * prices.output
        + reasoned * otherwise(prices.reasoning, prices.output)
    )
    return total / MILLION


def otherwise(price: float | None, usual: float) -> float:
    """A price of its own, or the usual one."""
    return usual if price is None else price
