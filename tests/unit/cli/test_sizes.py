from __future__ import annotations

import pytest

from llm_runner_router.cli.sizes import bytes_text, count_text, exact_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (45_634_027_520, "42.5 GiB"),
        (1 << 60, "1024.0 PiB"),
    ],
)
def test_bytes(count: int, text: str) -> None:
    assert bytes_text(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0 k"),
        (999_949, "999.9 k"),
        (999_950, "1.0 M"),
        (70_553_706_496, "70.6 B"),
        (10**18, "1000000.0 T"),
    ],
)
def test_counts(count: int, text: str) -> None:
    assert count_text(count) == text


def test_exact() -> None:
    assert exact_text(70_553_706_496) == "70,553,706,496"
