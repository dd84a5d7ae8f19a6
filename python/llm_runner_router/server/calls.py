"""Who calls, under which name and until when: the metadata and the deadline of a call."""

from __future__ import annotations

import time
import uuid
from typing import Any, cast

import grpc

from llm_runner_router.backend import CallContext
from llm_runner_router.wire.channel import CALLER_KEY, REQUEST_ID_KEY

MAX_NAME = 128

ServicerContext = grpc.aio.ServicerContext[Any, Any]


def call_context(context: ServicerContext) -> CallContext:
    """What the layers below may know of a call."""
    remaining = cast("float | None", context.time_remaining())
    deadline = None if remaining is None else time.monotonic() + remaining
    return CallContext(caller=metadata_name(context, CALLER_KEY) or "anonymous", deadline=deadline)


def call_name(context: ServicerContext) -> str:
    """The call's name in the logs: the client's, or one of our making."""
    return metadata_name(context, REQUEST_ID_KEY) or uuid.uuid4().hex[:16]


def metadata_name(context: ServicerContext, key: str) -> str:
    """A short printable name out of the metadata; empty where there is none."""
    metadata = dict(context.invocation_metadata() or ())
    value = metadata.get(key, "")
    return "".join(filter(str.isprintable, value[:MAX_NAME])) if isinstance(value, str) else ""
