"""A router behind a channel, with the methods, types and errors of one in this process."""

from llm_runner_router.remote.remote_backend import RemoteBackend

__all__ = ["RemoteBackend"]
