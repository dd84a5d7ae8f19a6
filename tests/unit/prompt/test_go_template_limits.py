"""Go templates that cannot be translated, and hostile ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router.prompt import ChatTemplate, ChatTemplateError
from llm_runner_router.prompt.errors import GoTemplateError
from llm_runner_router.prompt.go_template import jinja_of
from unit.prompt.go_templates import CHATML, MIDDLE, QWEN, SYSTEM, conversation, render


@pytest.mark.parametrize(
    ("source", "line", "column", "complaint"),
    [
        ("a\n b {{ trim .Prompt }}", 2, 7, "'trim' is no function here; there are: and, "),
        ("{{ .Prompt | js }}", 1, 14, "'js' is no function here"),
        ("{{ .Prompt", 1, 1, "{{ without }}"),
        ("{{ /* a */ }}", 1, 4, "is not allowed between {{ and }}"),
        ("{{/* a }}", 1, 1, "the comment does not end"),
        ("{{/* a */ b }}", 1, 10, "a comment must be the only thing"),
        ('{{ "a }}', 1, 4, "is not allowed between {{ and }}"),
        ("{{ .a# }}", 1, 4, "is not allowed between {{ and }}"),
        ("{{ }}", 1, 4, "'}}' is not allowed; allowed: a value or function"),
        ("{{ (1 }}", 1, 7, "'}}' is not allowed; allowed: )"),
        ("{{ 1 2 }}", 1, 4, "'1' is no function and takes no arguments"),
        ("{{ .Prompt 1 }}", 1, 4, "takes no arguments"),
        ("{{ 1 | 2 }}", 1, 8, "takes no arguments"),
        ('{{ print "a""b" }}', 1, 13, "stands without a space"),
        ("{{ true.Field }}", 1, 8, "stands without a space"),
        ("{{ $x }}", 1, 4, "the variable '$x' is not declared"),
        ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", 1, 39, "not declared"),
        ("{{ $ = 1 }}", 1, 4, "$ itself cannot be set"),
        ("{{ if true }}", 1, 1, "if without end"),
        ("{{ end }}", 1, 4, "'end' without if, range or with"),
        ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", 1, 1, "if without end"),
        ("{{ break }}", 1, 1, "break outside of range"),
        ('{{ define "a" }}{{ end }}', 1, 1, "define is not supported"),
        ('{{ template "a" }}', 1, 1, "template is not supported"),
        ('{{ block "a" . }}{{ end }}', 1, 1, "block is not supported"),
        ("{{ range $i, 1 := .Messages }}{{ end }}", 1, 14, "'1' is no variable"),
        ("{{ range $i, $m .Messages }}{{ end }}", 1, 17, "allowed: := or ="),
        ('{{ "\\q" }}', 1, 4, "\\q is no escape"),
        ('{{ "\\xff" }}', 1, 4, "is no UTF-8"),
        ("{{ 'ab' }}", 1, 4, "is no single character"),
        ("{{ 09 }}", 1, 4, "is no number"),
        ("{{ 9223372036854775808 }}", 1, 4, "is no number of 64 bits"),
        ("{{ 1e400 }}", 1, 4, "is not allowed; allowed: 0, or 0.0001 to 1e+15"),
        ("{{ .Prompt.Field }}", 1, 4, "text has no field 'Field'"),
        (
            "{{ range .Messages }}{{ .Name }}{{ end }}",
            1,
            25,
            "a message has no field 'Name'; it has",
        ),
        ("{{ . }}", 1, 1, "the data of the template cannot be printed"),
        ("{{ range .Messages }}{{ . }}{{ end }}", 1, 22, "a message cannot be printed"),
        ("{{ .Messages }}", 1, 1, "messages cannot be printed"),
        ("{{ range .Prompt }}{{ end }}", 1, 1, "range over text is not supported"),
        ('{{ eq 1 "a" }}', 1, 4, "eq of an integer and text is not allowed"),
        ("{{ eq 1 1.0 }}", 1, 4, "eq of an integer and a number is not allowed"),
        ("{{ lt true false }}", 1, 4, "lt of a truth value and a truth value"),
        ("{{ eq 1 }}", 1, 4, "eq with 1 arguments; allowed: at least 2"),
        ("{{ not 1 2 }}", 1, 4, "not with 2 arguments; allowed: 1"),
        ("{{ len 1 }}", 1, 4, "len of an integer is not allowed"),
        ("{{ index .Prompt 0 }}", 1, 4, "index of text is not allowed"),
        ("{{ slice .Prompt 0 }}", 1, 4, "slice of text is not allowed"),
        ("{{ (index .Messages -1).Role }}", 1, 5, "index with an integer is not allowed"),
        ("{{ printf .Prompt }}", 1, 4, "printf without a literal format"),
        ('{{ printf "%q" "a" }}', 1, 4, "printf with '%q' is not supported"),
        ('{{ printf "%d" "a" }}', 1, 4, "printf with %d of text is not supported"),
        ('{{ printf "%s" }}', 1, 4, "printf has no value for %s"),
        ('{{ printf "a" 1 }}', 1, 4, "printf has 1 values more than verbs"),
        ("{{ json .Messages }}", 1, 4, "json of messages is not supported"),
        (
            "{{ $m := .Messages }}{{ $m = 1 }}",
            1,
            25,
            "$m holds messages and cannot take an integer",
        ),
        ("{{ $m := 1 }}{{ $m = .Messages }}", 1, 17, "cannot take messages"),
        (
            "{{ print (or .System .Messages) }}",
            1,
            4,
            "one of several things cannot be printed",
        ),
        ("a" * 65537, 1, 1, "65537 letters; allowed: up to 65536"),
        ("\x00" * 65536, 1, 1, "letters when translated; allowed: up to 65536"),
        ("{{ (((((((((((((1))))))))))))) }}", 1, 16, "nests deeper than 12"),
        ("{{ 1" + "|print" * 12 + " }}", 1, 72, "nests deeper than 12"),
        ("{{if 1}}" * 13, 1, 94, "nests deeper than 12"),
        ("{{ print" + " 1" * 65 + " }}", 1, 4, "65 arguments; allowed: up to 64"),
    ],
)
def test_what_cannot_be_translated(source: str, line: int, column: int, complaint: str) -> None:
    with pytest.raises(GoTemplateError) as raised:
        jinja_of(source)
    assert complaint in str(raised.value)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert f"line {line}, column {column} of the Go template: " in str(raised.value)


def test_a_message_that_is_not_there_fails_the_conversation() -> None:
    with pytest.raises(ChatTemplateError, match="asks for a message that is not there"):
        render("{{ (index .Messages 3).Content }}", SYSTEM)
    with pytest.raises(ChatTemplateError, match="asks for a message that is not there"):
        render("{{ $i := 0 }}{{ $i = -1 }}{{ (index .Messages $i).Content }}", MIDDLE)


def test_a_long_conversation_is_within_the_budget() -> None:
    messages = conversation("user: " + "word " * 40, "user: more", "assistant: " + "a" * 99)
    assert len(render(QWEN.source, messages * 300)) > 90_000
    assert len(render(CHATML.source, messages * 300)) > 90_000


@pytest.mark.parametrize(
    "source",
    [
        "{{ if .Prompt }}" * 11 + "{{ .Prompt }}" + "{{ end }}" * 11,
        "{{ range .Messages }}" * 5 + "{{ .Content }}" + "{{ end }}" * 5,
        "{{ if false }}" + "{{ else if .Prompt }}a" * 500 + "{{ end }}",
        "{{ $a := 1 }}" * 900,
        "{{ .Missing" + ".A" * 30_000 + " }}",
        "{{ or " + "(or " * 10 + ".Prompt" + " 1)" * 10 + " 1 }}",
        '{{ $a := "aaaaaaaa" }}' + "{{ $a = print $a $a }}" * 99,
        '{{ $a := "aaaaaaaa" }}' + '{{ $a = printf "%s%s" $a $a }}' * 99,
        "{{ with .Prompt }}" + '{{ with printf "%s%s" . . }}' * 10 + "{{ . }}" + "{{ end }}" * 11,
    ],
)
def test_hostile_templates_end(source: str) -> None:
    try:
        made = render(source)
    except ChatTemplateError:
        return
    assert len(made) < 1 << 22


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_characters="{"), max_size=200))
def test_text_without_actions_renders_to_itself(text: str) -> None:
    assert render(text) == text


PIECES = (
    "{{", "}}", "{{- ", " -}}", "{{/*", "*/}}", " ", "\n", "if ", "else ", "end ", "range ",
    "with ", "break ", "continue ", "define ", ".Messages ", ".System ", ".Content ", ".", "$",
    "$x ", ":= ",
    "= ", ", ", "| ", "(", ")", "printf ", "eq ", "and ", "len ", "slice ", "index ", "not ", "1 ",
    "-1 ", '"%s" ', '"a" ', "`b` ", "'c' ", "{%", "%}", "a", "\\", "{{ end }}", "{{ .Prompt }}",
    "{{ if .System }}", "{{ range .Messages }}", "{{ else }}", "{{ .Role }}", "{{ $x := 1 }}",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=30).map("".join)))
def test_any_text_renders_or_is_refused(source: str) -> None:
    try:
        made = jinja_of(source)
    except GoTemplateError:
        return
    # What was translated is a template that may run, whatever the conversation does to it.
    template = ChatTemplate(made, bos_token="", eos_token="")
    assert isinstance(template.render(SYSTEM), str)
