"""Whole files: what they become, and that nothing in them is lost, made or run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import RunnablePassthrough

from llm_runner_router.errors import InvalidConfigError, InvalidRequestError
from llm_runner_router.migrate.fields import Fate
from llm_runner_router.migrate.langchain.migrated import migrated_langchain
from llm_runner_router.migrate.langchain.report import as_json, lines
from llm_runner_router.migrate.leaves import leaf_paths
from llm_runner_router.registry.registry_file import parsed
from unit.migrate.langchain.dumped import SECRET, chain, chat_openai, made, migrated

QUESTION = PromptTemplate.from_template("Answer this question: {question}")
OLD_CHAIN = {
    "memory": None,
    "prompt": {"input_variables": ["q"], "template": "Say {q}", "_type": "prompt"},
    "llm": {"model_name": "gpt-3.5-turbo", "temperature": 0.7, "_type": "openai-chat"},
    "output_key": "text",
    "_type": "llm_chain",
}


def fates(found: Any) -> dict[str, tuple[str, str]]:
    return {field.path: (field.fate.value, field.target) for field in found.fields}


def test_a_chain_becomes_a_template_for_its_model() -> None:
    found = migrated(chain(QUESTION, chat_openai(temperature=0.7, openai_api_key=SECRET)))
    (template,), (model,) = found.templates, found.models
    assert (template.id, template.format) == ("qa", "Answer this question: {question}")
    assert template.model_compatibility == ("gpt-4o",)
    assert (model.id, model.config.temperature) == ("gpt-4o", 0.7)
    assert model.endpoint.api_key == "env:OPENAI_API_KEY"
    fate = fates(found)
    assert fate["kwargs.first.kwargs.template"] == ("mapped", "templates[0].format")
    assert fate["kwargs.last.kwargs.temperature"] == ("mapped", "models[0].config.temperature")
    assert {field.fate for field in found.fields} == {Fate.MAPPED, Fate.UNMAPPED}
    assert fate["kwargs.middle"] == ("unmapped", "")


def test_steps_between_a_prompt_and_its_model_do_not_part_them() -> None:
    inner = chain({"question": RunnablePassthrough()} | QUESTION, StrOutputParser())
    found = migrated(chain(inner, chat_openai()))
    assert [template.model_compatibility for template in found.templates] == [("gpt-4o",)]


def test_what_is_bound_to_a_model() -> None:
    stopping = made("RunnableBinding", bound=chat_openai(), kwargs={"stop": ["END"], "seed": 4})
    found = migrated(chain(QUESTION, stopping))
    assert found.templates[0].stop_tokens == ("END",)
    assert (found.models[0].config.stop, found.models[0].config.seed) == ((), 4)
    assert fates(found)["kwargs.last.kwargs.kwargs.stop[0]"] == (
        "mapped",
        "templates[0].stopTokens",
    )
    alone = migrated(stopping)
    assert (alone.templates, alone.models[0].config.stop) == ((), ("END",))


def test_a_system_message_belongs_to_the_model_of_its_chain() -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "be brief"), ("human", "{q}")])
    found = migrated({"a": chain(prompt, chat_openai()), "b": chain(QUESTION, chat_openai())})
    assert [(model.id, model.config.system) for model in found.models] == [
        ("gpt-4o", "be brief"),
        ("gpt-4o-2", None),
    ]
    assert [one.model_compatibility for one in found.templates] == [("gpt-4o",), ("gpt-4o-2",)]
    alone = migrated(json.loads(json.dumps(chain(prompt, StrOutputParser()))))
    assert alone.templates[0].format == "{q}"
    place = "kwargs.first.kwargs.messages[0].kwargs.prompt.kwargs.template"
    (lost,) = [field for field in alone.fields if field.path == place]
    assert (lost.fate, lost.note) == (Fate.UNMAPPED, "no model goes with it")


WRAPPED: dict[str, tuple[str, dict[str, Any]]] = {
    "RunnableBinding": ("bound", {"kwargs": {}, "config": {"tags": ["x"]}}),
    "RunnableRetry": ("bound", {"kwargs": {}, "max_attempt_number": 3}),
    "RunnableWithFallbacks": ("runnable", {"fallbacks": [chat_openai(model_name="spare")]}),
    "RunnableConfigurableFields": ("default", {"fields": {}}),
    "RunnableConfigurableAlternatives": (
        "default",
        {"alternatives": {"other": chat_openai(model_name="spare")}},
    ),
}


@pytest.mark.parametrize("kind", WRAPPED)
@pytest.mark.parametrize("whole", [False, True])
def test_what_wraps_a_model_or_a_chain_does_not_part_it_from_its_prompt(
    kind: str, whole: bool
) -> None:
    field, rest = WRAPPED[kind]
    prompt = ChatPromptTemplate.from_messages([("system", "be brief"), ("human", "{q}")])
    if whole:
        document = chain(
            made(kind, **{field: chain(prompt, chat_openai()), **rest}), StrOutputParser()
        )
    else:
        document = chain(prompt, made(kind, **{field: chat_openai(), **rest}), StrOutputParser())
    found = migrated(document)
    assert [template.model_compatibility for template in found.templates] == [("gpt-4o",)]
    systems = {model.id: model.config.system for model in found.models}
    assert systems.pop("gpt-4o") == "be brief"
    assert systems == ({"spare": None} if "spare" in json.dumps(rest) else {})
    assert [field.path for field in found.fields] == leaf_paths(document)


def test_fallbacks_of_a_model_alone_are_models_too() -> None:
    field, rest = WRAPPED["RunnableWithFallbacks"]
    found = migrated(made("RunnableWithFallbacks", **{field: chat_openai(), **rest}))
    assert [model.id for model in found.models] == ["gpt-4o", "spare"]


def test_equal_models_are_one_and_names_are_ids_of_their_own() -> None:
    named = QUESTION.model_copy(update={"name": "ask"})
    found = migrated(
        {"x": [chain(named, chat_openai()), chain(named, chat_openai()), chat_openai(seed=1)]}
    )
    assert [template.id for template in found.templates] == ["ask", "ask-2"]
    assert [one.model_compatibility for one in found.templates] == [("gpt-4o",), ("gpt-4o",)]
    assert [model.id for model in found.models] == ["gpt-4o", "gpt-4o-2"]


def test_a_template_is_meant_for_the_model_it_had_not_for_the_newest() -> None:
    one, other = chain(QUESTION, chat_openai()), chat_openai(seed=1)
    found = migrated({"a": one, "b": other, "c": one})
    assert [model.id for model in found.models] == ["gpt-4o", "gpt-4o-2"]
    assert [one.model_compatibility for one in found.templates] == [("gpt-4o",), ("gpt-4o",)]


def test_files_of_older_versions() -> None:
    found = migrated(OLD_CHAIN)
    assert found.templates[0].format == "Say {q}"
    assert (found.models[0].provider, found.models[0].config.temperature) == ("openai", 0.7)
    assert migrated(OLD_CHAIN["prompt"]).models == ()
    assert migrated(OLD_CHAIN["llm"]).models == found.models


def test_one_that_cannot_be_is_told_of_and_the_rest_goes_on() -> None:
    found = migrated(chain(QUESTION, chat_openai(temperature=9)))
    assert [template.model_compatibility for template in found.templates] == [()]
    assert found.models == ()
    (why,) = found.refused
    assert why.startswith("ChatOpenAI at kwargs.last: kwargs.last.config.temperature: 9 is not")
    assert why.endswith("allowed: a number from 0 to 2")
    wrong = PromptTemplate.from_template("{a!r}")
    found = migrated(chain(wrong, chat_openai()))
    assert (len(found.templates), len(found.models), len(found.refused)) == (0, 1, 1)
    assert fates(found)["kwargs.first.kwargs.template"] == ("unmapped", "")


def test_steps_and_models_that_nothing_was_made_of_are_named() -> None:
    unwritten = {"lc": 1, "type": "not_implemented", "id": ["x", "ChatOther"], "repr": "Other()"}
    strange = made("ChatStrange", model_name="s")
    found = migrated(chain(QUESTION, strange, StrOutputParser(), unwritten))
    assert found.notes == (
        "kwargs.middle[0]: nothing here does what ChatStrange does",
        "kwargs.middle[1]: nothing here does what StrOutputParser does",
        "kwargs.last: nothing here does what ChatOther does",
    )
    assert f"note: {found.notes[0]}" in list(lines(found))
    assert migrated(chain(QUESTION, chat_openai(openai_api_key=SECRET))).notes == ()
    refused = migrated(chain(QUESTION, chat_openai(temperature=9)))
    assert (len(refused.refused), refused.notes) == (1, ())
    older = migrated({**OLD_CHAIN, "llm": {"_type": "huggingface_hub", "repo_id": "x"}})
    assert older.notes == ("llm: nothing here does what huggingface_hub does",)


def test_the_registry_file_can_be_read_again() -> None:
    found = migrated(chain(QUESTION, chat_openai(temperature=0, openai_api_key=SECRET)))
    content = parsed(found.registry)
    assert [model.config.temperature for model in content.models] == [0]
    assert [template.format for template in content.templates] == [found.templates[0].format]


def test_reports_tell_all_and_no_key() -> None:
    found = migrated(chain(QUESTION, chat_openai(api_key="sk-secret", temperature=0.5)))
    told, words = json.dumps(as_json(found)), "\n".join(lines(found))
    assert "sk-secret" not in told + words
    assert "template qa: Answer this question: {question}" in words
    assert "model gpt-4o: gpt-4o of openai" in words
    assert "unmapped  kwargs.last.kwargs.api_key  (a key in clear is never taken over)" in words
    assert ".lc" not in words
    assert '"path": "kwargs.first.lc"' in told


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"a": NaN}',
        b'{"lc": 1, "lc": 1}',
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b" " * (4 << 20) + b"{}",
    ],
)
def test_what_is_no_such_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidConfigError, match=r"f\.json"):
        migrated_langchain(data, "f.json", "qa")


@pytest.mark.parametrize("document", [{}, {"a": [1]}, {"lc": 1}, made("StrOutputParser")])
def test_a_file_without_prompts_and_models_is_refused(document: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"f.json: 0 .* prompts and models of LangChain"):
        migrated(document)


def test_a_file_with_more_than_anybody_has_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"1 to 1000"):
        migrated({"x": [chat_openai()] * 1001})


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.text(max_size=4),
    st.sampled_from([SECRET, "END", {}, []]),
)
KEYS = (
    *("template", "template_format", "partial_variables", "messages", "prompt", "name", "stop"),
    *("model", "temperature", "openai_api_key", "kwargs", "bound", "model_kwargs", "first"),
)
FIELDS = st.dictionaries(
    st.sampled_from(KEYS),
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "template", "content"]), inner, max_size=3)
            | st.builds(
                lambda name, value: made(name, template=value, prompt=value, messages=[value]),
                st.sampled_from(["PromptTemplate", "HumanMessagePromptTemplate", "HumanMessage"]),
                inner,
            )
        ),
        max_leaves=4,
    ),
)
NAMES = st.sampled_from(
    (
        *("PromptTemplate", "ChatPromptTemplate", "FewShotPromptTemplate", "ChatOpenAI"),
        *("LLMChain", "RunnableSequence", "RunnableBinding", "Strange"),
    )
)


@settings(max_examples=50)
@given(st.lists(st.builds(lambda name, fields: made(name, **fields), NAMES, FIELDS), max_size=3))
def test_no_leaf_of_any_file_is_lost(parts: list[Any]) -> None:
    document = {"parts": parts, "sure": chain(QUESTION, chat_openai())}
    found = migrated(document)
    assert [field.path for field in found.fields] == leaf_paths(document)
    for field in found.fields:
        assert (field.target != "") == (field.fate is Fate.MAPPED)
        assert field.target or field.note
    parsed(found.registry)
