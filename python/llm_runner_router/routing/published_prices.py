"""The prices that providers publish, out of the data that genai-prices ships: no network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

from llm_runner_router.registry.records import Pricing
from llm_runner_router.types import Metrics

Price = Decimal | TieredPrices | None


@dataclass(frozen=True, slots=True)
class PublishedPrices:
    """The prices of one model at one provider. They may depend on the time and on the prompt."""

    provider: Provider
    model: ModelInfo

    @classmethod
    def find(cls, provider: str, model: str) -> PublishedPrices | None:
        """What is published of ``model`` under that provider's id; ``None``: nothing."""
        try:
            found = get_snapshot().find_provider_model(model, None, provider, None)
        except LookupError:
            return None
        return cls(*found)

    def cost(self, metrics: Metrics) -> float:
        """US dollars, now."""
        price = self.model.calc_price(
            usage_of(metrics), self.provider, genai_request_timestamp=datetime.now(UTC)
        )
        return float(price.total_price)

    def per_million(self) -> Pricing | None:
        """Prices of a short prompt, now; ``None`` where tokens have no price."""
        return pricing_of(self.model.get_prices(datetime.now(UTC)))

    def constant(self) -> Pricing | None:
        """The same, where it holds for every prompt at any time; else ``None``.

        To multiply by it takes a twentieth of the time that ``cost`` takes.
        """
        prices = self.model.prices
        if not isinstance(prices, ModelPrice) or prices.requests_kcount is not None:
            return None
        if any(isinstance(price, TieredPrices) for price in vars(prices).values()):
            return None
        return pricing_of(prices)


def pricing_of(prices: ModelPrice) -> Pricing | None:
    """The prices of tokens; ``None`` where they have none."""
    charged, answered = amount(prices.input_mtok), amount(prices.output_mtok)
    if charged is None or answered is None:
        return None
    return Pricing(
        charged,
        answered,
        cached_input=amount(prices.cache_read_mtok),
        cache_write=amount(prices.cache_write_mtok),
        reasoning=amount(prices.output_reasoning_mtok),
    )


def amount(price: Price) -> float | None:
    """US dollars a million tokens."""
    if price is None:
        return None
    return float(price.base if isinstance(price, TieredPrices) else price)


def usage_of(metrics: Metrics) -> Usage:
    """The same tokens in the words of genai-prices, which counts parts in wholes as we do."""
    return Usage(
        input_tokens=metrics.prompt_tokens,
        cache_read_tokens=metrics.cached_tokens,
        cache_write_tokens=metrics.cache_write_tokens,
        output_tokens=metrics.completion_tokens,
        output_reasoning_tokens=metrics.reasoning_tokens,
    )
