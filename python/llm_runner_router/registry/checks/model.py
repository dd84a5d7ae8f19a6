"""The limits of a record's fields, and changes of single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.providers.known import known
from llm_runner_router.registry.checks.endpoint import checked_endpoint
from llm_runner_router.registry.checks.line import check_kept_text, check_line
from llm_runner_router.registry.records import (
    DEFAULT_CAPABILITIES,
    QUANTIZATIONS,
    Endpoint,
    ModelConfig,
    ModelLimits,
    ModelRecord,
    Pricing,
)
from llm_runner_router.types import ModelFormat
from llm_runner_router.validation.request import (
    MAX_CONTEXT,
    MAX_MODEL_ID,
    check_count,
    check_kind,
    check_number,
    check_sampling,
    check_stop,
    check_text,
)
from llm_runner_router.validation.values import check_flag

MAX_NAME = 256
MAX_SOURCE = 4096
MAX_WORDS = 64
MAX_LABELS = 64
MAX_LABEL_KEY = 128
MAX_LABEL_VALUE = 1024
MAX_GPU_LAYERS = 10_000
MAX_PROVIDER = 128
MAX_PRICE = 1e6
MAX_CONCURRENT = 100_000
MAX_IDLE_TIMEOUT = 31_536_000.0

TEXTS = {"system": 1_000_000, "chat_template": 65_536, "license": 1_000_000}
"""The longest texts of a configuration, in characters."""

CONFIG_FIELDS = tuple(field.name for field in fields(ModelConfig))
ENDPOINT_FIELDS = tuple(field.name for field in fields(Endpoint))
LIMIT_FIELDS = tuple(field.name for field in fields(ModelLimits))
PRICES = tuple(field.name for field in fields(Pricing))
UPDATABLE = (
    *("name", "format", "source", "config", "capabilities", "labels"),
    *("provider", "endpoint", "pricing", "quality", "owner", "tags", "limits"),
)
SECTIONS = {"config": CONFIG_FIELDS, "endpoint": ENDPOINT_FIELDS, "limits": LIMIT_FIELDS}


def checked_record(record: ModelRecord) -> ModelRecord:
    """``record`` with its defaults; InvalidRequestError names the first field that is wrong."""
    check_id(record.id)
    check_kind("tags", record.tags, Sequence, "a list of words")
    check_kind("capabilities", record.capabilities, Sequence, "a list of words")
    check_kind("labels", record.labels, Mapping, "texts by name")
    check_kind("config.stop", record.config.stop, Sequence, "a list of strings")
    completed = replace(
        record,
        name=record.name or record.id,
        capabilities=tuple(record.capabilities) or DEFAULT_CAPABILITIES,
        tags=tuple(record.tags),
        labels=dict(record.labels),
        config=replace(record.config, stop=tuple(record.config.stop)),
        etag="",
    )
    check_line("name", completed.name, MAX_NAME)
    check_format(record.format)
    check_line("source", record.source, MAX_SOURCE)
    check_config(completed.config)
    check_quantization(record.format, completed.config.quantization)
    check_words("capabilities", completed.capabilities)
    check_words("tags", completed.tags)
    check_kept_text("owner", record.owner, MAX_NAME, empty=True)
    check_limits(record.limits)
    check_labels(completed.labels)
    check_pricing(record.pricing)
    check_number("quality", record.quality, 0, 1)
    return replace(completed, endpoint=endpoint_of(record))


def changed(present: ModelRecord, wanted: ModelRecord, paths: Sequence[str]) -> ModelRecord:
    """``present`` with the fields of ``wanted`` that ``paths`` name."""
    if not paths:
        raise InvalidRequestError("update_mask", list(paths), f"some of {', '.join(UPDATABLE)}")
    result = present
    for path in paths:
        section, _, key = path.partition(".")
        if path in UPDATABLE:
            result = replace(result, **{path: getattr(wanted, path)})
        elif key in SECTIONS.get(section, ()):
            value = getattr(getattr(wanted, section), key)
            part = replace(getattr(result, section), **{key: value})
            result = replace(result, **{section: part})
        else:
            parts = (f"{name}.{key}" for name, keys in SECTIONS.items() for key in keys)
            allowed = ", ".join((*UPDATABLE, *parts))
            raise InvalidRequestError("update_mask", path, allowed)
    return checked_record(result)


def check_format(value: object) -> None:
    """A format that there is; which ones can be run shows when a model is loaded."""
    if not isinstance(value, ModelFormat):
        raise InvalidRequestError("format", value, f"one of {', '.join(ModelFormat)}")


def endpoint_of(record: ModelRecord) -> Endpoint:
    """The endpoint as it is stored: of a known provider for an API, none for a file."""
    if record.format is ModelFormat.API:
        check_text("provider", record.provider, MAX_PROVIDER, empty=True)
        provider = known(record.provider)
        check_line("provider", record.provider, MAX_PROVIDER)
        return checked_endpoint(record.endpoint, provider)
    allowed = f"none for models of format {record.format.value}"
    if record.provider:
        raise InvalidRequestError("provider", record.provider, allowed)
    if record.endpoint != Endpoint():
        raise InvalidRequestError("endpoint", "an endpoint", allowed)
    return record.endpoint


def check_pricing(pricing: Pricing | None) -> None:
    """US dollars a million tokens, those of prompts and answers given."""
    if pricing is None:
        return
    for name in PRICES:
        value = getattr(pricing, name)
        if value is None and name in ("input", "output"):
            raise InvalidRequestError(f"pricing.{name}", None, f"a number from 0 to {MAX_PRICE:g}")
        check_number(f"pricing.{name}", value, 0, MAX_PRICE)


def check_config(config: ModelConfig) -> None:
    """The limits of requests hold for their defaults."""
    check_count("config.context_length", config.context_length, 1, MAX_CONTEXT)
    check_count("config.gpu_layers", config.gpu_layers, -1, MAX_GPU_LAYERS)
    check_sampling(config, "config.")
    check_stop(config.stop, "config.stop")
    for name, most in TEXTS.items():
        text = getattr(config, name)
        if text is not None:
            check_text(f"config.{name}", text, most)
    if config.pinned is not None:
        check_flag("config.pinned", config.pinned)
    check_number("config.idle_timeout", config.idle_timeout, 0, MAX_IDLE_TIMEOUT)


def check_quantization(model_format: ModelFormat, quantization: object) -> None:
    """Only what is converted here can be quantised here."""
    if quantization is None:
        return
    if model_format is not ModelFormat.HF:
        allowed = f"none for models of format {model_format.value}"
        raise InvalidRequestError("config.quantization", quantization, allowed)
    if quantization not in QUANTIZATIONS:
        allowed = ", ".join(QUANTIZATIONS)
        raise InvalidRequestError("config.quantization", quantization, allowed)


def check_id(model: str) -> None:
    """A name, or a name and a version with an ``@`` between them."""
    check_line("id", model, MAX_MODEL_ID)
    name, at, version = model.partition("@")
    if at and (not name or not version or "@" in version):
        raise InvalidRequestError("id", model, "a name, or name@version with one @")


def check_limits(limits: ModelLimits) -> None:
    """At least one request, and one token."""
    if not isinstance(limits, ModelLimits):
        raise InvalidRequestError("limits", limits, "limits of a model")
    check_count("limits.concurrent_requests", limits.concurrent_requests, 1, MAX_CONCURRENT)
    check_count("limits.max_tokens", limits.max_tokens, 1, MAX_CONTEXT)


def check_words(field: str, words: Sequence[str]) -> None:
    """Few, short words."""
    if len(words) > MAX_WORDS:
        raise InvalidRequestError(field, len(words), f"at most {MAX_WORDS} entries")
    for index, text in enumerate(words):
        check_line(f"{field}[{index}]", text, MAX_LABEL_KEY)


def check_labels(labels: Mapping[str, str]) -> None:
    """Few, short entries."""
    if len(labels) > MAX_LABELS:
        raise InvalidRequestError("labels", len(labels), f"at most {MAX_LABELS} entries")
    for key, value in labels.items():
        check_line("labels key", key, MAX_LABEL_KEY)
        check_text(f"labels[{key}]", value, MAX_LABEL_VALUE, empty=True)
