"""llama.cpp's server with one model, run as a script of its own by ``peer.py``.

Prints its address and ends when its standard input does.
"""

from __future__ import annotations

import sys

import xllamacpp


def parameters(model: str, threads: int, streams: int, context: int) -> xllamacpp.CommonParams:
    """What is not set here is llama.cpp's default."""
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
    server = xllamacpp.Server(parameters(model, *map(int, sizes)))
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
