"""llama.cpp as a contender: xllamacpp's server in a process of its own, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.machine import processor_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HANGING_SECONDS = 120.0
NAME = "llama.cpp"
NOTE = (
    "llama.cpp as the package xllamacpp brings it: a portable build whose kernels do not use all "
    "that this processor has. One that is built natively is faster."
)


class LlamaCpp:
    """A running server."""

    def __init__(self, address: str, process: int, streams: int) -> None:
        self.process = process
        self._host = urlsplit(address).netloc
        self._threads = ThreadPoolExecutor(streams)

    def answer(self, prompts: Sequence[Sequence[int]], tokens: int) -> None:
        """See Contender. Whole answers: streamed ones would cost the server more."""
        list(self._threads.map(self._ask, prompts, [tokens] * len(prompts)))

    def _ask(self, prompt: Sequence[int], tokens: int) -> None:
        body = {
            "prompt": prompt,
            "n_predict": tokens,
            "temperature": 0.0,
            "samplers": [],
            "ignore_eos": True,
        }
        headers = {"Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self._host, timeout=HANGING_SECONDS)
        try:
            connection.request("POST", "/completion", json.dumps(body), headers)
            answer = json.load(connection.getresponse())
        finally:
            connection.close()
        if answer.get("tokens_predicted") != tokens:
            raise RuntimeError(f"llama.cpp gave no {tokens} tokens: {str(answer)[:200]}")

    def processor_seconds(self) -> float:
        """See Contender. In steps of a clock tick, a hundredth of a second as a rule."""
        return processor_seconds(self.process)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown()


@contextmanager
def running(model: Path, threads: int, streams: int, context: int) -> Iterator[LlamaCpp]:
    """The server on a free loopback port; ``context`` tokens for each stream."""
    host = Path(__file__).with_name("peer_host.py")
    settings = [str(model), str(threads), str(streams), str(context)]
    with subprocess.Popen(
        [sys.executable, str(host), *settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = next((line for line in process.stdout if line.startswith("http")), None)
            if address is None:
                raise RuntimeError(f"llama.cpp did not start on {model.name}")
            server = LlamaCpp(address.strip(), process.pid, streams)
            yield server
            server.close()
        finally:
            process.kill()
