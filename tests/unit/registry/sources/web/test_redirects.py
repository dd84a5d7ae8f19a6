from __future__ import annotations

import pytest
from yarl import URL

from llm_runner_router.errors import SourceError
from llm_runner_router.registry.sources.web.request import redirected

SECURE, LOCAL = URL("https://h.x/a/b?c"), URL("http://127.0.0.1:1/a")


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        (SECURE, "/d?e=%2F+%20", "https://h.x/d?e=%2F+%20"),
        (SECURE, "d", "https://h.x/a/d"),
        (SECURE, "//cdn.x/d%2Fe", "https://cdn.x/d%2Fe"),
        (SECURE, "https://cdn.x:444/d", "https://cdn.x:444/d"),
        (SECURE, "https://me:hush@cdn.x/d", "https://cdn.x/d"),
        (LOCAL, "http://localhost:2/d", "http://localhost:2/d"),
        (LOCAL, "https://cdn.x/d", "https://cdn.x/d"),
    ],
)
def test_where_a_redirect_leads(url: URL, location: str, target: str) -> None:
    assert str(redirected(url, location)) == target


@pytest.mark.parametrize(
    ("url", "location"),
    [
        (SECURE, "http://h.x/a"),
        (SECURE, "http://127.0.0.1/a"),
        (LOCAL, "http://10.0.0.1/a"),
        (LOCAL, "ftp://127.0.0.1/a"),
        (LOCAL, "file:///etc/passwd"),
        (LOCAL, ""),
        (LOCAL, "http://[::1"),
        (LOCAL, "http://h:99999999/"),
        (LOCAL, f"https://{'a' * 64}.x/"),
        (LOCAL, "https://h..x/"),
        (LOCAL, "https:///a"),
    ],
)
def test_where_none_may_lead(url: URL, location: str) -> None:
    with pytest.raises(SourceError, match="redirects"):
        redirected(url, location)
