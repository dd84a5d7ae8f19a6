"""The limits of a record's fields, and changes of single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.providers.known import known
from llm_runner_router.registry.endpoint_checks import checked_endpoint
from llm_runner_router.registry.line_checks import check_line
from llm_runner_router.registry.records import (
    DEFAULT_CAPABILITIES,
    Endpoint,
    ModelConfig,
    ModelRecord,
    Pricing,
)
from llm_runner_router.types import ModelFormat
from llm_runner_router.validation import (
    MAX_CONTEXT,
    MAX_MODEL_ID,
    check_count,
    check_kind,
    check_number,
    check_sampling,
    check_stop,
    check_text,
)

MAX_NAME = 256
MAX_SOURCE = 4096
MAX_CAPABILITIES = 64
MAX_LABELS = 64
MAX_LABEL_KEY = 128
MAX_LABEL_VALUE = 1024
MAX_GPU_LAYERS = 10_000
MAX_PROVIDER = 128
MAX_PRICE = 1e6

CONFIG_FIELDS = tuple(field.name for field in fields(ModelConfig))
ENDPOINT_FIELDS = tuple(field.name for field in fields(Endpoint))
PRICES = tuple(field.name for field in fields(Pricing))
UPDATABLE = (
    *("name", "format", "source", "config", "capabilities", "labels"),
    *("provider", "endpoint", "pricing", "quality"),
)
SECTIONS = {"config": CONFIG_FIELDS, "endpoint": ENDPOINT_FIELDS}


def checked_record(record: ModelRecord) -> ModelRecord:
    """``record`` with its defaults; InvalidRequestError names the first field that is wrong."""
    check_line("id", record.id, MAX_MODEL_ID)
    check_kind("capabilities", record.capabilities, Sequence, "a list of words")
    check_kind("labels", record.labels, Mapping, "texts by name")
    check_kind("config.stop", record.config.stop, Sequence, "a list of strings")
    completed = replace(
        record,
        name=record.name or record.id,
        capabilities=tuple(record.capabilities) or DEFAULT_CAPABILITIES,
        labels=dict(record.labels),
        config=replace(record.config, stop=tuple(record.config.stop)),
        etag="",
    )
    check_line("name", completed.name, MAX_NAME)
    check_format(record.format)
    check_line("source", record.source, MAX_SOURCE)
    check_config(completed.config)
    check_capabilities(completed.capabilities)
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
    """GGUF runs here, an API elsewhere."""
    if not isinstance(value, ModelFormat):
        raise InvalidRequestError("format", value, f"one of {', '.join(ModelFormat)}")
    if value is ModelFormat.HF:
        raise UnsupportedError(f"format: {value.value} models cannot be run by this version")


def endpoint_of(record: ModelRecord) -> Endpoint:
    """The endpoint as it is stored: of a known provider for an API, none for a file."""
    if record.format is ModelFormat.API:
        check_text("provider", record.provider, MAX_PROVIDER, empty=True)
        provider = known(record.provider)
        check_line("provider", record.provider, MAX_PROVIDER)
        return checked_endpoint(record.endpoint, provider)
    if record.provider:
        raise InvalidRequestError("provider", record.provider, "none for models of format gguf")
    if record.endpoint != Endpoint():
        raise InvalidRequestError("endpoint", "an endpoint", "none for models of format gguf")
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


def check_capabilities(capabilities: Sequence[str]) -> None:
    """Few, short words."""
    if len(capabilities) > MAX_CAPABILITIES:
        allowed = f"at most {MAX_CAPABILITIES} entries"
        raise InvalidRequestError("capabilities", len(capabilities), allowed)
    for index, capability in enumerate(capabilities):
        check_line(f"capabilities[{index}]", capability, MAX_LABEL_KEY)


def check_labels(labels: Mapping[str, str]) -> None:
    """Few, short entries."""
    if len(labels) > MAX_LABELS:
        raise InvalidRequestError("labels", len(labels), f"at most {MAX_LABELS} entries")
    for key, value in labels.items():
        check_line("labels key", key, MAX_LABEL_KEY)
        check_text(f"labels[{key}]", value, MAX_LABEL_VALUE, empty=True)
