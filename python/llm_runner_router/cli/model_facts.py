"""What ``llm-router models show`` tells of a registered model."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from llm_runner_router.cli.sizes import bytes_text, count_text, exact_text
from llm_runner_router.errors import shorten
from llm_runner_router.registry.records import (
    MemoryEstimate,
    ModelConfig,
    ModelDetails,
    ModelPerformance,
    ModelRecord,
    ModelView,
    Pricing,
)

MOST_TEXT = 100

DEFAULTS = (
    *("max_tokens", "temperature", "top_p", "top_k", "min_p", "repeat_penalty"),
    *("frequency_penalty", "presence_penalty", "seed", "stop"),
)
"""The settings of a model that requests may leave out."""


def facts(view: ModelView) -> dict[str, object]:
    """All that there is to know of a model, by what it is called; nothing where it is unknown."""
    record = view.record
    return {
        **identity_facts(record),
        **provider_facts(record),
        "in_memory": "yes" if view.loaded else "no",
        **memory_facts(view.memory),
        **file_facts(view.details),
        "context_length": record.config.context_length or view.details.context_length,
        **setting_facts(record),
        **performance_facts(view.performance),
    }


def identity_facts(record: ModelRecord) -> dict[str, object]:
    """What it is called, where it comes from and who knows it."""
    return {
        "id": record.id,
        "name": record.name,
        "format": record.format,
        "source": record.source,
        "capabilities": words(record.capabilities),
        "tags": words(record.tags),
        "labels": words(f"{name}={text}" for name, text in record.labels.items()),
        "owner": record.owner,
        "created": time_text(record.created),
        "updated": time_text(record.updated),
        "etag": record.etag,
    }


def provider_facts(record: ModelRecord) -> dict[str, object]:
    """Who runs it, and for how much."""
    endpoint = record.endpoint
    return {
        "provider": record.provider,
        "base_url": endpoint.base_url,
        "api_key": endpoint.api_key,
        "organization": endpoint.organization,
        "api_version": endpoint.api_version,
        "headers": words(f"{name}={text}" for name, text in endpoint.headers.items()),
        "options": json.dumps(endpoint.options) if endpoint.options else "",
        "quality": "" if record.quality is None else f"{record.quality:g}",
        "prices": prices(record.pricing),
    }


def prices(pricing: Pricing | None) -> str:
    """The prices that replace the published ones."""
    if pricing is None:
        return ""
    return f"{pricing.input:g} in, {pricing.output:g} out (USD a million tokens)"


def memory_facts(memory: MemoryEstimate | None) -> dict[str, object]:
    """What it takes in memory, as a whole and part by part."""
    if memory is None:
        return {}
    return {
        "memory": f"{bytes_text(memory.total)} once it is loaded",
        "of_it_weights": bytes_text(memory.weights),
        "of_it_KV_cache": bytes_text(memory.kv),
        "of_it_computing": bytes_text(memory.compute),
        "of_it_vocabulary": bytes_text(memory.vocabulary),
    }


def file_facts(details: ModelDetails) -> dict[str, object]:
    """What its file has shown."""
    count, size = details.parameters, details.file_bytes
    return {
        "architecture": details.architecture,
        "parameters": f"{count_text(count)} ({exact_text(count)})" if count else "",
        "size": f"{bytes_text(size)} ({exact_text(size)} bytes)" if size else "",
        "vocabulary_size": details.vocabulary_size,
    }


def setting_facts(record: ModelRecord) -> dict[str, object]:
    """How it is run, and what it may be asked for."""
    config, limits = record.config, record.limits
    return {
        "quantization": config.quantization or "",
        "gpu_layers": number_text(config.gpu_layers),
        "pinned": "" if config.pinned is None else "yes" if config.pinned else "no",
        "idle_timeout": "" if config.idle_timeout is None else f"{config.idle_timeout:g} s",
        "most_requests_at_once": limits.concurrent_requests,
        "most_tokens_of_an_answer": limits.max_tokens,
        **{f"default_{name}": default_text(config, name) for name in DEFAULTS},
        "system": brief(config.system),
        "chat_template": brief(config.chat_template),
        "license": brief(config.license),
    }


def performance_facts(performance: ModelPerformance) -> dict[str, object]:
    """What was measured of it."""
    present: dict[str, object] = {"memory_now": bytes_text(performance.memory_bytes)}
    if not performance.samples:
        return present if performance.memory_bytes else {}
    rate, first = performance.tokens_per_second, performance.first_token_ms
    late = performance.first_token_p95_ms
    return {
        **(present if performance.memory_bytes else {}),
        "speed": "" if rate is None else f"{rate:.1f} tokens/s",
        "first_token": "" if first is None else f"{first:.0f} ms",
        "first_token_p95": "" if late is None else f"{late:.0f} ms",
        "failures": f"{performance.error_rate:.1%}",
        "measured_answers": performance.samples,
    }


def words(texts: Iterable[str]) -> str:
    """Several words in a line."""
    return ", ".join(texts)


def default_text(config: ModelConfig, name: str) -> str:
    """A default of requests; 0 is one, too."""
    value = getattr(config, name)
    return ", ".join(map(repr, value)) if name == "stop" else number_text(value)


def number_text(value: float | None) -> str:
    """A number, if there is one."""
    return "" if value is None else f"{value}"


def brief(text: str | None) -> str:
    """The beginning of a long text, in one line."""
    return shorten(text, MOST_TEXT) if text else ""


def time_text(seconds: float) -> str:
    """A time in UTC; nothing for 0."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC" if seconds else ""
