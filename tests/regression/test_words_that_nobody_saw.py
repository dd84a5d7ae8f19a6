"""What the commands had to say was lost.

``serve`` kept silent about deprecated variables: warnings of that category are not shown. ``chat``
took the next line of the user and said nothing where the service had ended the conversation
meanwhile. ``models list`` cut long paths.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from integration.processes import llm_router
from integration.word_provider import running

CHAT = ("-m", "llm_runner_router.cli", "chat")


async def test_serve_warns_once_of_what_is_deprecated(tmp_path: Path) -> None:
    arguments = ("--host", "no.such.host.invalid", "--data", str(tmp_path))
    environment = {"LLM_MAX_CONCURRENT": "5"}
    done = await llm_router("serve", *arguments, environment=environment)
    assert done.err.count("LLM_MAX_CONCURRENT is deprecated: use MAX_CONCURRENT_REQUESTS") == 1


async def test_chat_says_that_the_service_has_gone() -> None:
    async with running() as service:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *CHAT,
            "--target",
            service.address,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"one\n")
        assert await process.stdout.readline() == b"one \n"
        await service.server.stop()
        _, said = await process.communicate(b"two\n")
    assert process.returncode == 3, said
    assert b"the service has ended the conversation" in said


async def test_list_shows_whole_paths() -> None:
    model = "m" * 100
    async with running(models=(model,)) as service:
        listed = await llm_router("models", "list", "--target", service.address)
    assert "…" not in listed.out
    column = [
        line.rpartition("│")[0].rpartition("│")[2].strip() for line in listed.out.splitlines()
    ]
    assert f"/models/{model}.gguf" in "".join(column)
