"""llama.cpp as a contender: xllamacpp's server in a process of its own, asked over HTTP.

Run as a script it serves one model, prints its address and ends when its standard input does.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

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

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown()


@contextmanager
def running(model: Path, threads: int, streams: int, context: int) -> Iterator[LlamaCpp]:
    """The server on a free loopback port; ``context`` tokens for each stream."""
    settings = [str(model), str(threads), str(streams), str(context)]
    with subprocess.Popen(
        [sys.executable, __file__, *settings],
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


def parameters(model: str, threads: int, streams: int, context: int) -> Any:  # noqa: ANN401
    """What is not set here is llama.cpp's default."""
    import xllamacpp  # noqa: PLC0415 - only the child needs it

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.port = 0
    params.hostnames = ["127.0.0.1"]
    params.n_ctx = context * streams
    params.n_parallel = streams
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.n_threads_http = streams + 1
    params.n_gpu_layers = 0
    params.fit_params = False
    params.cache_ram_mib = 0  # copies whole states aside: of no use here, and not free
    return params


def main(model: str, *sizes: str) -> None:
    """Serve until standard input ends."""
    import xllamacpp  # noqa: PLC0415 - only the child needs it

    server = xllamacpp.Server(parameters(model, *map(int, sizes)))
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
