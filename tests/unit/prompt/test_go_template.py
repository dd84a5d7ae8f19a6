"""What Go templates of Ollama render to once they are Jinja."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from llm_runner_router.prompt.errors import GoTemplateError
from llm_runner_router.prompt.go_template import jinja_of
from unit.prompt.go_templates import (
    CHATML,
    CONVERSATIONS,
    FAMILIES,
    ONE,
    QWEN,
    TURNS,
    conversation,
    render,
)


@pytest.mark.parametrize("number", range(len(CONVERSATIONS)))
@pytest.mark.parametrize("family", FAMILIES)
def test_families(family: str, number: int) -> None:
    source, expected = FAMILIES[family]
    assert render(source, CONVERSATIONS[number]) == expected[number]


def test_messages_of_one_role_in_a_row_are_one() -> None:
    rows = conversation("system: A", "system: B", "user: C", "user: D", "user: E")
    assert render("{{ range .Messages }}[{{ .Role }} {{ .Content }}]{{ end }}", rows) == (
        "[system A\n\nB][user C\n\nD\n\nE]"
    )
    assert render("{{ .System }}|{{ .Prompt }}|", rows) == "A\n\nB|C\n\nD\n\nE|"


def test_results_of_tools_stay_apart() -> None:
    rows = conversation("user: A", "tool: B", "tool: C", "assistant: D", "tool: E")
    assert render("{{ range .Messages }}[{{ .Content }}]{{ end }}", rows) == "[A][B][C][D][E]"
    # They have no place in a template that knows questions and answers only.
    assert render("({{ .Prompt }}:{{ .Response }})", rows) == "(A:D"


def test_the_system_text_is_that_of_all_messages() -> None:
    rows = conversation("system: A", "user: B", "system: C", "user: D")
    assert render("{{ .System }}{{ range .Messages }}{{ end }}", rows) == "A\n\nC"
    # Turn by turn, each has its own.
    assert render("<{{ .System }}/{{ .Prompt }}>", rows) == "<A/B><C/D>"


def test_an_answer_at_the_end_is_continued() -> None:
    rows = [*ONE, {"role": "assistant", "content": "Hel"}]
    assert render(CHATML.source, rows).endswith("<|im_start|>assistant\nHel")
    assert render(QWEN.source, rows).endswith("<|im_start|>assistant\nHel")


def test_without_generation_prompt_the_last_turn_is_whole() -> None:
    source = "Q{{ .Prompt }}A{{ .Response }}Z"
    assert render(source, TURNS[:2], add_generation_prompt=False) == "QHiAHello.Z"
    assert render(source, TURNS[:2]) == "QHiAHello."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ if .Prompt }}a{{ .Response }}b{{ else }}c{{ end }}d", "a"),
        ("{{ if not .Prompt }}a{{ .Response }}b{{ else }}c{{ end }}d", "c"),
        ("{{ if .Response }}a{{ .Response }}b{{ end }}c", ""),
        ("a{{ $r := .Response }}b{{ $r }}", "a"),
        ('a{{ printf "%s" .Response }}b', "a"),
        ("a{{ with .System }}{{ . }}{{ end }}b", "ab"),
    ],
)
def test_the_last_turn_ends_where_the_answer_begins(source: str, expected: str) -> None:
    assert render(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a {{ 1 }} b", "a 1 b"),
        ("a \n{{- 1 }} b", "a1 b"),
        ("a {{ 1 -}}\t\r\n b", "a 1b"),
        ("a {{- 1 -}} b", "a1b"),
        ("a {{-3 }}", "a -3"),
        ("a {{/* b */}} c", "a  c"),
        ("a {{- /* }} */ -}} c", "ac"),
        ("a {{- /*\n*/}} c", "a c"),
        ("a\n\n{{ if true }}\n b{{ end }}\n", "a\n\n\n b\n"),
        ("{{\n1\n}}{{- -1\n-}}\n2", "1-12"),
        ("a\r\nb{%- c -%}{# d #}{{ `{{ e }}` }}", "a\r\nb{%- c -%}{# d #}{{ e }}"),
        (
            "'\\x41' \\n \x00\x1f \N{GRINNING FACE}\u2028",
            "'\\x41' \\n \x00\x1f \N{GRINNING FACE}\u2028",
        ),
    ],
)
def test_text_and_its_trimming(source: str, expected: str) -> None:
    assert render(source) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            r'"\a\b\f\n\r\t\v\\\"\x41\102é\u00e9\U0001F600"',
            '\a\b\f\n\r\t\v\\"ABéé\N{GRINNING FACE}',
        ),
        (r'"\xc3\xa9"', "é"),
        (r"`\n'` ", r"\n'"),
        (r"'a'", "97"),
        (r"'\''", "39"),
        ("0x1F", "31"),
        ("0b11", "3"),
        ("017", "15"),
        ("1_000", "1000"),
        ("-0", "0"),
        ("2.0", "2"),
        ("-1.5", "-1.5"),
        (".5", "0.5"),
        ("true", "true"),
        (".Missing", "<no value>"),
        ("$.Think", "false"),
        ("not true", "false"),
        ('not ""', "true"),
        ('and 1 "" 2', ""),
        ("or 0 false 2 3", "2"),
        ('eq "a" "b" "a"', "true"),
        ('eq "a" "b" "c"', "false"),
        ('ne "a" "b"', "true"),
        ("lt 1 2", "true"),
        ("le 2 1", "false"),
        ("gt 1.5 0.5", "true"),
        ("ge 1 1", "true"),
        ('lt "a" "b"', "true"),
        ('len "abc"', "3"),
        ('print 1 2 "a" true nil', "1 2atrue <nil>"),
        ('println "a" 1', "a 1\n"),
        ('printf "%s-%d-%v-%t%%" "a" 1 "b" true', "a-1-b-true%"),
        ('"b" | printf "%s%s" "a"', "ab"),
        ('"a" | printf "%s" | printf "(%s)"', "(a)"),
        ('printf "%s" (print "a" (print "b"))', "ab"),
        ('json "<a>&\\"\\n"', '"\\u003ca\\u003e\\u0026\\"\\n"'),
        ("json true", "true"),
        ("json .Tools", "null"),
        ("currentDate", "2024-03-01"),
        ('currentDate "2006"', "2024-03-01"),
        ("yesterdayDate", "2024-02-29"),
        ("toTypeScriptType .Missing", "any"),
    ],
)
def test_expressions(expression: str, expected: str) -> None:
    now = datetime(2024, 3, 1, tzinfo=UTC)
    assert render("{{ " + expression + " }}", now=now) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ((2023, 3, 1), "2023-02-28"),
        ((2100, 3, 1), "2100-02-28"),
        ((2024, 1, 1), "2023-12-31"),
        ((2024, 10, 1), "2024-09-30"),
        ((2024, 12, 10), "2024-12-09"),
    ],
)
def test_yesterday(day: tuple[int, int, int], expected: str) -> None:
    assert render("{{ yesterdayDate }}", now=datetime(*day, tzinfo=UTC)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{{ range $i, $m := .Messages }}{{ $i }}{{ $m.Role }} {{ end }}",
            "0user 1assistant 2user ",
        ),
        ("{{ range $m := .Messages }}{{ $m.Content }}{{ end }}", "HiHello.Bye"),
        ("{{ range slice .Messages 1 2 }}{{ .Content }}{{ end }}", "Hello."),
        ("{{ range slice .Messages 3 }}a{{ else }}{{ len .Messages }}{{ end }}", "3"),
        ("{{ (index .Messages 1).Content }}{{ index .Messages 0 | len | printf `%d` }}", None),
        ("{{ (index .Messages 2).Content }}", "Bye"),
        ("{{ $m := index .Messages 0 }}{{ with $m }}{{ .Role }}{{ end }}", "user"),
        ("{{ len (slice .Messages 1) }}", "2"),
        ("{{ range .Messages }}{{ .Content }}{{ break }}{{ else }}none{{ end }}", "Hi"),
        ("{{ range .Messages }}{{ continue }}{{ else }}none{{ end }}", ""),
        ("{{ range .Tools }}a{{ else }}none{{ end }}{{ range .Messages }}{{ end }}", "none"),
        ("{{ $n := 0 }}{{ range $i, $_ := .Messages }}{{ $n = $i }}{{ end }}{{ $n }}", "2"),
        ("{{ $n := 0 }}{{ range .Messages }}{{ $n := 1 }}{{ end }}{{ $n }}", "0"),
        ("{{ $i := 7 }}{{ range $i, $m = .Messages }}{{ end }}", None),
        (
            (
                "{{ $i := 7 }}{{ $m := index .Messages 0 }}"
                "{{ range $i, $m = .Messages }}{{ end }}{{ $i }}"
            ),
            "2",
        ),
        ("{{ range .Messages }}{{ $.System }}{{ .ToolName }}{{ end }}{{ .Prompt }}", "<no value>"),
        ("{{ range .Messages }}{{ if .Thinking }}a{{ end }}{{ end }}{{ .ThinkLevel }}", "medium"),
        (
            "{{ range .Messages }}{{ end }}{{ .Think }}{{ .ThinkLevel }}{{ .IsThinkSet }}",
            "falsefalse",
        ),
        ("{{ range .Messages }}{{ end }}{{ .Tools }}", "null"),
        ("{{ range .Messages }}{{ .ToolCalls }}{{ break }}{{ end }}", "[]"),
    ],
)
def test_messages(source: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(GoTemplateError):
            jinja_of(source)
    else:
        assert render(source, TURNS) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ if .System }}a{{ else if .Prompt }}b{{ else }}c{{ end }}", "b"),
        ("{{ if .System }}a{{ else if false }}b{{ else }}c{{ end }}", "c"),
        ("{{ if .Tools }}a{{ else if true }}b{{ else }}{{ 1 }}{{ end }}", "b"),
        ("{{ if $x := .Prompt }}{{ $x }}{{ end }}", "Hi"),
        ("{{ if $x := .System }}a{{ else }}({{ $x }}){{ end }}", "()"),
        ("{{ if .System }}a{{ else if $x := .Prompt }}{{ $x }}{{ else }}b{{ end }}", "Hi"),
        ("{{ with .System }}a{{ else with .Prompt }}{{ . }}{{ else }}b{{ end }}", "Hi"),
        ("{{ with .System }}a{{ else }}{{ .Prompt }}{{ end }}", "Hi"),
        (
            "{{ with .Prompt }}{{ with print . 1 }}{{ . }}{{ $.Prompt }}{{ end }}{{ . }}{{ end }}",
            "Hi1HiHi",
        ),
        ("{{ with $ }}{{ .Prompt }}{{ end }}", "Hi"),
        (
            "{{ $x := 1 }}{{ $x = `a` }}{{ $x }}{{ $x = true }}{{ $x }}{{ $x = 2.0 }}{{ $x }}",
            "atrue2",
        ),
        ("{{ $x := and .Prompt .Tools }}{{ if $x }}a{{ else }}b{{ end }}", "b"),
    ],
)
def test_branches_and_variables(source: str, expected: str) -> None:
    assert render(source + "{{ .Response }}") == expected
