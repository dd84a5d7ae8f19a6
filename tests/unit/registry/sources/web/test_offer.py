from __future__ import annotations

import pytest

from llm_runner_router.errors import SourceError
from llm_runner_router.registry.sources.web.offer import Broken, Offer, Outdated, read_offer


def test_a_whole_file_and_a_part() -> None:
    headers = {"content-length": "9", "etag": '"x"', "last-modified": "then"}
    assert read_offer(200, headers, 5) == Offer(0, 9, '"x"', "then")
    assert read_offer(206, {"content-range": "bytes 5-8/9"}, 5) == Offer(5, 9)
    assert read_offer(206, {"content-range": "bytes 5-8/*"}, 5) == Offer(5, None)
    assert read_offer(200, {"transfer-encoding": "Chunked"}, 0) == Offer(0, None)


@pytest.mark.parametrize(
    "content_range",
    [
        "",
        "bytes 4-8/9",
        "bytes 5-4/9",
        "bytes 5-9/9",
        "bytes */9",
        "5-8/9",
        "bytes 5-8/9 ",
    ],
)
def test_impossible_ranges(content_range: str) -> None:
    with pytest.raises(SourceError, match="range"):
        read_offer(206, {"content-range": content_range}, 5)


@pytest.mark.parametrize("headers", [{}, {"content-length": "-1"}, {"content-length": "1e3"}])
def test_an_end_that_nobody_could_tell_from_a_cut(headers: dict[str, str]) -> None:
    with pytest.raises(SourceError, match="length"):
        read_offer(200, headers, 0)


def test_what_may_be_better_the_next_time() -> None:
    with pytest.raises(Broken) as caught:
        read_offer(429, {"retry-after": "3"}, 0)
    assert caught.value.wish == 3.0
    with pytest.raises(Outdated):
        read_offer(416, {}, 5)
    with pytest.raises(SourceError):
        read_offer(416, {}, 0)


@pytest.mark.parametrize("status", [204, 304, 400, 404, 501])
def test_refusals(status: int) -> None:
    with pytest.raises(SourceError, match=str(status)):
        read_offer(status, {"content-length": "9"}, 0)
