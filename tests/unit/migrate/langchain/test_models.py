from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.fields import Fate
from llm_runner_router.migrate.langchain.known_models import MODELS
from llm_runner_router.migrate.langchain.models import Model, model_of
from llm_runner_router.migrate.langchain.options import OF_REQUESTS
from llm_runner_router.providers.known import PROVIDERS
from llm_runner_router.providers.openai_request import RESERVED
from llm_runner_router.registry.records import Endpoint, ModelConfig
from unit.migrate.langchain.dumped import SECRET, made, node


def read(name: str, bound: Any = None, /, **fields: Any) -> Model:
    return model_of(node(made(name, **fields)), bound or {})


def fates(model: Model) -> dict[str, tuple[Fate, str]]:
    return {claim.path: (claim.fate, claim.part) for claim in model.claims.made}


def test_all_classes_are_of_providers_that_there_are() -> None:
    assert {known.provider for known in MODELS.values()} <= PROVIDERS.keys()


def test_a_model_with_all_that_has_a_place() -> None:
    model = read(
        "ChatOpenAI",
        model_name="gpt-4o",
        temperature=0,
        top_p=0.5,
        max_tokens=7,
        seed=3,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        stop=["END"],
        openai_api_base="https://example.com/v1",
        openai_organization="org",
        openai_api_key=SECRET,
        model_kwargs={"user": "u"},
    )
    record = model.record
    assert (record.source, record.provider) == ("gpt-4o", "openai")
    assert record.config == ModelConfig(
        temperature=0,
        top_p=0.5,
        max_tokens=7,
        seed=3,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        stop=("END",),
    )
    assert record.endpoint == Endpoint(
        base_url="https://example.com/v1",
        api_key="env:OPENAI_API_KEY",
        organization="org",
        options={"user": "u"},
    )
    assert all(fate is Fate.MAPPED for fate, _ in fates(model).values())
    assert model.notes == ["the key of env:OPENAI_API_KEY goes to https://example.com/v1"]


@pytest.mark.parametrize(
    ("name", "fields", "wanted"),
    [
        ("ChatAnthropic", {"model": "c", "max_tokens_to_sample": 5}, ("anthropic", "c")),
        ("ChatOllama", {"model": "l", "num_ctx": 99, "num_predict": 5}, ("ollama", "l")),
        (
            "AzureChatOpenAI",
            {"azure_deployment": "d", "azure_endpoint": "https://r.example.com"},
            ("azure-openai", "d"),
        ),
        ("ChatGroq", {"model_name": "g"}, ("groq", "g")),
        ("OpenAI", {}, ("openai", "gpt-3.5-turbo-instruct")),
    ],
)
def test_other_classes(name: str, fields: dict[str, Any], wanted: tuple[str, str]) -> None:
    record = read(name, **fields).record
    assert (record.provider, record.source) == wanted
    if "num_ctx" in fields:
        assert record.config.context_length == 99
    if "num_predict" in fields or "max_tokens_to_sample" in fields:
        assert record.config.max_tokens == 5


def test_what_is_bound_counts_before_the_models_own() -> None:
    model = read("ChatOpenAI", {"temperature": ("b.temperature", 0.1)}, temperature=1.0)
    assert model.record.config.temperature == 0.1


def test_nothing_zero_or_false_is_lost() -> None:
    model = read("ChatOpenAI", temperature=0.0, seed=0, max_tokens=None, top_p=None)
    assert (model.record.config.temperature, model.record.config.seed) == (0.0, 0)
    assert fates(model)["kwargs.max_tokens"] == (Fate.UNMAPPED, "")


def test_no_limit_is_no_limit() -> None:
    assert read("OpenAI", max_tokens=-1).record.config.max_tokens is None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"temperature": 3}, "config.temperature: 3"),
        ({"temperature": "hot"}, "config.temperature: 'hot'"),
        ({"max_tokens": 0}, "config.max_tokens: 0"),
        ({"stop": [1]}, "stop"),
        ({"openai_api_base": "file:///etc"}, "endpoint.base_url"),
        ({"model_name": 3}, "model: 3"),
        ({"model_name": {"lc": 1}}, "model"),
        ({"model_kwargs": {"a": {"api_key": "sk-x"}}}, "no key in clear"),
    ],
)
def test_what_cannot_be_is_refused_and_never_bent(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why) as caught:
        read("ChatOpenAI", **fields)
    assert "sk-x" not in caught.value.message


def test_a_model_without_a_name_is_refused_where_langchain_has_no_usual_one() -> None:
    with pytest.raises(InvalidRequestError, match="the name of a ChatOllama model"):
        read("ChatOllama")


@pytest.mark.parametrize("field", ["openai_api_key", "api_key"])
def test_a_key_in_clear_never_comes_along(field: str) -> None:
    model = read("ChatOpenAI", **{field: "sk-secret", "model_kwargs": {"api_key": "sk-secret"}})
    assert model.record.endpoint == Endpoint()
    assert "sk-secret" not in f"{model.record} {model.notes}"
    assert fates(model)[f"kwargs.{field}"] == (Fate.UNMAPPED, "")
    assert "a key in clear is never taken over" in model.notes[-1]


@pytest.mark.parametrize("name", ["PATH", "DATABASE_PASSWORD", "a b KEY", "", "K;EY"])
def test_a_variable_that_holds_no_key_is_not_sent_anywhere(name: str) -> None:
    secret = {"lc": 1, "type": "secret", "id": [name]}
    model = read("ChatOpenAI", openai_api_key=secret, base_url="https://example.com/v1")
    assert model.record.endpoint.api_key is None


def test_no_key_but_a_providers_goes_to_an_address_that_the_file_names() -> None:
    secret = {"lc": 1, "type": "secret", "id": ["OUR_DATABASE_KEY"]}
    there = read("ChatOpenAI", openai_api_key=secret, base_url="https://example.com/v1")
    assert there.record.endpoint.api_key is None
    assert fates(there)["kwargs.openai_api_key"] == (
        Fate.UNMAPPED,
        "",
    )
    home = read("ChatOpenAI", openai_api_key=secret)
    assert home.record.endpoint.api_key == "env:OUR_DATABASE_KEY"


@pytest.mark.parametrize("option", [SECRET, {"deep": [SECRET]}])
def test_the_mark_of_a_secret_is_no_option(option: Any) -> None:
    model = read("ChatOpenAI", model_kwargs={"signature": option, "user": "u"})
    assert model.record.endpoint.options == {"user": "u"}
    assert fates(model)["kwargs.model_kwargs.signature"] == (Fate.UNMAPPED, "")


@pytest.mark.parametrize("holder", ["model_kwargs", "extra_body"])
def test_options_that_requests_may_say_become_defaults(holder: str) -> None:
    said = {"top_p": 0.5, "stop": ["heard"], "max_completion_tokens": 2, "user": "u", "seed": None}
    model = read("ChatOpenAI", **{holder: said})
    wanted = ModelConfig(top_p=0.5, stop=("heard",), max_tokens=2)
    assert model.record.config == wanted
    assert model.record.endpoint.options == {"user": "u"}
    assert fates(model)[f"kwargs.{holder}.top_p"] == (Fate.MAPPED, "model.config.top_p")
    assert fates(model)[f"kwargs.{holder}.seed"] == (Fate.UNMAPPED, "")


def test_options_count_before_fields_and_what_is_bound_before_options() -> None:
    fields = {"top_p": 0.1, "max_tokens": 1, "temperature": 0.1, "seed": 1}
    kwargs = {"top_p": 0.2, "max_completion_tokens": 2, "temperature": 0.2}
    bound = {"temperature": ("b.temperature", 0.3)}
    model = read("ChatOpenAI", bound, **fields, model_kwargs=kwargs, extra_body={"top_p": 0.4})
    assert model.record.config == ModelConfig(top_p=0.2, max_tokens=2, temperature=0.3, seed=1)
    told = {claim.path: claim.note for claim in model.claims.made if claim.fate is Fate.UNMAPPED}
    assert told == {
        "kwargs.top_p": "kwargs.model_kwargs.top_p counts before it",
        "kwargs.extra_body.top_p": "kwargs.model_kwargs.top_p says it",
        "kwargs.max_tokens": "kwargs.model_kwargs.max_completion_tokens counts before it",
        "kwargs.temperature": "kwargs.model_kwargs.temperature counts before it",
        "kwargs.model_kwargs.temperature": "b.temperature counts before it",
    }


@pytest.mark.parametrize(
    ("own", "first"),
    [("max_tokens_to_sample", "max_tokens"), ("max_completion_tokens", "max_tokens_to_sample")],
)
def test_what_counts_does_so_under_any_of_a_settings_names(own: str, first: str) -> None:
    model = read("ChatOpenAI", {first: (f"b.{first}", 2)}, **{own: 1})
    assert model.record.config.max_tokens == 2
    told = {claim.path: claim.note for claim in model.claims.made}
    assert told[f"kwargs.{own}"] == f"b.{first} counts before it"


@pytest.mark.parametrize("name", sorted(RESERVED | OF_REQUESTS))
def test_an_option_that_would_replace_what_requests_say_is_left_out(name: str) -> None:
    model = read("ChatOpenAI", model_kwargs={name: 1})
    assert model.record.endpoint == Endpoint()
    assert model.record.source == "gpt-3.5-turbo"
    assert fates(model)[f"kwargs.model_kwargs.{name}"] == (Fate.UNMAPPED, "")
    told = any(note.startswith(f"kwargs.model_kwargs.{name} is left out") for note in model.notes)
    assert told is (name in OF_REQUESTS)


@pytest.mark.parametrize(
    ("kind", "options", "setting"),
    [
        ("ChatTogether", {"top_k": 3}, {"top_k": 3}),
        ("ChatTogether", {"repetition_penalty": 1.1}, {"repeat_penalty": 1.1}),
        ("ChatMistralAI", {"random_seed": 3}, {"seed": 3}),
        ("ChatAnthropic", {"top_k": 3}, {"top_k": 3}),
        ("ChatOpenAI", {"top_k": 3}, {}),
        ("ChatAnthropic", {"seed": 3}, {}),
        ("ChatPerplexity", {"stop": ["x"]}, {}),
        ("ChatOpenAI", {"num_ctx": 3}, {}),
    ],
)
def test_an_option_becomes_a_default_where_requests_may_say_it(
    kind: str, options: dict[str, Any], setting: dict[str, Any]
) -> None:
    record = read(kind, model="m", model_kwargs=options).record
    assert record.config == ModelConfig(**setting)
    assert record.endpoint.options == ({} if setting else options)


def test_a_field_that_the_provider_does_not_offer_is_left_out() -> None:
    model = read("ChatDeepSeek", model="m", seed=3, temperature=0.5)
    assert model.record.config == ModelConfig(temperature=0.5)
    told = {claim.path: claim.note for claim in model.claims.made}
    assert told["kwargs.seed"] == "the provider's API does not offer it"


def test_azure_answers_for_a_deployment_whatever_its_model_is_called() -> None:
    model = read(
        "AzureChatOpenAI",
        model_name="gpt-4o",
        azure_deployment="ours",
        azure_endpoint="https://r.example.com",
    )
    assert model.record.source == "ours"
    assert fates(model)["kwargs.model_name"] == (Fate.UNMAPPED, "")


def test_headers_and_other_fields_are_told_of() -> None:
    model = read("ChatOpenAI", default_headers={"Authorization": "Bearer x"}, n=2, streaming=True)
    assert model.record.endpoint.headers == {}
    told = {claim.path: claim.note for claim in model.claims.made if claim.fate is Fate.UNMAPPED}
    assert told["kwargs.default_headers"].startswith("headers may hold keys")
    assert told["kwargs.n"] == "one answer a request"
