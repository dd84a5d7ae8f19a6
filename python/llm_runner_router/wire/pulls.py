"""How far a pull has come."""

from __future__ import annotations

from llm_runner_router.registry.records import PullProgress
from llm_runner_router.v1 import registry_pb2
from llm_runner_router.wire.fields import fill, present

FIELDS = (
    *("phase", "file", "done_bytes", "total_bytes"),
    *("bytes_per_second", "remaining_seconds", "note"),
)


def pull_to_wire(progress: PullProgress) -> registry_pb2.PullProgress:
    """How far a pull has come."""
    message = registry_pb2.PullProgress()
    fill(message, progress, "progress", FIELDS)
    return message


def pull_from_wire(message: registry_pb2.PullProgress) -> PullProgress:
    """How far a pull has come."""
    return PullProgress(
        phase=message.phase,
        file=message.file,
        done_bytes=int(message.done_bytes),
        total_bytes=int(message.total_bytes),
        bytes_per_second=message.bytes_per_second,
        note=message.note,
        **present(message, ("remaining_seconds",)),
    )
