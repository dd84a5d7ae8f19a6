"""The command ``llm-router``."""

from llm_runner_router.cli.app import app

__all__ = ["app"]
