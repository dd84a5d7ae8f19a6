"""The limits of a record's fields, and changes of single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.registry.records import DEFAULT_CAPABILITIES, ModelConfig, ModelRecord
from llm_runner_router.types import ModelFormat
from llm_runner_router.validation import (
    MAX_CONTEXT,
    MAX_MODEL_ID,
    check_count,
    check_kind,
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

CONFIG_FIELDS = tuple(field.name for field in fields(ModelConfig))
UPDATABLE = ("name", "format", "source", "config", "capabilities", "labels")


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
    return completed


def changed(present: ModelRecord, wanted: ModelRecord, paths: Sequence[str]) -> ModelRecord:
    """``present`` with the fields of ``wanted`` that ``paths`` name."""
    if not paths:
        raise InvalidRequestError("update_mask", list(paths), f"some of {', '.join(UPDATABLE)}")
    result = present
    for path in paths:
        section, _, key = path.partition(".")
        if path in UPDATABLE:
            result = replace(result, **{path: getattr(wanted, path)})
        elif section == "config" and key in CONFIG_FIELDS:
            config = replace(result.config, **{key: getattr(wanted.config, key)})
            result = replace(result, config=config)
        else:
            allowed = f"{', '.join(UPDATABLE)}, config.{', config.'.join(CONFIG_FIELDS)}"
            raise InvalidRequestError("update_mask", path, allowed)
    return checked_record(result)


def check_line(field: str, value: object, most: int) -> None:
    """Text without control characters or space around it."""
    good = isinstance(value, str) and 0 < len(value) <= most and value.isprintable()
    if not good or value != str(value).strip():
        allowed = f"1 to {most} printable characters without space around them"
        raise InvalidRequestError(field, value, allowed)


def check_format(value: object) -> None:
    """GGUF is what this version runs."""
    if not isinstance(value, ModelFormat):
        raise InvalidRequestError("format", value, f"one of {', '.join(ModelFormat)}")
    if value is not ModelFormat.GGUF:
        raise UnsupportedError(f"format: {value.value} models cannot be run by this version")


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
