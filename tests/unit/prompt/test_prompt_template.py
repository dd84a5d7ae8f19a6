from __future__ import annotations

import re
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.preferences import TemplateUse
from llm_runner_router.prompt.prompt_template import applied, expand, fits, variables_of
from llm_runner_router.registry.records import PromptTemplate
from llm_runner_router.types import Request
from llm_runner_router.validation.request import MAX_STOP_STRINGS, MAX_TEXT

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PIECES = st.lists(st.tuples(st.booleans(), st.one_of(NAMES, TEXTS)), max_size=12)


def template(text: str, **fields: object) -> PromptTemplate:
    return PromptTemplate("ask", text, **fields)  # type: ignore[arg-type]  # checked by its users


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("no variable", ()),
        ("{question}", ("question",)),
        ("{b}{a}{b}", ("b", "a")),
        ("{_1}", ("_1",)),
        ("{{question}}", ()),
        ("{{{question}}}", ("question",)),
        ("{{{{}}}}", ()),
    ],
)
def test_variables_stand_once_in_their_order(text: str, names: tuple[str, ...]) -> None:
    assert variables_of(text) == names


@pytest.mark.parametrize(
    "text",
    [
        *("{", "}", "{}", "{ a}", "{a }", "{1a}", "{a.b}", "{a!r}", "{a:>9}", "{a[0]}", "{é}"),
        *("{a\n}", "{a}}", "{{a}", "{{{a}}", "{a{b}}", "x {a", "{a-b}", "{٣}"),
    ],
)
def test_any_other_brace_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        variables_of(text)
    assert caught.value.field == "format"
    assert "{question}" in caught.value.allowed


def test_a_wrong_brace_is_shown_with_what_follows_it() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        variables_of("a long beginning that is right {good} and then {bad one} and more of it")
    assert caught.value.value == "{bad one} and more of it"


@given(PIECES)
def test_pieces_come_out_as_they_went_in(parts: list[tuple[bool, str]]) -> None:
    """Names become variables, anything else is text: what is expanded is what was meant."""
    text, expected, variables = "", "", {}
    for as_variable, part in parts:
        if as_variable and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", part):
            variables[part] = f"<{{{part}}}>"
            text += f"{{{part}}}"
            expected += variables[part]
        else:
            text += escaped(part)
            expected += part
    assert variables_of(text) == tuple(variables)
    assert expand(template(text), variables) == expected


@given(TEXTS)
def test_values_are_never_expanded_again(value: str) -> None:
    assert expand(template("[{a}|{b}]"), {"a": value, "b": "{a}"}) == f"[{value}|{{a}}]"


def names_by_python(text: str) -> tuple[str, ...] | None:
    """The variables as Python's own format strings have them; ``None`` where some brace is not."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    except ValueError:
        return None
    plain = all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", field) for field in fields)
    return tuple(dict.fromkeys(fields)) if plain else None


@given(st.text(alphabet="{}ab1 ", max_size=12))
def test_braces_mean_what_they_mean_in_python(text: str) -> None:
    names = names_by_python(text)
    if names is None:
        with pytest.raises(InvalidRequestError, match=r"^format: "):
            variables_of(text)
    else:
        assert variables_of(text) == names
        values = dict.fromkeys(names, "x")
        assert expand(template(text), values) == text.format(**values)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        expand(template("{language}: {question}"), {"language": "French"})
    error = caught.value
    assert error.field == "template.variables.question"
    assert error.value is None
    assert error.allowed == "text for this variable of template 'ask'"


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        expand(template("{a} {b}"), {"a": "1", "b": "2", "question": "3"})
    assert caught.value.field == "template.variables"
    assert caught.value.value == "question"
    assert caught.value.allowed == "the variables of template 'ask': a, b"


@pytest.mark.parametrize("value", [3, None, b"text", "\ud800"])
def test_a_value_that_is_no_text_is_named(value: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"template\.variables\.a"):
        expand(template("{a}"), {"a": value})  # type: ignore[dict-item]  # what is refused


def test_the_whole_is_bounded_before_it_is_made() -> None:
    value = "x" * (MAX_TEXT // 1000)
    assert len(expand(template("{a}" * 1000), {"a": value})) == MAX_TEXT
    with pytest.raises(InvalidRequestError) as caught:
        expand(template("{a}" * 1_000_000), {"a": value})
    assert caught.value.field == "template.variables"
    assert caught.value.value == len(value) * 1_000_000


def test_a_request_gets_the_prompt_and_the_stop_strings() -> None:
    use = TemplateUse("ask", {"question": "why?"})
    request = Request(template=use, stop=["END", "Q:"], model="m", temperature=0.5)
    made = applied(request, template("Q: {question}\nA:", stop_tokens=["Q:", "\n\n", "\n\n"]))
    assert made == Request(
        prompt="Q: why?\nA:", stop=("END", "Q:", "\n\n"), model="m", temperature=0.5
    )


def test_stop_strings_of_both_are_bounded_together() -> None:
    own = [f"own{index}" for index in range(MAX_STOP_STRINGS)]
    request = Request(template=TemplateUse("ask"), stop=own)
    assert applied(request, template("hi", stop_tokens=["own0"])).stop == tuple(own)
    with pytest.raises(InvalidRequestError, match=r"^stop: "):
        applied(request, template("hi", stop_tokens=["another"]))


@pytest.mark.parametrize(
    ("patterns", "model", "expected"),
    [
        ([], "anything", True),
        (["llama"], "llama", True),
        (["llama"], "llama-3", False),
        (["llama-*"], "llama-3", True),
        (["*-chat"], "llama-chat", True),
        (["*-chat", "qwen*"], "qwen2", True),
        (["LLAMA"], "llama", False),
        (["l?ama"], "llama", False),
        (["l?ama"], "l?ama", True),
        (["m[1]"], "m1", False),
        (["m[1]*"], "m[1]x", True),
    ],
)
def test_a_template_fits_the_models_it_names(
    patterns: list[str], model: str, *, expected: bool
) -> None:
    assert fits(template("hi", model_compatibility=patterns), model) is expected
