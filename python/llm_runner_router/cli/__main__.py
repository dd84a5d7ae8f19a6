"""``python -m llm_runner_router.cli`` is ``llm-router``."""

from llm_runner_router.cli.app import app

app(prog_name="llm-router")
