from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_runner_router.errors import ProviderRejectedError
from llm_runner_router.providers.known import known
from llm_runner_router.providers.secrets import MAX_SECRET_BYTES, Secret, key_of, resolve
from llm_runner_router.registry.records import Endpoint

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", f" {KEY}\n")
    monkeypatch.delenv("NO_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")


def test_where_a_secret_is_found(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert resolve("env:A_KEY") == KEY
    assert resolve(f"file:{tmp_path / 'key'}") == KEY
    assert KEY not in repr([resolve("env:A_KEY"), Secret(KEY)])


def test_what_is_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").write_bytes(b"x" * (MAX_SECRET_BYTES + 1))
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "lines").write_text(f"{KEY}\nand more")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("STRANGE", f"{KEY}ü")
    files = [f"file:{tmp_path / name}" for name in ("none", "large", "empty", "lines", "pipe", "")]
    for reference in ("env:NO_KEY", "env:STRANGE", *files):
        with pytest.raises(ProviderRejectedError) as raised:
            resolve(reference)
        assert reference in raised.value.message
        assert KEY not in str(raised.value)


def test_a_full_file_still_is_one(tmp_path: Path) -> None:
    (tmp_path / "full").write_bytes(b"x" * MAX_SECRET_BYTES)
    assert len(resolve(f"file:{tmp_path / 'full'}")) == MAX_SECRET_BYTES


@pytest.mark.parametrize("reference", [KEY, "", "env:", "file:", f"http:{KEY}"])
def test_what_is_no_reference_may_be_a_key_and_is_not_told(reference: str) -> None:
    with pytest.raises(ProviderRejectedError) as raised:
        resolve(reference)
    assert KEY not in str(raised.value)


def test_the_customary_key_goes_to_its_own_address_only(monkeypatch: pytest.MonkeyPatch) -> None:
    openai = known("openai")
    assert key_of(Endpoint(), openai) == "sk-of-openai"
    assert key_of(Endpoint(base_url="https://api.openai.com/v1/"), openai) == "sk-of-openai"
    for elsewhere in ("https://thief.example/v1", "http://api.openai.com/v1", ""):
        assert key_of(Endpoint(base_url=elsewhere), openai) is None
    assert key_of(Endpoint(base_url="https://x.example", api_key="env:A_KEY"), openai) == KEY
    assert key_of(Endpoint(), known("vllm")) is None
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ProviderRejectedError, match="env:OPENAI_API_KEY is not set"):
        key_of(Endpoint(), openai)
