from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PLUGIN = Path(__file__).parents[1] / "plugins" / "skips.py"
MODULE = """
    import pytest

    @pytest.mark.skip(reason="no device")
    @pytest.mark.parametrize("size", [1, 2])
    def test_on_the_device(size):
        pass

    @pytest.mark.xfail(strict=True)
    def test_known_defect():
        assert False

    def test_anywhere():
        pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A tree with the rule, under CI, whose tests/test_device.py skips two cases of one test."""
    monkeypatch.setenv("LLMR_CI", "1")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(skips=PLUGIN.read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\ntestpaths = tests\naddopts = -p skips\npythonpath = .")
    pytester.makepyfile(**{"tests/test_device": MODULE})
    return pytester


def allow(suite: pytest.Pytester, *lines: str) -> None:
    suite.path.joinpath("tests/allowed_skips.txt").write_text("\n".join(lines), encoding="utf-8")


def run(suite: pytest.Pytester, *args: str) -> pytest.RunResult:
    return suite.runpytest_inprocess("-p", "no:cacheprovider", *args)


def test_a_skip_fails_with_its_reason(suite: pytest.Pytester) -> None:
    result = run(suite)
    result.assert_outcomes(passed=1, errors=2, xfailed=1)
    result.stdout.fnmatch_lines(["*tests/allowed_skips.txt does not allow it*no device*"])


@pytest.mark.parametrize("variable", [("CI", "true"), ("LLMR_CI", "1")])
def test_both_variables_mean_ci(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variable: tuple[str, str]
) -> None:
    monkeypatch.delenv("LLMR_CI")
    monkeypatch.setenv(*variable)
    assert run(suite).ret == pytest.ExitCode.TESTS_FAILED


def test_elsewhere_a_skip_is_a_skip(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLMR_CI")
    run(suite).assert_outcomes(passed=1, skipped=2, xfailed=1)


@pytest.mark.parametrize(
    "node_id",
    ["tests", "tests/test_device.py", "tests/test_device.py::test_on_the_device"],
)
def test_an_entry_allows_what_lies_below_it(suite: pytest.Pytester, node_id: str) -> None:
    allow(suite, "# a comment", "", f"{node_id}  # needs a device")
    run(suite).assert_outcomes(passed=1, skipped=2, xfailed=1)


def test_an_entry_allows_one_case_only(suite: pytest.Pytester) -> None:
    allow(suite, "tests/test_device.py::test_on_the_device[1]  # needs a device")
    run(suite).assert_outcomes(passed=1, skipped=1, errors=1, xfailed=1)


def test_part_of_a_name_allows_nothing(suite: pytest.Pytester) -> None:
    allow(suite, "tests/test_device.py::test_on_the  # needs a device")
    result = run(suite)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*names tests that do not exist: *::test_on_the"])


def test_a_module_that_skips_itself_fails(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        **{"tests/test_module": "import pytest; pytest.importorskip('no_such_module')"}
    )
    allow(suite, "tests/test_device.py  # needs a device")
    assert run(suite).ret == pytest.ExitCode.INTERRUPTED
    allow(suite, "tests/test_device.py  # needs a device", "tests/test_module.py  # optional")
    assert run(suite).ret == pytest.ExitCode.OK


def test_a_skip_inside_a_fixture_or_a_test_fails(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        **{
            "tests/test_device": """
                import pytest

                @pytest.fixture
                def device():
                    pytest.skip("no device")

                def test_with_fixture(device):
                    pass

                def test_inside():
                    pytest.skip("no device")
            """
        }
    )
    run(suite).assert_outcomes(errors=1, failed=1)


@pytest.mark.parametrize("entry", ["tests/test_gone.py", "tests/test_device.py::test_gone"])
def test_an_entry_without_its_test_ends_the_run(suite: pytest.Pytester, entry: str) -> None:
    allow(suite, "tests/test_device.py  # needs a device", f"{entry}  # needs a device")
    result = run(suite)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*names tests that do not exist: {entry}"])


def test_a_narrow_run_leaves_other_entries_alone(suite: pytest.Pytester) -> None:
    suite.makepyfile(**{"tests/test_other": "def test_other(): pass"})
    allow(suite, "tests/test_device.py::test_on_the_device  # needs a device")
    assert run(suite, "tests/test_other.py").ret == pytest.ExitCode.OK
    assert run(suite, "tests/test_device.py::test_anywhere").ret == pytest.ExitCode.OK
    assert run(suite, "-k", "anywhere").ret == pytest.ExitCode.OK


def test_an_entry_needs_a_reason(suite: pytest.Pytester) -> None:
    allow(suite, "tests/test_device.py")
    result = run(suite)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*allowed_skips.txt:1: *gives no reason*"])
