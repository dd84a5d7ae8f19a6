from __future__ import annotations

from llm_runner_router.decision import Decision, Exclusion, ScoredCandidate
from llm_runner_router.preferences import Routing, Strategy
from llm_runner_router.types import Request
from unit.cli.services import FakeService, lines, run


def test_the_request_is_what_was_asked(service: FakeService) -> None:
    run("route", "why?")
    run("route", "why?", "--model", "chat", "--strategy", "cost-optimized")
    assert service.asked == [
        Request(prompt="why?"),
        Request(prompt="why?", model="chat", routing=Routing(Strategy.COST_OPTIMIZED)),
    ]


def test_a_choice_is_explained(service: FakeService) -> None:
    service.decision = Decision(
        "a",
        "balanced",
        [
            ScoredCandidate("a", 0.9, {"quality": 1.0, "cost": 0.8}),
            ScoredCandidate("[b]", 0.5, {"quality": 0.25, "speed": 0.1254}),
        ],
        [Exclusion("c", "its circuit is open [soon]")],
        ["[b]", "d"],
        "tier",
    )
    result = run("route", "why?")
    assert result.output.startswith("a, by balanced, by the rule tier, then [b], d\n")
    assert lines(result) == [
        ["candidate", "score", "quality", "cost", "speed"],
        ["a", "0.900", "1.000", "0.800", ""],
        ["[b]", "0.500", "0.250", "", "0.125"],
        ["excluded", "because"],
        ["c", "its circuit is open [soon]"],
    ]


def test_one_named_model_needs_no_table(service: FakeService) -> None:
    service.decision = Decision("m")
    assert run("route", "why?", "--model", "m").output == "m\n"
