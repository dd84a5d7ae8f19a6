from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.errors import (
    BudgetError,
    InvalidRequestError,
    ModelNotFoundError,
    NoCandidateError,
    RateLimitError,
    ResourceNotFoundError,
    UnavailableError,
)
from llm_runner_router.preferences import Requirements, Routing, Strategy, TemplateUse
from llm_runner_router.registry.records import (
    Alias,
    AliasRule,
    AliasTarget,
    Pricing,
    PromptTemplate,
)
from llm_runner_router.types import Message, Request, Role
from unit.routing.market import Market, local, remote

A, B, C = (
    remote(name, quality=quality, pricing=Pricing(price, price))
    for name, quality, price in (("a", 0.9, 30.0), ("b", 0.6, 3.0), ("c", 0.3, 1.0))
)
BOTH = Alias("both", (AliasTarget("a"), AliasTarget("b")), Strategy.QUALITY_FIRST, ("c",))


def ask(model: str | None = None, metadata: Mapping[str, str] | None = None, **routing: Any) -> Any:
    return Request(prompt="hello", model=model, metadata=metadata or {}, routing=Routing(**routing))


def lacking(**requirements: Any) -> Requirements:
    return Requirements(**requirements)


def test_a_named_model_answers_alone() -> None:
    plan = Market(A, B).plan(ask("b"))
    assert [record.id for record in plan.order] == ["b"]
    assert (plan.decision.model, plan.decision.strategy) == ("b", "")
    assert plan.decision.fallbacks == []
    assert plan.prompt_tokens == 2


def test_the_strategy_is_the_requests_then_the_aliass_then_the_services() -> None:
    market = Market(A, B, C, aliases=[BOTH], routing={"strategy": "cost-optimized"})
    assert market.order(ask("both", strategy=Strategy.COST_OPTIMIZED)) == ["b", "a", "c"]
    assert market.order(ask("both")) == ["a", "b", "c"]
    assert market.order(ask()) == ["c", "b", "a"]
    assert market.plan(ask()).decision.strategy == "cost-optimized"


def test_the_default_answers_requests_that_name_nothing() -> None:
    assert Market(A, B, models={"default": "b"}).order(ask()) == ["b"]
    alias = Market(A, B, C, aliases=[BOTH], models={"default": "both"})
    assert alias.order(ask()) == ["a", "b", "c"]
    with pytest.raises(ModelNotFoundError, match="'gone'"):
        Market(A, models={"default": "gone"}).plan(ask())


def test_unknown_names() -> None:
    with pytest.raises(ModelNotFoundError, match="no model is registered"):
        Market().plan(ask())
    with pytest.raises(ModelNotFoundError, match="'gone'"):
        Market(A).plan(ask("gone"))
    with pytest.raises(InvalidRequestError, match=r"routing.fallbacks\[1\]: 'gone'"):
        Market(A, B).plan(ask("a", fallbacks=("b", "gone")))
    empty = Alias("empty", (AliasTarget("gone"),))
    with pytest.raises(ModelNotFoundError, match="no target of alias 'empty' is registered"):
        Market(A, aliases=[empty]).plan(ask("empty"))


def test_a_rule_decides_before_the_strategy_and_before_an_earlier_turn() -> None:
    rules = (AliasRule("tier", ("free", "trial"), "c"), AliasRule("tier", ("free",), "b"))
    alias = Alias("ruled", BOTH.targets, Strategy.QUALITY_FIRST, rules=rules)
    market = Market(A, B, C, aliases=[alias])
    plan = market.plan(ask("ruled", {"tier": "free"}), prefer="b")
    assert (plan.decision.model, plan.decision.rule) == ("c", "tier=free")
    assert plan.decision.fallbacks == ["a", "b"]
    other = market.plan(ask("ruled", {"tier": "paid"}))
    assert (other.decision.model, other.decision.rule) == ("a", "")
    market.around.open.add("c")
    hindered = market.plan(ask("ruled", {"tier": "free"}))
    assert (hindered.decision.model, hindered.decision.rule) == ("a", "")


def test_an_earlier_turns_model_goes_first_where_it_may() -> None:
    market = Market(A, B, C, aliases=[BOTH])
    assert market.order(ask("both"), prefer="b") == ["b", "a", "c"]
    assert market.order(ask("both"), prefer="c") == ["a", "b", "c"]
    market.around.open.add("b")
    assert market.order(ask("both"), prefer="b") == ["a", "c"]


def test_fallbacks_of_the_request_come_last_and_once() -> None:
    market = Market(A, B, C, aliases=[BOTH])
    assert market.order(ask("c", fallbacks=("both", "b"))) == ["c", "a", "b"]
    assert market.order(ask("both", fallbacks=("b", "c"))) == ["a", "b", "c"]
    assert market.order(ask("c", fallback_to_capable=True)) == ["c", *market.order(ask())[:2]]


def test_without_automatic_fallback_only_those_that_the_request_names() -> None:
    market = Market(A, B, C, aliases=[BOTH], routing={"enable_fallback": False})
    assert market.order(ask("both")) == ["a"]
    assert market.order(ask("both", fallbacks=("c",))) == ["a", "c"]


def test_fallbacks_meet_the_requirements_too() -> None:
    market = Market(A, B, C, aliases=[BOTH])
    wanted = lacking(min_quality=0.5)
    assert market.order(ask("both", requirements=wanted)) == ["a", "b"]
    assert market.order(ask("c", requirements=wanted, fallbacks=("c", "b"))) == ["b"]
    with pytest.raises(NoCandidateError) as caught:
        market.plan(ask("c", requirements=wanted))
    assert caught.value.excluded == {"c": "its quality of 0.3 is below 0.5"}


def test_open_circuits_are_passed_by() -> None:
    market = Market(A, B, C, aliases=[BOTH])
    market.around.open.update("ac")
    assert market.order(ask("both")) == ["b"]
    assert market.order(ask("a", fallbacks=("b",))) == ["b"]
    with pytest.raises(UnavailableError, match=r"a: its circuit breaker is open, for 12.0") as one:
        market.plan(ask("a"))
    assert one.value.reason == "CIRCUIT_OPEN"
    with pytest.raises(UnavailableError) as all_of_them:
        market.plan(ask("both", requirements=lacking(min_quality=0.8)))
    assert all_of_them.value.reason == "CIRCUIT_OPEN"


def test_spent_budgets_are_passed_by() -> None:
    budgets = {"models": {"a": {"day": 1.0}, "c": {"day": 1.0}}}
    market = Market(A, B, C, aliases=[BOTH], budgets=budgets)
    market.around.spent.update("ac")
    assert market.order(ask("both")) == ["b"]
    with pytest.raises(BudgetError, match="model a, day"):
        market.plan(ask("a"))
    with pytest.raises(NoCandidateError):
        market.plan(ask("a", requirements=lacking(min_quality=1.0)))


def test_a_change_of_the_registry_is_seen() -> None:
    market = Market(A, B, C, aliases=[BOTH], routing={"strategy": "quality-first"})
    assert market.order(ask())[0] == "a"
    market.store.change(remote("d", quality=1.0), removed=["a"])
    assert market.order(ask())[0] == "d"
    assert market.order(ask("both")) == ["b", "c"]


def test_measurements_are_seen_as_they_come() -> None:
    market = Market(A, B, routing={"strategy": "speed-priority"})
    market.observe("a", 100.0)
    market.observe("b", 200.0)
    assert market.order(ask()) == ["a", "b"]
    for _ in range(5):
        market.observe("a", 900.0)
    assert market.order(ask()) == ["b", "a"]
    market.measurements.restore([])
    assert market.order(ask()) == ["b", "a"]


def test_load_is_seen_as_it_comes() -> None:
    market = Market(A, B, routing={"strategy": "least-loaded"})
    with market.loads.carrying("a", 10):
        assert {market.order(ask())[0] for _ in range(20)} == {"b"}
    with market.loads.carrying("b", 10):
        assert {market.order(ask())[0] for _ in range(20)} == {"a"}


def test_turns_are_fair_for_each_group_and_set_of_candidates() -> None:
    market = Market(A, B, C, aliases=[BOTH], routing={"strategy": "round-robin"})
    strategy = Strategy.ROUND_ROBIN
    chosen = [market.order(ask())[0] for _ in range(7)]
    assert chosen == ["a", "b", "c", "a", "b", "c", "a"]
    assert market.order(ask("both", strategy=strategy))[0] == "a"
    assert market.order(ask(requirements=lacking(min_quality=0.5)))[0] == "a"
    assert market.order(ask()) == ["b", "c", "a"]


def test_prefix_affinity_sends_a_conversation_to_who_has_seen_it() -> None:
    market = Market(A, B, C, routing={"strategy": "prefix-affinity"})
    first = Message(Role.USER, "x" * 3000)
    turn = Request(messages=[first])
    market.router.served("b", turn)
    longer = Request(messages=[first, Message(Role.ASSISTANT, "y"), Message(Role.USER, "z")])
    assert market.order(longer)[0] == "b"
    with market.loads.carrying("b", 1_000_000):
        assert market.order(longer)[0] != "b"
    market.router.forget("b")
    assert market.plan(longer).decision.candidates[0].parts["affinity"] == 0.0


def test_canary_sticks_to_the_affinity_key_else_to_the_caller() -> None:
    targets = (AliasTarget("a", 9.0), AliasTarget("b", 1.0))
    market = Market(A, B, aliases=[Alias("split", targets, Strategy.CANARY)])
    request = ask("split")
    first = {str(n): market.order(request, str(n))[0] for n in range(300)}
    assert {key: market.order(request, key)[0] for key in first} == first
    assert 10 <= Counter(first.values())["b"] <= 60
    for key, model in list(first.items())[:40]:
        assert market.order(ask("split", affinity=key))[0] == model


def test_a_template_leaves_its_models_and_makes_the_prompt() -> None:
    market = Market(A, B)
    market.store.texts["t"] = PromptTemplate("t", "Say {word}!", model_compatibility=("b*",))
    use = TemplateUse("t", {"word": "x" * 400})
    plan = market.plan(Request(template=use))
    assert [record.id for record in plan.order] == ["b"]
    assert plan.prompt_tokens == 102
    assert market.plan(Request(template=use, prompt="Say it!")).prompt_tokens == 2
    with pytest.raises(NoCandidateError, match="template 't' is not meant for it"):
        market.plan(Request(template=use, model="a"))
    with pytest.raises(ResourceNotFoundError):
        market.plan(Request(template=TemplateUse("gone")))


def test_an_explanation_tells_of_every_model_and_remembers_nothing() -> None:
    market = Market(A, B, C, local("d"), aliases=[BOTH], routing={"strategy": "round-robin"})
    wanted = lacking(min_quality=0.5)
    request = ask(requirements=wanted)
    seen = [market.plan(request, explain=True).decision for _ in range(2)]
    assert seen[0] == seen[1]
    assert [found.model for found in seen[0].candidates] == ["a", "b"]
    assert {found.model: found.reason for found in seen[0].excluded} == {
        "c": "its quality of 0.3 is below 0.5",
        "d": "has no declared quality",
    }
    assert market.plan(request).decision.model == seen[0].model
    named = market.plan(ask("b", fallbacks=("c",)), explain=True).decision
    assert [found.model for found in named.candidates] == ["b"]
    assert named.fallbacks == ["c"]
    assert {found.model: found.reason for found in named.excluded} == {
        "a": "the request names 'b'",
        "d": "the request names 'b'",
    }
    aliased = market.plan(ask("both"), explain=True).decision
    assert {found.model: found.reason for found in aliased.excluded} == {
        "d": "is no target of alias 'both'"
    }


@pytest.mark.parametrize("strategy", Strategy)
def test_an_explanation_foresees_the_decision(strategy: Strategy) -> None:
    market = Market(A, B, C, local("d"))
    for _ in range(5):
        foreseen = market.plan(ask(strategy=strategy), explain=True).decision
        decided = market.plan(ask(strategy=strategy)).decision
        assert foreseen.model == decided.model
        assert foreseen.candidates[:3] == decided.candidates
        assert len(foreseen.candidates) == 4


def test_an_answer_tells_of_a_few_candidates_among_many() -> None:
    market = Market(*(remote(f"m{n:03}", quality=n / 200) for n in range(200)))
    request = ask(strategy=Strategy.QUALITY_FIRST)
    plan = market.plan(request)
    assert [found.model for found in plan.decision.candidates] == ["m199", "m198", "m197"]
    assert [record.id for record in plan.order] == ["m199", "m198", "m197"]
    more = ask(strategy=Strategy.QUALITY_FIRST, max_attempts=7)
    assert market.order(more) == [f"m{n}" for n in range(199, 192, -1)]
    assert len(market.plan(request, explain=True).decision.candidates) == 200


def test_who_tokenizes() -> None:
    market = Market(A, B, aliases=[Alias("back", (AliasTarget("gone"), AliasTarget("b")))])
    assert market.router.choose("a") is A
    assert market.router.choose("back") is B
    assert market.router.choose(None) is A
    assert Market(A, B, models={"default": "b"}).router.choose(None) is B
    with pytest.raises(ModelNotFoundError, match="'gone'"):
        market.router.choose("gone")
    with pytest.raises(ModelNotFoundError, match="no model is registered"):
        Market().router.choose(None)


def test_a_model_that_asked_to_be_left_alone_is_left_out_while_another_is_free() -> None:
    market = Market(A, B, aliases=[BOTH])
    market.around.rests = {"a": 12.0, "gone": 9.0}
    plan = market.plan(ask("both"), explain=True)
    assert [record.id for record in plan.order] == ["b"]
    assert [(each.model, each.reason) for each in plan.decision.excluded] == [
        ("a", "asked to be left alone for 12.0 s")
    ]


def test_where_all_ask_to_be_left_alone_the_first_to_come_back_is_told() -> None:
    market = Market(A, B, aliases=[BOTH])
    market.around.rests = {"a": 12.0, "b": 7.0}
    with pytest.raises(RateLimitError) as found:
        market.plan(ask("both"))
    assert found.value.retry_after == 7.0


def candidates(market: Market, request: Request, caller: str = "alice") -> tuple[list[str], str]:
    found = market.router.candidates(request, caller)
    return sorted(record.id for record in found.records), found.sticky


def test_all_that_may_answer_are_candidates_whatever_state_they_are_in() -> None:
    chat = Alias(
        "chat",
        (AliasTarget("a"), AliasTarget("gone")),
        fallbacks=("b",),
        rules=(AliasRule("tier", ("gold",), "c"),),
    )
    spare = Alias("spare", (AliasTarget("d"), AliasTarget("b")))
    d, e = (local(name) for name in "de")
    market = Market(A, B, C, d, e, aliases=[chat, spare])
    market.around.open.add("a")
    request = Request(prompt="x", model="chat")
    assert candidates(market, request) == (["a", "b"], "")
    gold = replace(request, metadata={"tier": "gold"})
    assert candidates(market, gold) == (["a", "b", "c"], "")
    named = replace(request, routing=Routing(fallbacks=("spare",)))
    assert candidates(market, named) == (["a", "b", "d"], "")
    found = market.router.candidates(named, "alice")
    assert (found.alias, list(found.fallbacks)) == (chat, ["b", "d"])
    capable = replace(request, routing=Routing(fallback_to_capable=True))
    assert candidates(market, capable) == (["a", "b", "c", "d", "e"], "")
    assert candidates(market, replace(request, model="e")) == (["e"], "")
    with pytest.raises(InvalidRequestError, match=r"routing.fallbacks\[0\]"):
        candidates(market, replace(request, routing=Routing(fallbacks=("none",))))


def test_a_canary_split_sticks_to_the_affinity_or_else_the_caller() -> None:
    market = Market(A, B, routing={"strategy": "canary"})
    request = Request(prompt="x")
    assert candidates(market, request) == (["a", "b"], "alice")
    tied = replace(request, routing=Routing(affinity="me"))
    assert candidates(market, tied) == (["a", "b"], "me")
    assert candidates(market, replace(request, model="a")) == (["a"], "")
    other = replace(tied, routing=Routing(Strategy.RANDOM, affinity="me"))
    assert candidates(market, other) == (["a", "b"], "")


def test_a_template_that_is_gone_has_no_candidates() -> None:
    with pytest.raises(ResourceNotFoundError):
        candidates(Market(A), Request(template=TemplateUse("gone")))
