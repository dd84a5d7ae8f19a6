"""A Node client made from the .proto files alone."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from integration.processes import ROOT
from integration.word_provider import Service

HERE = Path(__file__).parent / "node"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The pinned packages, installed once for each state of package.json."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    manifest = HERE / "package.json"
    state = sha256(manifest.read_bytes()).hexdigest()[:16]
    folder = ROOT / ".cache" / f"node-{state}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(manifest, folder)
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=folder, check=True, timeout=240)
        (folder / "done").touch()
    return folder / "node_modules"


async def test_node_client_streams_an_answer(service: Service, node_modules: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / "client.cjs"),
        service.address,
        str(ROOT / "proto"),
        env={**os.environ, "NODE_PATH": str(node_modules)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    result = json.loads(out)
    stream = result["stream"]
    assert stream["kinds"][0] == "started"
    assert stream["kinds"][-1] == "complete"
    assert stream["text"] == "one two three "
    assert stream["complete"]["finish_reason"] == "FINISH_REASON_STOP"
    assert stream["complete"]["metrics"]["total_tokens"] == 6
    assert service.provider.calls[0].request.temperature == 0
    assert service.provider.calls[0].request.seed == 4294967295
    assert result["session"] == {"a": "first ", "b": "MODEL_NOT_FOUND"}
    assert result["models"] == ["words"]
    assert result["absent"]["code"] == 5
