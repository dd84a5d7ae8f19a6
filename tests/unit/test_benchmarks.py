"""The benchmarks' arithmetic, and that they run at all. No test here asserts a time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import __main__ as command
from benchmarks import comparison, machine, model, report
from benchmarks.comparison import Comparison
from benchmarks.patience import SETTLE_SECONDS, Patience
from benchmarks.work import WORKLOADS, Workload
from rich.console import Console

from llm_runner_router import _core


def compared(better: str, ours: tuple[float, ...], peer: tuple[float, ...]) -> Comparison:
    return Comparison("w", "about", "unit", better, "peer", ours, peer)  # type: ignore[arg-type]


def test_ratio_says_how_many_times_better_ours_is() -> None:
    speeds = compared("more", (10.0, 30.0, 20.0), (10.0, 5.0, 40.0))
    assert speeds.ratio == 2.0
    assert speeds.ratios == (1.0, 6.0, 0.5)
    times = compared("less", (4.0, 2.0), (1.0, 1.0))
    assert times.ratio == pytest.approx(1 / 3)
    assert times.ratios == (0.25, 0.5)


def test_json_of_a_comparison() -> None:
    found = compared("more", (1.0, 3.00000001), (2.0, 2.0)).to_json()
    assert (found["ours"], found["peer"], found["ratio"]) == (2.0, 2.0, 1.0)
    assert found["runs"] == {"ours": [1.0, 3.0], "peer": [2.0, 2.0], "ratios": [0.5, 1.5]}
    alone = compared("more", (1.0, 3.0), ()).to_json()
    assert (alone["ours"], alone["peer"], alone["ratio"]) == (2.0, None, None)


def test_turns_alternate_and_the_first_of_each_warms_up() -> None:
    order: list[str] = []

    def run(who: str, number: int) -> float:
        order.append(f"{who}{number}")
        return float(number)

    def watched(measure: Callable[[], float]) -> float:
        order.append("-")
        return measure()

    measured = comparison.take_turns(2, lambda n: run("a", n), lambda n: run("b", n), watched)
    assert order == ["-", "a0", "-", "b0", "-", "a1", "-", "b1", "-", "a2", "-", "b2"]
    assert measured == ((1.0, 2.0), (1.0, 2.0))
    assert comparison.take_turns(1, lambda _: 5.0, None, lambda measure: measure()) == ((5.0,), ())


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: work.name)
def test_rounds_are_repeatable_and_share_what_they_say(work: Workload) -> None:
    first, again, other = (work.round(7, number, 500) for number in (1, 1, 2))
    assert first == again
    assert first.prompts != other.prompts
    assert len(first.prompts) == work.streams
    assert {len(p) for p in first.prompts} == {work.shared_tokens + work.own_tokens}
    assert all(p[: work.shared_tokens] == first.prefix for p in first.prompts)
    assert all(model.CONTROL_TOKENS < t < 500 for p in first.prompts for t in p)


def test_what_others_used() -> None:
    begin, end = machine.ProcessorTime(1000, 400, 100), machine.ProcessorTime(1200, 540, 190)
    assert end.others_since(begin) == 0.25
    assert begin.others_since(begin) == 0.0


def test_patience_waits_until_others_leave() -> None:
    used = iter([0, 50, 50, 80, 80, 81, 81, 82])
    clock = iter(range(0, 10_000, 100))
    naps: list[float] = []
    patience = Patience(
        seconds=60.0,
        sleep=naps.append,
        read=lambda: machine.ProcessorTime(next(clock), next(used), 0),
    )
    patience.wait()
    assert len(naps) == 3
    assert patience.seconds == pytest.approx(60.0 - 2 * SETTLE_SECONDS)


def test_patience_ends() -> None:
    clock = iter(range(0, 10_000, 100))
    naps: list[float] = []

    def read() -> machine.ProcessorTime:
        now = next(clock)
        return machine.ProcessorTime(now, now, 0)

    patience = Patience(seconds=SETTLE_SECONDS / 2, sleep=naps.append, read=read)
    patience.wait()
    patience.wait()
    assert len(naps) == 3


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        model.write(path, model.TINY, seed)
    first, again, other = (path.read_bytes() for path in paths)
    assert first == again
    assert first != other
    kinds = {t.name: t.type for t in _core.GgufFile(paths[0]).tensors}
    assert kinds["blk.0.ffn_up.weight"] == "q4_K"
    assert kinds["token_embd.weight"] == "q6_K"


def test_a_quick_run_without_the_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["prefill", "decode-16-shared", "serving-stream"]
    command.main([*names, "--quick", "--no-peer", "--threads", "1", "--output", "out/r.json"])
    result = json.loads(Path("out/r.json").read_text())
    assert list(result["workloads"]) == names
    assert result["settings"] == {"threads": 1, "runs": 1, "clock": "wall", "quick": True}
    assert result["versions"]["llm-runner-router"]
    for name, found in result["workloads"].items():
        assert found["ours"] > 0
        assert (found["peer"] is None) == (name != "serving-stream")
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)


def test_an_unknown_workload_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["decode-17"])
    assert "workload is decode-17; allowed: prefill, " in capsys.readouterr().err


def test_the_table_of_a_comparison_without_a_peer() -> None:
    out = io.StringIO()
    rows = {"w": {**compared("more", (1234.5,), ()).to_json(), "others": None}}
    Console(file=out, width=80).print(report.table(rows))
    assert "1234" in out.getvalue()
