from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WITHOUT = """
import sys
sys.modules["langchain_core"] = None
import llm_runner_router.migrate.langchain.migrated
try:
    import llm_runner_router.compat.langchain
except ImportError as error:
    print(error.name, error)
"""


def test_without_langchain_the_extra_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith("langchain_core llm_runner_router.compat.langchain needs")
    assert "install llm-runner-router[langchain]" in done.stdout
