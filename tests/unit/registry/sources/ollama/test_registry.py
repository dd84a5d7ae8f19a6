"""Where a registry sends for tokens."""

from __future__ import annotations

import pytest
from yarl import URL

from llm_runner_router.registry.sources.ollama.manifest import OllamaBlob
from llm_runner_router.registry.sources.ollama.name import OllamaName
from llm_runner_router.registry.sources.ollama.registry import OllamaRegistry, token_url

FAR, HERE = URL("https://registry.example"), URL("http://127.0.0.1:5000")


def test_a_challenge_names_realm_service_and_scope() -> None:
    challenge = (
        'bearer realm="https://auth.example/token?a=1",service="r",scope="repository:a/b:pull"'
    )
    url = token_url(challenge, FAR)
    assert url is not None
    assert url.with_query(None) == URL("https://auth.example/token")
    assert dict(url.query) == {"a": "1", "service": "r", "scope": "repository:a/b:pull"}


def test_a_challenge_may_name_a_realm_alone() -> None:
    url = token_url('Bearer realm="https://auth.example/token"', FAR)
    assert url == URL("https://auth.example/token")


def test_a_user_name_is_left_out() -> None:
    url = token_url('Bearer realm="https://me:secret@auth.example/token"', FAR)
    assert url == URL("https://auth.example/token")


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        'Basic realm="https://auth.example"',
        "Bearer",
        'Bearer realm=""',
        'Bearer realm="/token"',
        'Bearer realm="http://auth.example/token"',
        'Bearer realm="http://127.0.0.1/token"',
        'Bearer realm="file:///etc/passwd"',
        'Bearer realm="https://[::bad/token"',
        'Bearer realm="https://host:99999/token"',
        'Bearer realm="https://a.example\\n"',
    ],
)
def test_what_must_not_be_followed_is_not(challenge: str) -> None:
    assert token_url(challenge, FAR) is None


def test_only_a_registry_of_this_machine_sends_to_this_machine() -> None:
    challenge = 'Bearer realm="http://localhost:5001/token"'
    assert token_url(challenge, FAR) is None
    assert token_url(challenge, HERE) == URL("http://localhost:5001/token")
    assert token_url('Bearer realm="http://auth.example/token"', HERE) is None


def test_blobs_have_their_place() -> None:
    def no_session() -> None:
        raise AssertionError

    registry = OllamaRegistry(no_session, OllamaName("h.example", "ns", "m", "t"))  # type: ignore[arg-type]
    url = registry.blob_url(OllamaBlob("model", "ab" * 32, 4))
    assert str(url) == f"https://h.example/v2/ns/m/blobs/sha256:{'ab' * 32}"
