from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.environment import entries_of, migrated_environment
from llm_runner_router.migrate.fields import Fate, Field


def migrated(text: str) -> str:
    return migrated_environment(text).text


def test_the_names_of_the_guide() -> None:
    old = "LLM_MAX_CONCURRENT=10\nLLM_CACHE_ENABLED=true\nLLM_LOG_LEVEL=info\n"
    result = migrated_environment(old)
    assert result.text == "MAX_CONCURRENT_REQUESTS=10\nCACHE_ENABLED=true\nLOG_LEVEL=info\n"
    assert list(result.fields) == [
        Field("LLM_MAX_CONCURRENT", Fate.MAPPED, "MAX_CONCURRENT_REQUESTS"),
        Field("LLM_CACHE_ENABLED", Fate.MAPPED, "CACHE_ENABLED"),
        Field("LLM_LOG_LEVEL", Fate.MAPPED, "LOG_LEVEL"),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("export LLM_LOG_LEVEL=info", "export LOG_LEVEL=info"),
        ("  LLM_LOG_LEVEL = 'info' # why\r\n", "  LOG_LEVEL = 'info' # why\r\n"),
        ('LLM_MAX_CONCURRENT="10"', 'MAX_CONCURRENT_REQUESTS="10"'),
        ("LLM_LOG_LEVEL: debug\n\n# end", "LOG_LEVEL: debug\n\n# end"),
        ("\ufeffLLM_LOG_LEVEL=INFO\n", "\ufeffLOG_LEVEL=INFO\n"),
        ("LLM_CACHE_ENABLED=0\n", "CACHE_ENABLED=0\n"),
        ("LLM_LOG_LEVEL=${LEVEL}\n", "LOG_LEVEL=${LEVEL}\n"),
        ("LLM_LOG_LEVEL=warn\nLLM_LOG_LEVEL=info\n", "LOG_LEVEL=warn\nLOG_LEVEL=info\n"),
    ],
)
def test_everything_but_the_name_stays(old: str, new: str) -> None:
    assert migrated(old) == new


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# LLM_LOG_LEVEL=info\n",
        "MY_LLM_LOG_LEVEL=1\nLLM_LOG_LEVEL_2=x\nLLM_FOO=LLM_LOG_LEVEL=5\n",
        'KEY="a\nLLM_LOG_LEVEL=x\n"\n',
        "KEY='a\\' \nLLM_LOG_LEVEL=x'\n",
        "LLM_LOG_LEVEL\n",
        "echo LLM_LOG_LEVEL=info\n",
    ],
)
def test_what_is_no_old_variable_stays(text: str) -> None:
    assert migrated(text) == text


def test_quotes_that_nobody_closes_hide_nothing() -> None:
    assert migrated('NAME="O\nLLM_LOG_LEVEL=info\n') == 'NAME="O\nLOG_LEVEL=info\n'


def test_many_lines_take_no_longer_than_they_should() -> None:
    began = time.process_time()
    assert sum(1 for _ in entries_of("A=\n" * 100_000)) == 100_000
    assert time.process_time() - began < 5  # looking at all that follow each took minutes


def test_the_new_name_wins() -> None:
    result = migrated_environment("LLM_LOG_LEVEL='de\nbug'\nLOG_LEVEL=info\nLLM_CACHE_ENABLED=1\n")
    assert result.text == "# LLM_LOG_LEVEL='de\n# bug'\nLOG_LEVEL=info\nCACHE_ENABLED=1\n"
    old = result.fields[0]
    assert (old.path, old.fate, old.target) == ("LLM_LOG_LEVEL", Fate.UNMAPPED, "")
    assert "LOG_LEVEL" in old.note


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("A=1\nLLM_MAX_CONCURRENT=101\n", "LLM_MAX_CONCURRENT (line 2)"),
        ("LLM_CACHE_ENABLED=maybe\n", "LLM_CACHE_ENABLED (line 1)"),
        ("LOG_LEVEL='loud' # x\n", "LOG_LEVEL (line 1)"),
        ("LLM_LOG_LEVEL=info\nLOG_LEVEL=x$LLM_LOG_LEVEL\n", "LOG_LEVEL (line 2)"),
    ],
)
def test_values_out_of_range_are_refused(text: str, where: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        migrated_environment(text)
    assert caught.value.field == where


def test_what_does_not_win_need_not_be_right() -> None:
    assert migrated("LLM_LOG_LEVEL=loud\nLOG_LEVEL=info\n").startswith("# LLM")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LLM_MAX_CONCURRENT=\n", "MAX_CONCURRENT_REQUESTS=\n"),
        ("LOG_LEVEL=\nLLM_LOG_LEVEL=debug\n", "# LOG_LEVEL=\nLOG_LEVEL=debug\n"),
        ("LLM_LOG_LEVEL=\nLOG_LEVEL=debug\n", "# LLM_LOG_LEVEL=\nLOG_LEVEL=debug\n"),
        ("LLM_LOG_LEVEL=''\nLOG_LEVEL=\n", "# LLM_LOG_LEVEL=''\nLOG_LEVEL=\n"),
    ],
)
def test_empty_text_says_nothing(old: str, new: str) -> None:
    assert migrated(old) == new


@pytest.mark.parametrize("use", ["$LLM_LOG_LEVEL", "${LLM_LOG_LEVEL}", '"${LLM_LOG_LEVEL:-info}"'])
def test_a_new_name_that_repeats_the_old_one_makes_way(use: str) -> None:
    result = migrated_environment(f"LLM_LOG_LEVEL=debug\nLOG_LEVEL={use}\n")
    assert result.text == f"LOG_LEVEL=debug\n# LOG_LEVEL={use}\n"
    assert [field.fate for field in result.fields] == [Fate.MAPPED, Fate.UNMAPPED]
    assert len(result.notes) == 1


def test_a_name_alone_may_be_made_of_the_old_one_of_the_shell() -> None:
    once = migrated("LLM_LOG_LEVEL=${LLM_LOG_LEVEL}$X\n")
    assert once == "LOG_LEVEL=${LLM_LOG_LEVEL}$X\n"
    assert migrated(once) == once


def test_what_a_remark_says_is_no_use_of_a_name() -> None:
    result = migrated_environment("LLM_LOG_LEVEL=debug\nLOG_LEVEL=info # was $LLM_LOG_LEVEL\n")
    assert result.text == "# LLM_LOG_LEVEL=debug\nLOG_LEVEL=info # was $LLM_LOG_LEVEL\n"
    assert not migrated_environment("X=1 # as $LLM_LOG_LEVEL\n").notes


def test_uses_of_old_names_are_told() -> None:
    notes = migrated_environment("LLM_LOG_LEVEL=info\n\nX=a${LLM_LOG_LEVEL}\n").notes
    assert notes[1:] == [".env:3: X uses LLM_LOG_LEVEL, whose name is LOG_LEVEL now"]
    assert "opens no .env" in notes[0]
    assert not migrated_environment("LOG_LEVEL=info\n").notes


NAMES = st.sampled_from(["LLM_LOG_LEVEL", "LOG_LEVEL", "KEY", "LLM_CACHE_ENABLED", "# X"])
LINES = st.builds(
    lambda lead, name, equals, value, end: f"{lead}{name}{equals}{value}{end}",
    st.sampled_from(["", " ", "export ", "\t"]),
    NAMES,
    st.sampled_from(["=", " = ", ": ", " "]),
    st.sampled_from(["'$", '"$a', '$"', "`'$`", "$X"]),
    st.sampled_from(["\n", "\r\n", "", " # c\n"]),
)


@settings(deadline=None)
@given(st.lists(LINES, max_size=6).map("".join))
@example("LLM_LOG_LEVEL='$\n# X='$\nLOG_LEVEL=\"$a\n")
def test_nothing_is_lost_and_a_second_run_changes_nothing(text: str) -> None:
    assert "".join(entry.text for entry in entries_of(text)) == text
    assume("$LLM_" not in text)  # a new name's value that is made of the old one may be refused
    result = migrated_environment(text)
    assert migrated(result.text) == result.text
    names = [entry.name for entry in entries_of(text) if entry.name]
    assert [field.path for field in result.fields] == names
    # What differs are old names, and marks of remarks.
    bare = [
        re.sub(r"LLM_LOG_LEVEL|LOG_LEVEL|(LLM_)?CACHE_ENABLED|(?m:^(# )+)", "", t)
        for t in (text, result.text)
    ]
    assert bare[0] == bare[1]
