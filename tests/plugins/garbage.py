"""What the suite itself is made of is never garbage, and no collection needs to look through it.

Thousands of collected tests and the libraries that they import make each full collection take a
second, which tests with many objects of their own provoke again and again.
"""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Leave all that is there once every test is known out of collections."""
    gc.collect()
    gc.freeze()
