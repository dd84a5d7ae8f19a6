"""A router in this process whose models say back what they hear, or do as they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from llm_runner_router.compat.router_thread import RouterThread
from llm_runner_router.registry.records import Endpoint, ModelRecord, Pricing
from llm_runner_router.types import ModelFormat

MODELS: Mapping[str, Mapping[str, Any]] = {
    "m": {},
    "broken": {"failure": "PROVIDER_FAILED"},
    "broken-text": {"failure": "PROVIDER_FAILED"},
    "fails": {"failure": "PROVIDER_FAILED"},
    "breaks-off": {"failure": "PROVIDER_FAILED", "fail_after": 1},
    "never": {"first_latency": 3600},
    "stalls": {"chunk_latency": 3600},
}


@contextmanager
def echo_router() -> Iterator[RouterThread]:
    with RouterThread() as router:
        for name, options in MODELS.items():
            record = ModelRecord(
                id=name,
                name=name,
                format=ModelFormat.API,
                source=name,
                provider="echo",
                endpoint=Endpoint(options=options),
                pricing=Pricing(1.0, 2.0),
            )
            router.run(lambda face, record=record: face.register_model(record))
        yield router
