from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotPromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
)

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.langchain.prompts import Prompt, prompt_of
from llm_runner_router.migrate.langchain.template_text import names_of, plain, written
from unit.migrate.langchain.dumped import made, node


def read(value: Any) -> Prompt:
    return prompt_of(node(value))


def chat(*messages: Any, **fields: Any) -> ChatPromptTemplate:
    return ChatPromptTemplate(messages, **fields)


def test_partial_variables_are_filled_in() -> None:
    template = PromptTemplate.from_template(
        "In {tone}, {n} words: {question}", partial_variables={"tone": "{brief}", "n": 5}
    )
    prompt = read(template)
    assert written(prompt.pieces) == "In {{brief}}, 5 words: {question}"
    assert names_of(prompt.pieces) == ("question",)


@pytest.mark.parametrize("value", [["a"], {"a": 1}])
def test_a_partial_variable_that_is_no_text_is_refused(value: Any) -> None:
    wrong = made("PromptTemplate", template="{a}", partial_variables={"a": value})
    with pytest.raises(InvalidRequestError, match=r"kwargs.partial_variables.a: .*no code"):
        read(wrong)


def test_a_partial_variable_that_is_code_is_refused() -> None:
    template = PromptTemplate.from_template("{now}", partial_variables={"now": lambda: "x"})
    with pytest.raises(InvalidRequestError, match=r"partial_variables.now"):
        read(template)


def test_a_user_and_a_system_message() -> None:
    prompt = read(chat(("system", "be {how}"), ("human", "{q}"), partial_variables={"how": "kind"}))
    assert (prompt.system, written(prompt.pieces)) == ("be kind", "{q}")
    spoken = read(chat(SystemMessage("be {kind}"), ("human", "{q}")))
    assert spoken.system == "be {kind}"
    alone = read(chat(HumanMessage("{no} variable")))
    assert (alone.system, written(alone.pieces)) == ("", "{{no}} variable")


def test_a_place_for_a_history_may_stay_empty() -> None:
    history = MessagesPlaceholder("history", optional=True)
    prompt = read(chat(("system", "be"), history, ("human", "{q}")))
    assert (prompt.system, written(prompt.pieces)) == ("be", "{q}")


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([("system", "{x}"), ("human", "q")], "variables x"),
        ([("human", "q"), ("system", "x")], r"\['user', 'system'\]"),
        ([("system", "x")], r"\['system'\]"),
        ([("system", "x"), ("system", "y"), ("human", "q")], "system"),
        ([("human", "q"), ("ai", "a"), ("human", "r")], "assistant"),
        ([("human", "q"), AIMessage("a")], "assistant"),
        ([MessagesPlaceholder("history"), ("human", "q")], "MessagesPlaceholder history"),
        ([("human", [{"type": "text", "text": "{q}"}])], "text alone"),
        ([HumanMessage([{"type": "text", "text": "q"}])], r"content: 'list'"),
        ([], r"\[\]"),
    ],
)
def test_what_is_no_question_of_one_user_is_refused(messages: list[Any], why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        read(ChatPromptTemplate.from_messages(messages))


def test_examples_stand_in_the_template_as_langchain_puts_them() -> None:
    example = PromptTemplate.from_template("Q: {q}\nA: {a}")
    theirs = FewShotPromptTemplate(
        examples=[{"q": "1+1", "a": "2"}, {"q": "2+2", "a": "4"}],
        example_prompt=example,
        prefix="Do {what}.",
        suffix="Q: {q}\nA:",
        input_variables=["q", "what"],
    )
    ours = read(
        {
            "_type": "few_shot",
            "examples": theirs.examples,
            "example_prompt": {"_type": "prompt", "template": example.template},
            "prefix": theirs.prefix,
            "suffix": theirs.suffix,
            "example_separator": theirs.example_separator,
            "input_variables": theirs.input_variables,
        }
    )
    assert names_of(ours.pieces) == ("what", "q")
    assert written(ours.pieces) == theirs.format(what="{what}", q="{q}")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"examples": "examples.json"}, "examples: 'examples.json'"),
        ({"examples": ["x"]}, r"examples\[0\]: 'x'"),
        ({"examples": [{}]}, r"examples\[0\].a: None"),
        ({"example_prompt": None}, "example_prompt"),
        ({"prefix": 3}, "prefix: 3"),
    ],
)
def test_examples_that_are_not_there_are_refused(change: dict[str, Any], why: str) -> None:
    example = {"_type": "prompt", "template": "{a}"}
    document = {"_type": "few_shot", "examples": [{"a": "1"}], "example_prompt": example}
    assert plain(read(document).pieces) == "1"
    with pytest.raises(InvalidRequestError, match=why):
        read({**document, **change})


def test_a_message_that_langchain_could_not_write_is_named_with_its_place() -> None:
    unwritten = {"lc": 1, "type": "not_implemented", "id": ["x", "FewShotChatMessages"]}
    with pytest.raises(InvalidRequestError, match=r"kwargs\.messages\[0\]: 'FewShotChatMessages'"):
        read(made("ChatPromptTemplate", messages=[unwritten]))
    with pytest.raises(InvalidRequestError, match=r"kwargs\.messages\[0\]: 'int'"):
        read(made("ChatPromptTemplate", messages=[3]))


@pytest.mark.parametrize("messages", [None, "x", [3], [{"lc": 1}], [made("Strange")]])
def test_hostile_messages_are_refused(messages: Any) -> None:
    with pytest.raises(InvalidRequestError):
        read(made("ChatPromptTemplate", messages=messages))
