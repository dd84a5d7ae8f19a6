"""A prompt of 8 MB stopped the whole service for 18 seconds.

Tokenizing ran in a thread of its own but kept the interpreter's lock, so that the event loop, and
with it every other stream, stood still until it was done.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from llm_runner_router.tokenizer import Tokenizer
from unit.vocabularies import bpe

TOKENIZER = Tokenizer.from_metadata(bpe())
TEXT = "hello world " * 50_000


def timed_encode() -> float:
    begun = time.monotonic()
    TOKENIZER.encode(TEXT)
    return time.monotonic() - begun


def test_other_threads_run_while_a_long_text_is_encoded() -> None:
    longest = 0.0
    with ThreadPoolExecutor(1) as threads:
        last = time.monotonic()
        encoding = threads.submit(timed_encode)
        done = False
        while not done:
            done = encoding.done()
            now = time.monotonic()
            longest, last = max(longest, now - last), now
    assert longest < encoding.result() / 2, "the encoder kept the interpreter's lock"
