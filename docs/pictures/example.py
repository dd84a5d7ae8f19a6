# ruff: noqa: INP001 - a script beside its pictures, not a package
"""One example that every strategy decides: five models, what is known of them, one request."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from llm_runner_router.config.tree import Config
from llm_runner_router.decision import Decision
from llm_runner_router.preferences import Requirements, Routing, Strategy
from llm_runner_router.registry.records import Alias, AliasTarget, ModelRecord, Pricing
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage.ledger import UsageLedger
from llm_runner_router.routing.breaker import Breakers
from llm_runner_router.routing.budgets import Budgets
from llm_runner_router.routing.cost import Prices
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.router import ModelRouter
from llm_runner_router.types import ModelFormat, Request

DECISIONS = 1000
PROMPT_TOKENS = 500
CONFIG = Config.checked({"routing": {"seed": 7}})
PROMPT = "You answer questions about our products from the manual below. " * 32
REQUEST = Request(prompt=PROMPT, max_tokens=200)
ALIAS = Alias("chat", (AliasTarget("small", 70), AliasTarget("fast", 20), AliasTarget("new", 10)))


def behind_an_api(
    model: str, prices: tuple[float, float], quality: float | None, capabilities: str = ""
) -> ModelRecord:
    """A model with prices for a million tokens of prompt and of answer."""
    return ModelRecord(
        id=model,
        name="",
        format=ModelFormat.API,
        source=model,
        provider="openai-compatible",
        pricing=Pricing(*prices),
        quality=quality,
        capabilities=("text-generation", *capabilities.split()),
    )


MODELS: Mapping[str, str] = {
    "small": "cheap and small",
    "large": "dear and strong",
    "fast": "the fastest",
    "local": "runs here, free",
    "new": "not measured yet",
}
RECORDS = (
    behind_an_api("small", (0.15, 0.60), 0.55),
    behind_an_api("large", (3.00, 15.00), 0.95, "tools vision"),
    behind_an_api("fast", (0.60, 0.80), 0.65, "tools"),
    ModelRecord(
        id="local", name="", format=ModelFormat.GGUF, source="/models/local.gguf", quality=0.40
    ),
    behind_an_api("new", (1.00, 3.00), None, "tools vision"),
)
MEASURED: Mapping[str, tuple[float, float]] = {
    "small": (350.0, 12.0),
    "large": (900.0, 25.0),
    "fast": (120.0, 3.0),
    "local": (250.0, 40.0),
}
"""Milliseconds to the first token, and for each token after it."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a strategy is shown with beyond the models: a request, work, answers, feedback."""

    about: str
    request: Request = REQUEST
    outstanding: Mapping[str, int] = field(default_factory=dict)
    served: Sequence[str] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    judged: Mapping[str, float] = field(default_factory=dict)
    counted: bool = False


def asked(requirements: Requirements) -> Request:
    """The request with requirements."""
    return replace(REQUEST, routing=Routing(requirements=requirements))


BUSY = {"small": 2000, "large": 600, "fast": 9000, "local": 1200}
CASES: Mapping[Strategy, Case] = {
    Strategy.QUALITY_FIRST: Case("The best by your judgement. An unknown quality is middling."),
    Strategy.COST_OPTIMIZED: Case(
        "The cheapest for this request; the request asks for a quality of at least 0.5.",
        asked(Requirements(min_quality=0.5)),
    ),
    Strategy.SPEED_PRIORITY: Case("The first to have answered. The unmeasured one is tried."),
    Strategy.BALANCED: Case("Quality, cost and speed by their weights (0.4, 0.3, 0.3)."),
    Strategy.RANDOM: Case("Any, with equal chances.", counted=True),
    Strategy.ROUND_ROBIN: Case("One after the other in the order of ids.", counted=True),
    Strategy.LEAST_LOADED: Case(
        "The less loaded of two that chance picks (here the two with a second part).",
        outstanding=BUSY,
    ),
    Strategy.CAPABILITY_MATCH: Case(
        "The request needs tools: whoever can little else leaves the specialists free.",
        asked(Requirements(capabilities=("tools",))),
    ),
    Strategy.PREFIX_AFFINITY: Case(
        "small and fast have seen this prompt before, but much work waits for fast.",
        outstanding=BUSY,
        served=("small", "fast"),
    ),
    Strategy.WEIGHTED: Case(
        "An alias with the weights small 70, fast 20, new 10.",
        replace(REQUEST, model=ALIAS.id),
        counted=True,
    ),
    Strategy.CANARY: Case(
        "The same alias; each caller meets the same model again.",
        replace(REQUEST, model=ALIAS.id),
        counted=True,
    ),
    Strategy.ADAPTIVE: Case(
        "A draw from what is believed. small failed in its last 10 tries; fast was judged 0.3.",
        failures={"small": 10},
        judged={"fast": 0.3},
    ),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out: the explained decision, and how often each model was chosen of DECISIONS.

    ``shares`` is empty where one decision tells it all.
    """

    case: Case
    decision: Decision
    shares: Mapping[str, int]


async def outcome(strategy: Strategy) -> Outcome:
    """What the router decides in the strategy's case."""
    case = CASES[strategy]
    routing = replace(case.request.routing, strategy=strategy)
    request = replace(case.request, routing=routing)
    async with market(case) as router:
        decision = router.plan(request, "caller", explain=True).decision
        if not case.counted:
            return Outcome(case, decision, {})
        chosen = [router.plan(request, caller_of(number)) for number in range(DECISIONS)]
    return Outcome(case, decision, Counter(plan.decision.model for plan in chosen))


def caller_of(number: int) -> str:
    """One of as many callers as there are decisions."""
    return f"caller-{number}"


@asynccontextmanager
async def market(case: Case) -> AsyncIterator[ModelRouter]:
    """The router with everything that the case says."""
    store = await RegistryStore.open(None)
    ledger = await UsageLedger.open(store.database)
    measurements, loads = observed(case), Loads()
    try:
        for record in RECORDS:
            await store.add(record)
        await store.set_alias(ALIAS)
        budgets = Budgets(ledger, config)
        breakers = Breakers(lambda: CONFIG.routing, time.monotonic)
        router = ModelRouter(store, measurements, loads, breakers, Prices(), budgets, config)
        for model in case.served:
            router.served(model, case.request)
        with ExitStack() as work:
            for model, tokens in case.outstanding.items():
                work.enter_context(loads.carrying(model, tokens))
            yield router
    finally:
        await ledger.close()
        await store.close()


def config() -> Config:
    """The configuration: defaults, and a seed."""
    return CONFIG


def observed(case: Case) -> Measurements:
    """Forty answers of each measured model, the failures last, and what callers judged."""
    measurements = Measurements()
    for model, (first, token) in MEASURED.items():
        failures = case.failures.get(model, 0)
        for number in range(40):
            failed = number >= 40 - failures
            pace = (None, None) if failed else (first, token)
            measurements.observe(
                model, PROMPT_TOKENS, first_token_ms=pace[0], token_ms=pace[1], failed=failed
            )
    for model, score in case.judged.items():
        for _ in range(20):
            measurements.reward(model, PROMPT_TOKENS, score)
    return measurements
