from __future__ import annotations

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.ollama.server_address import server_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("https://ollama.example/", "https://ollama.example"),
        ("gpu-box", "http://gpu-box:11434"),
        ("gpu-box:8080", "http://gpu-box:8080"),
        (" localhost ", "http://localhost:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:5", "http://[::1]:5"),
    ],
)
def test_addresses_as_people_write_them(text: str, address: str) -> None:
    assert server_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "ftp://x", "http://", "http://user:secret@host", "host:port", "a b", "host:0"]
)
def test_what_is_no_address_is_refused_and_no_secret_is_shown(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        server_address(text)
    assert caught.value.field == "host"
    assert "secret" not in str(caught.value)
