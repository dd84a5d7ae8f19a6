"""What is known of a group of models before anything is measured: columns, one row a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llm_runner_router.registry.records import ModelRecord, Pricing
from llm_runner_router.routing.scales import Floats, middling, rising
from llm_runner_router.types import ModelFormat

Flags = NDArray[np.bool_]
Hashes = NDArray[np.uint64]


class Prices(Protocol):
    """What tells the price of a model."""

    def per_million(self, record: ModelRecord) -> Pricing | None:
        """US dollars a million tokens; ``None`` where nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class Roster:
    """The columns of a group, in the order of ids; nobody writes to them.

    NaN stands for what is unknown. ``quality_share`` is ``quality`` scaled over the group.
    ``prices`` has two columns, US dollars a token of prompt and of answer, and
    ``shortest_context`` is the smallest ``context`` that is known (tokens, infinite where none
    is). ``longest_answer`` is each model's limit (tokens, infinite without one), and
    ``shortest_answer`` the smallest of them. ``hashes`` are stable from run to run.
    """

    records: Sequence[ModelRecord]
    ids: Sequence[str]
    position: Mapping[str, int]
    quality: Floats
    quality_share: Floats
    prices: Floats
    context: Floats
    shortest_context: float
    longest_answer: Floats
    shortest_answer: float
    local: Flags
    any_local: bool
    weights: Floats
    abilities: Sequence[frozenset[str]]
    hashes: Hashes
    idle: Floats
    _offering: dict[str, Flags] = field(default_factory=dict)

    @classmethod
    def of(
        cls, records: Sequence[ModelRecord], prices: Prices, weights: Mapping[str, float]
    ) -> Roster:
        """The roster of ``records``; a model without a weight has 1."""
        rows = sorted(records, key=lambda record: record.id)
        ids = tuple(record.id for record in rows)
        context = np.array([context_of(record) for record in rows], np.float64)
        quality = np.array([quality_of(record) for record in rows], np.float64)
        answer = np.array([answer_of(record) for record in rows], np.float64)
        local = np.array([is_local(record) for record in rows], np.bool_)
        return cls(
            records=rows,
            ids=ids,
            position={model: row for row, model in enumerate(ids)},
            quality=quality,
            quality_share=rising(quality, middling) if rows else quality,
            prices=np.array([price_of(record, prices) for record in rows]).reshape(-1, 2),
            context=context,
            shortest_context=float(np.fmin.reduce(context, initial=np.inf)),
            longest_answer=answer,
            shortest_answer=float(np.min(answer, initial=np.inf)),
            local=local,
            any_local=bool(local.any()),
            weights=np.array([weights.get(model, 1.0) for model in ids], np.float64),
            abilities=tuple(frozenset(record.capabilities) for record in rows),
            hashes=np.array([stable_hash(model) for model in ids], np.uint64),
            idle=np.zeros(len(ids)),
        )

    def offering(self, capability: str) -> Flags:
        """Which models have ``capability``."""
        known = self._offering.get(capability)
        if known is None:
            known = np.array([capability in offered for offered in self.abilities], np.bool_)
            # Requests choose the word: keep those alone that some model has.
            if known.any():
                self._offering[capability] = known
        return known

    def outstanding(self, busy: Mapping[str, int]) -> Floats:
        """The tokens that each model has before it, of those that are ``busy``."""
        column = self.idle
        for model, tokens in busy.items():
            row = self.position.get(model)
            if row is not None:
                column = column.copy() if column is self.idle else column
                column[row] = tokens
        return column


def is_local(record: ModelRecord) -> bool:
    """Whether the model runs in this service."""
    return record.format is not ModelFormat.API


def answer_of(record: ModelRecord) -> float:
    """The most tokens that an answer may have."""
    most = record.limits.max_tokens
    return np.inf if most is None else most


def stable_hash(text: str) -> int:
    """64 bits that depend on ``text`` alone."""
    encoded = text.encode(errors="surrogatepass")
    return int.from_bytes(blake2b(encoded, digest_size=8).digest(), "big")


def price_of(record: ModelRecord, prices: Prices) -> tuple[float, float]:
    """US dollars a token of prompt and of answer; a model of this service costs nothing."""
    if is_local(record):
        return 0.0, 0.0
    price = prices.per_million(record)
    return (np.nan, np.nan) if price is None else (price.input / 1e6, price.output / 1e6)


def quality_of(record: ModelRecord) -> float:
    """The declared quality, or NaN."""
    return np.nan if record.quality is None else record.quality


def context_of(record: ModelRecord) -> float:
    """The declared context in tokens, or NaN."""
    length = record.config.context_length
    return np.nan if length is None else float(length)
