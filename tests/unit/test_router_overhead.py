"""The arithmetic of the overhead's benchmark, and that it runs. No test here asserts a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Never

import pytest
from benchmarks import decision_time, peer_environments, router_overhead, routers
from benchmarks.router_overhead import STRAIGHT, Plan, Prompts, Taken

from llm_runner_router.preferences import Strategy


def taken(times: list[float], per_second: float) -> Taken:
    return Taken(times, [2 * time for time in times], [per_second])


def test_what_a_way_adds_is_its_time_less_that_of_the_straight_way() -> None:
    ways = router_overhead.summary(
        {STRAIGHT: taken([1.0] * 10, 1000), "other": taken([3.0] * 9 + [103.0], 50)}
    )
    assert ways[STRAIGHT]["added_ms"] == {"median": 0.0, "p99": 0.0}
    assert ways["other"]["request_ms"]["median"] == 3.0
    assert ways["other"]["added_ms"]["median"] == 2.0
    assert ways["other"]["added_ms"]["p99"] == pytest.approx(93.0)
    assert ways["other"]["added_first_text_ms"]["median"] == 4.0
    assert ways["other"]["requests_per_second"] == 50


def test_ratios_above_one_mean_that_ours_is_better() -> None:
    ways = router_overhead.summary(
        {
            STRAIGHT: taken([1.0] * 2, 1000),
            routers.OURS: taken([3.0] * 2, 500),
            "smg": taken([2.0] * 2, 2000),
            "litellm": taken([21.0] * 2, 50),
        }
    )
    assert router_overhead.ratios(ways) == {
        "added median against smg": 0.5,
        "requests a second against smg": 0.25,
        "added median against litellm": 10.0,
        "requests a second against litellm": 10.0,
    }
    del ways[routers.OURS]
    assert router_overhead.ratios(ways) == {}


def test_prompts_never_come_twice_and_are_those_of_the_seed() -> None:
    first, again = Prompts(1), Prompts(1)
    said = [first() for _ in range(1000)]
    assert len(set(said)) == 1000
    assert [again() for _ in range(1000)] == said


async def test_the_echo_says_whole_and_streamed_answers_back() -> None:
    with routers.echo() as (_, running):
        way = running.way()
        try:
            await way.ask('hello "big" wörld')
            assert await way.first_seconds("hello big world") > 0
            await way.ask("again, on the same connection")
        finally:
            await way.close()
    with pytest.raises(RuntimeError, match="the answer to 'a' is 'b'"):
        routers.check("b", "a")


def test_a_run_names_the_peer_that_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(_: int) -> Never:
        raise RuntimeError("smg cannot be installed: no such package")

    monkeypatch.setitem(routers.PEERS, "smg", absent)
    plan = Plan(rounds=1, requests=3, streams=2, at_once=4, seconds=0.05, decisions=1)
    monkeypatch.setattr(router_overhead, "QUICK", plan)
    output = tmp_path / "out" / "r.json"
    router_overhead.main(["smg", "--quick", "--output", str(output)])
    result = json.loads(output.read_text())
    assert list(result["ways"]) == [STRAIGHT]
    assert result["ways"][STRAIGHT]["requests_per_second"] > 0
    assert result["missing"] == {"smg": "smg cannot be installed: no such package"}
    assert result["ratios"] == {}
    assert result["settings"]["at_once"] == 4
    assert result["versions"]["llm-runner-router"]
    times = result["decision_microseconds"]
    assert {size: set(found) for size, found in times.items()} == {
        str(size): set(Strategy) for size in decision_time.SIZES
    }
    assert "smg was not measured: smg cannot be installed" in capsys.readouterr().out


def test_an_unknown_way_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        router_overhead.main(["nobody"])
    assert "way is nobody; allowed: llm-runner-router, " in capsys.readouterr().err


def test_an_environment_is_filled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_environments, "FOLDER", tmp_path)
    done = tmp_path / "smg" / peer_environments.DONE
    done.parent.mkdir()
    done.write_text("smg==1")
    assert peer_environments.commands_of("smg", "smg==1") == tmp_path / "smg" / "bin"
    assert peer_environments.installed_version("smg", "smg") is None
