"""The list of planted faults fits the tree, and the runner tells a killed one from a survivor."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import mutants
import pytest
from mutant_list import Mutant, MutantError, StaleMutantError, chosen, read_mutants
from mutant_tree import MutantTree
from rich.console import Console

ROOT = Path(__file__).parents[2]
LISTED = read_mutants(mutants.LIST)
SOUND = "def half(number):\n    return number // 2\n"
TEST = "from llm_runner_router import half\n\ndef test_half():\n    assert half(7) == 3\n"


@pytest.mark.parametrize("mutant", LISTED, ids=lambda mutant: mutant.name)
def test_each_mutant_fits_the_tree(mutant: Mutant) -> None:
    sound = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutant.applied_to(sound) != sound
    for test in mutant.tests:
        file, *parts = test.split("::")
        names = [part.partition("[")[0] for part in parts]
        text = (ROOT / file).read_text(encoding="utf-8")
        assert all(re.search(rf"\b(def|class) {name}\b", text) for name in names), test


def test_the_promised_number_of_mutants_is_listed() -> None:
    assert len(LISTED) >= 20


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A tree with one function and its test."""
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\n",
        "python/llm_runner_router/__init__.py": SOUND,
        "tests/test_half.py": TEST,
    }
    for name, text in files.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q", tmp_path / "source"], check=True)
    return tmp_path / "source"


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> MutantTree:
    return MutantTree(source, tmp_path / "copy")


def mutant(find: str, replace: str) -> Mutant:
    file = "python/llm_runner_router/__init__.py"
    return Mutant("fault", file, find, replace, ("tests/test_half.py",))


def run(tree: MutantTree, fault: Mutant) -> tuple[int, str]:
    """The exit code and what was printed."""
    console = Console(file=io.StringIO(), width=200)
    code = mutants.run((fault,), tree, console)
    return code, console.file.getvalue()


@pytest.fixture(autouse=True)
def own_lock_and_few_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "FOLDER", tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_timeout")


def test_a_fault_that_a_test_notices_is_killed(tree: MutantTree) -> None:
    code, printed = run(tree, mutant("number // 2", "number / 2"))
    assert code == 0
    assert "1 killed" in printed
    assert "test_half.py::test_half" in printed


def test_a_fault_that_takes_the_process_down_is_killed(tree: MutantTree) -> None:
    code, printed = run(tree, mutant("return", "__import__('os').abort()\n    return"))
    assert code == 0
    assert "ended by SIGABRT" in printed


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (mutant("number // 2", "number >> 1"), "survived"),
        (mutant("number // 3", "number"), "stale"),
        (mutant("number", "value"), "stale"),
        (mutant("def half", "def double"), "broken"),  # the test cannot be collected
    ],
)
def test_anything_else_fails_the_run(tree: MutantTree, fault: Mutant, verdict: str) -> None:
    code, printed = run(tree, fault)
    assert code == 1
    assert f"1 {verdict}" in printed


def test_the_tests_must_be_green_without_a_fault(source: Path, tree: MutantTree) -> None:
    (source / "tests/test_half.py").write_text(TEST.replace("3", "4"), encoding="utf-8")
    with pytest.raises(MutantError, match="not green without a fault"):
        run(tree, mutant("number // 2", "number / 2"))


def test_the_source_stays_as_it_is(source: Path, tree: MutantTree) -> None:
    run(tree, mutant("number // 2", "number / 2"))
    assert (source / "python/llm_runner_router/__init__.py").read_text(encoding="utf-8") == SOUND


def test_a_refresh_repairs_adds_and_removes(source: Path, tree: MutantTree, tmp_path: Path) -> None:
    tree.refresh()
    copy = tmp_path / "copy" / "tree"
    (copy / "python/llm_runner_router/__init__.py").write_text("left by a killed run")
    (source / "tests/test_half.py").rename(source / "tests/test_other.py")
    tree.refresh()
    assert (copy / "python/llm_runner_router/__init__.py").read_text(encoding="utf-8") == SOUND
    assert [path.name for path in (copy / "tests").iterdir()] == ["test_other.py"]


def test_a_package_from_elsewhere_is_noticed(source: Path, tree: MutantTree) -> None:
    (source / "python/llm_runner_router").rename(source / "python/other")
    tree.refresh()
    with pytest.raises(MutantError, match="imported from"):
        tree.check_that_it_wins()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[mutant]]\nname = "x"', "x: a mutant has"),
        ('[[mutant]]\nname="x"\nfile="f"\nfind="a"\nreplace="b"\ntests=[]', "x: a mutant has"),
        (2 * '[[mutant]]\nname="x"\nfile="f"\nfind="a"\nreplace="b"\ntests=["t"]\n', "twice: x"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mutants.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MutantError, match=message):
        read_mutants(path)


def test_names_choose() -> None:
    first, second = LISTED[:2]
    assert chosen(LISTED, [second.name, first.name]) == (first, second)
    with pytest.raises(MutantError, match="no such mutant: nonsense"):
        chosen(LISTED, ["nonsense"])


def test_text_that_stands_twice_is_stale() -> None:
    with pytest.raises(StaleMutantError, match="2 times"):
        mutant("number", "value").applied_to(SOUND)
