from __future__ import annotations

import pytest

from llm_runner_router.errors import ResourceNotFoundError, UnavailableError
from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.records import Alias, AliasRule, AliasTarget
from unit.cli.services import FakeService, lines, run


def test_set_says_which_models_stand_behind_a_name(service: FakeService) -> None:
    result = run(
        *("aliases", "set", "chat", "a", "b=0.5", "x=y=2"),
        *("--strategy", "canary", "--fallback", "c", "--fallback", "d"),
    )
    assert result.exit_code == 0, result.output
    targets = (AliasTarget("a"), AliasTarget("b", 0.5), AliasTarget("x=y", 2.0))
    assert service.asked == [Alias("chat", targets, Strategy.CANARY, ("c", "d"))]
    assert result.output == "set chat: a, b=0.5, x=y=2\n"


def test_set_leaves_the_choice_to_the_service(service: FakeService) -> None:
    assert run("aliases", "set", "chat", "a").exit_code == 0
    assert service.asked == [Alias("chat", (AliasTarget("a"),))]


@pytest.mark.parametrize("text", ["a=", "a=x", "=1", "a=-1", "a=nan", "a=inf"])
def test_a_wrong_weight_is_refused(service: FakeService, text: str) -> None:
    result = run("aliases", "set", "chat", "b", text)
    assert result.exit_code == 2
    assert "model=weight" in result.output
    assert not service.asked


def test_rules_send_metadata_to_models(service: FakeService) -> None:
    result = run(
        *("aliases", "set", "chat", "a", "--rule", "tier=gold,silver:big"),
        *("--rule", "mode=x=y:llama:8b"),
    )
    assert result.exit_code == 0, result.output
    rules = (
        AliasRule("tier", ("gold", "silver"), "big"),
        AliasRule("mode", ("x=y",), "llama:8b"),
    )
    assert service.asked == [Alias("chat", (AliasTarget("a"),), rules=rules)]


@pytest.mark.parametrize("text", ["tier", "tier=gold", "tier=:big", "=gold:big", "tier=a,,b:c", ""])
def test_a_wrong_rule_is_refused(service: FakeService, text: str) -> None:
    result = run("aliases", "set", "chat", "a", "--rule", text)
    assert result.exit_code == 2
    assert "key=value,value:model" in result.output
    assert not service.targets


CHAT = Alias(
    "chat",
    [AliasTarget("a"), AliasTarget("[b]", 0.25)],
    Strategy.WEIGHTED,
    ["c", "d"],
    [AliasRule("tier", ["gold", "silver"], "big"), AliasRule("x", ["y"], "z")],
)


def test_set_says_all_that_it_has_replaced(service: FakeService) -> None:
    service.aliases = [CHAT, Alias("plain", [AliasTarget("a")])]
    assert run("aliases", "set", "chat", "e").output == (
        "set chat: e\n"
        "replaced: a, [b]=0.25; by weighted; then c, d; tier is gold or silver: big; x is y: z\n"
    )
    assert service.asked == [Alias("chat", (AliasTarget("e"),))]
    assert run("aliases", "set", "plain", "e").output == "set plain: e\nreplaced: a\n"


def test_show_tells_all_of_an_alias(service: FakeService) -> None:
    service.aliases = [CHAT, Alias("plain", [AliasTarget("a")])]
    shown = run("aliases", "show", "chat").output
    assert [" ".join(line.split()) for line in shown.splitlines()] == [
        "alias chat",
        "models a",
        "[b]=0.25",
        "strategy weighted",
        "fallbacks c",
        "d",
        "rules tier is gold or silver: big",
        "x is y: z",
    ]
    assert run("aliases", "show", "plain").output.split() == ["alias", "plain", "models", "a"]
    missing = run("aliases", "show", "none")
    assert (missing.exit_code, missing.output) == (1, "error: alias 'none' is unknown\n")


def test_list_shows_all_there_is(service: FakeService) -> None:
    service.aliases = [
        Alias(
            "chat",
            [AliasTarget("a"), AliasTarget("[b]", 0.25)],
            Strategy.WEIGHTED,
            ["c"],
            [AliasRule("tier", ["gold", "silver"], "big")],
        ),
        Alias("plain", [AliasTarget("a")]),
    ]
    assert lines(run("aliases", "list")) == [
        ["alias", "models", "strategy", "fallbacks", "rules"],
        ["chat", "a, [b]=0.25", "weighted", "c", "tier is gold or silver: big"],
        ["plain", "a", "", "", ""],
    ]


def test_remove_forgets(service: FakeService) -> None:
    assert run("aliases", "remove", "chat").output == "removed chat\n"
    assert service.asked == [("delete", "chat")]


def test_a_failure_is_one_line_and_an_exit_code(service: FakeService) -> None:
    service.failure = ResourceNotFoundError("alias", "chat")
    result = run("aliases", "remove", "chat")
    assert (result.exit_code, result.output) == (1, "error: alias 'chat' is unknown\n")
    service.failure = UnavailableError("away")
    assert run("aliases", "set", "chat", "a").exit_code == 3
    assert service.open == 0
