"""llama.cpp as a peer: xllamacpp's server in a process of its own, asked over HTTP.

Run as a script it serves one model and prints the address; it ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class LlamaCpp:
    """A running server."""

    def __init__(self, address: str, vocabulary: int) -> None:
        self._address = address
        self._vocabulary = vocabulary

    def logprobs(self, tokens: Sequence[int], positions: Sequence[int]) -> NDArray[np.float64]:
        """Of the token after each of ``positions``, ``[len(positions), vocabulary]``.

        The server has no log-probabilities of a prompt: one call a position.
        """
        return np.array([self._next(list(tokens[: position + 1])) for position in positions])

    def greedy(self, prompt: Sequence[int], max_tokens: int) -> str:
        """The likeliest text after a prompt, up to the end of generation."""
        answer = self._post(
            {
                "prompt": list(prompt),
                "n_predict": max_tokens,
                "cache_prompt": False,
                "temperature": 0.0,
                "samplers": ["temperature"],
            }
        )
        return str(answer["content"])

    def _next(self, prompt: list[int]) -> NDArray[np.float64]:
        answer = self._post(
            {
                "prompt": prompt,
                "n_predict": 1,
                "n_probs": self._vocabulary,
                "return_tokens": True,
                "cache_prompt": True,
                "temperature": 1.0,
                "samplers": ["temperature"],
            }
        )
        row = np.full(self._vocabulary, np.nan)
        for entry in answer["completion_probabilities"][0]["top_logprobs"]:
            row[entry["id"]] = entry["logprob"]
        if np.isnan(row).any():
            raise RuntimeError("llama.cpp left out tokens")
        return row

    def _post(self, body: dict[str, object]) -> dict[str, list[dict[str, list[dict[str, float]]]]]:
        request = urllib.request.Request(
            f"{self._address}/completion",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@contextlib.contextmanager
def serve(
    model: Path,
    vocabulary: int,
    kv_type: str = "f32",
    adapters: Sequence[tuple[str, float]] = (),
) -> Iterator[LlamaCpp]:
    """Serve ``model`` on a free loopback port while the context lasts."""
    with subprocess.Popen(
        [sys.executable, __file__, str(model), kv_type, json.dumps(list(adapters))],
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
            yield LlamaCpp(address.strip(), vocabulary)
        finally:
            process.kill()


def main(model: str, kv_type: str, adapters: str) -> None:
    """Serve until standard input ends."""
    import xllamacpp  # noqa: PLC0415

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.port = 0
    params.hostnames = ["127.0.0.1"]
    params.n_ctx = 512
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.fit_params = False
    params.n_gpu_layers = 0
    kind = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{kv_type.upper()}")
    params.lora_adapters = [
        xllamacpp.CommonAdapterLoraInfo(path, scale) for path, scale in json.loads(adapters)
    ]
    params.cache_type_k = kind
    params.cache_type_v = kind
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
