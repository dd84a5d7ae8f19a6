from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.sources.source import (
    FileSource,
    HttpsSource,
    HubSource,
    OllamaSource,
    Source,
    parse_source,
)

DIGEST = "ab" * 32
PIECES = [
    *("..", ".", "/", "//", "\\", ":", "@", "?", "#", "%2f", "%2F", "%2e", "%2e%2e", "%00", "%5c"),
    *(
        "org",
        "repo",
        "a.gguf",
        "Q4_K_M",
        "main",
        "refs",
        "latest",
        "library",
        "localhost",
        "host.x",
    ),
    *("127.0.0.1", ":80", ":0", "[::1]", " ", "\n", "\0", "é", "-00001-of-00002.gguf", "~", "-"),
]


@pytest.mark.parametrize(
    ("text", "canonical", "default_id"),
    [
        ("/m/a b.gguf", "/m/a b.gguf", "a-b"),
        ("/m/x/../a.GGUF", "/m/a.GGUF", "a"),
        ("file:///m/a-00001-of-00002.gguf", "/m/a-00001-of-00002.gguf", "a"),
        ("HTTPS://Host.X:443/d/a.gguf", "https://host.x/d/a.gguf", "a"),
        ("https://host.x:444/a.gguf", "https://host.x:444/a.gguf", "a"),
        ("http://127.0.0.1:80/a.gguf", "http://127.0.0.1/a.gguf", "a"),
        ("http://[::1]:8080/a.gguf", "http://[::1]:8080/a.gguf", "a"),
        ("http://localhost:8080/%61.gguf", "http://localhost:8080/a.gguf", "a"),
        ("https://h/a%20b.gguf", "https://h/a%20b.gguf", "a-b"),
        (f"https://h/a#sha256={DIGEST.upper()}", f"https://h/a#sha256={DIGEST}", "a"),
        ("hf://org/repo", "hf://org/repo", "repo"),
        ("hf://org/Repo-GGUF@main", "hf://org/Repo-GGUF", "Repo"),
        ("hf://org/repo-GGUF:q4_k_m", "hf://org/repo-GGUF:Q4_K_M", "repo-Q4_K_M"),
        ("hf://org/repo/UD-IQ2_XXS", "hf://org/repo:UD-IQ2_XXS", "repo-UD-IQ2_XXS"),
        ("hf://org/repo@v1:F16", "hf://org/repo@v1:F16", "repo-F16"),
        ("hf://org/repo@refs%2Fpr%2F1/x/a.gguf", "hf://org/repo@refs%2Fpr%2F1/x/a.gguf", "a"),
        ("hf://org/r/a-00001-of-00009.gguf", "hf://org/r/a-00001-of-00009.gguf", "a"),
        ("ollama://llama3", "ollama://llama3:latest", "llama3"),
        ("ollama://library/llama3:8b", "ollama://llama3:8b", "llama3:8b"),
        ("ollama://me/llama3", "ollama://me/llama3:latest", "llama3"),
        ("ollama://registry.ollama.ai/library/x:1", "ollama://x:1", "x:1"),
        ("ollama://Hub.X:5000/x", "ollama://hub.x:5000/library/x:latest", "x"),
        ("ollama://localhost/a/x:b", "ollama://localhost/a/x:b", "x:b"),
    ],
)
def test_one_spelling_each(text: str, canonical: str, default_id: str) -> None:
    source = parse_source(text)
    assert (source.canonical, source.default_id) == (canonical, default_id)
    assert source.kind in ("file", "https", "hf", "ollama")


@pytest.mark.parametrize(
    "text",
    [
        *("", "a\nb", "a\0b", "x" * 4097, "s3://b/a.gguf", "ftp://h/a", "/m/a-00002-of-00002.gguf"),
        *("http://host.x/a.gguf", "http://10.0.0.1/a.gguf", "https://u@h/a.gguf", "https://h/"),
        *("https://:p@h/a", "https://@h/a", "https:///a", "https://h:0/a", "https://h:99999/a"),
        *("https://h:x/a", "https://h/../a", "https://h/b/%2e%2e/a", "https://h/b%2f..%2fa/c"),
        *("https://h/b//a", "https://h/a%2fb", "https://h/a\\b", "https://h/%5c", "https://h/%00"),
        *("https://h/%ff", "https://h/a#x", "https://h/a#sha256=12", "https://h/a?x y", "https://-h/a"),
        *("https://h/a-00002-of-00003.gguf", "https://h/a-00001-of-99999.gguf", "https://[::1/a"),
        *("https://h/a-00001-of-00000.gguf", "https://h..x/a", "https://h\\x/a", "https://[::1%25e]/a"),
        *("hf://", "hf://org", "hf://org/", "hf://../repo", "hf://org/..", "hf://org/a..b", "hf:///a"),
        *("hf://org/a--b", "hf://org/repo@", "hf://org/repo@..", "hf://org/repo@a%2F..%2Fb", "hf://o/r/"),
        *("hf://org/repo@a b", "hf://org/repo/../x.gguf", "hf://org/repo/a/", "hf://org/repo/x.bin"),
        *("hf://org/repo//x.gguf", "hf://org/repo/a\\x.gguf", "hf://org/repo:x.gguf", "hf://org/repo:"),
        *("hf://org/repo/Q4_K_M/x", "hf://org/repo/x.gguf?y", "hf://org/repo/ x.gguf", "hf://-o/repo"),
        *("hf://org/repo/x-00002-of-00002.gguf", "hf://org/repo/%2e%2e/x.gguf", "hf://.o/repo"),
        *("ollama://", "ollama://..", "ollama://a/..", "ollama://a/b/c/d", "ollama://:tag", "ollama://a:"),
        *("ollama://a:..", "ollama://../a", "ollama://h.x/../a", "ollama://h..x/n/a", "ollama://h.x:0/a"),
        *("ollama://h.x:99999/a", "ollama://a/b:c:d", "ollama://a b", "ollama://n/.a", "ollama:///a"),
        *("ollama://../n/a", "ollama://a:b/c/d/", "ollama://a@sha256:12", "ollama://a?b", "ollama://é"),
    ],
)  # fmt: skip
def test_what_is_no_source(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="allowed") as caught:
        parse_source(text)
    assert caught.value.field == "source"


@pytest.mark.parametrize("text", [None, 7, b"/a"])
def test_what_is_no_text(text: object) -> None:
    with pytest.raises(InvalidRequestError):
        parse_source(text)  # type: ignore[arg-type]


def test_parts_of_a_hub_source() -> None:
    source = parse_source("hf://org/repo@refs%2Fpr%2F1/x/a.gguf")
    assert source == HubSource("org", "repo", "refs/pr/1", "x/a.gguf")
    assert isinstance(source, HubSource)
    assert source.repo_id == "org/repo"
    assert parse_source("hf://org/repo:q8_0") == HubSource("org", "repo", tag="Q8_0")


@pytest.mark.parametrize(
    ("text", "base_url"),
    [
        ("ollama://x", "https://registry.ollama.ai"),
        ("ollama://127.0.0.1:11434/x", "http://127.0.0.1:11434"),
        ("ollama://hub.x:1/x", "https://hub.x:1"),
    ],
)
def test_where_ollamas_registry_answers(text: str, base_url: str) -> None:
    source = parse_source(text)
    assert isinstance(source, OllamaSource)
    assert source.name.base_url == base_url


def test_secrets_are_not_shown() -> None:
    source = parse_source("https://h/a.gguf?token=hush%2Fhush")
    assert isinstance(source, HttpsSource)
    assert str(source.url) == "https://h/a.gguf?token=hush%2Fhush"
    assert "hush" not in repr(source) + source.canonical + source.default_id
    assert source.canonical != parse_source("https://h/a.gguf?token=other").canonical
    user = ("https://me:hush@h/a", "https://me:a/hush@h/a")
    for text in ("https://h/../a?token=hush", *user, "http://h/a?hush#hush"):
        with pytest.raises(InvalidRequestError) as caught:
            parse_source(text)
        assert "hush" not in str(caught.value)


def parts_that_become_names(source: Source) -> list[str]:
    """What fetchers make folders and files of, whatever lies on the way."""
    match source:
        case FileSource():
            return []
        case HttpsSource():
            return [source.url.name, source.url.raw_host or ""]
        case HubSource():
            file = [] if source.file is None else source.file.split("/")
            return [source.organization, source.repository, *source.revision.split("/"), *file]
        case OllamaSource(name):
            return [name.host, name.namespace, name.model, name.tag]


SCHEMES = st.sampled_from(["https://", "http://", "hf://", "ollama://", "HF://"])


@given(SCHEMES, st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=9))
def test_no_accepted_source_leads_outside(scheme: str, pieces: list[str]) -> None:
    try:
        source = parse_source(scheme + "".join(pieces))
    except InvalidRequestError:
        return
    base = Path("/cache")
    for name in parts_that_become_names(source):
        assert name not in ("", ".", "..")
        assert not set(name) & set("/\\\0\n")
        assert (base / name).parent == base
    assert parse_source(source.default_id) is not None
    again = parse_source(text_of(source))
    assert again.canonical == source.canonical


def text_of(source: Source) -> str:
    return str(source.url) if isinstance(source, HttpsSource) else source.canonical
