from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_runner_router.errors import OverloadedError
from llm_runner_router.registry.records import ModelQuery, ModelRecord
from llm_runner_router.types import ModelFormat
from unit.cli.services import FakeService, lines, run


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (("hf://o/r",), ("hf://o/r", "")),
        (("ollama://m", "--id", "x"), ("ollama://m", "x")),
        (("/a/m.gguf",), ("/a/m.gguf", "")),
        (("./m.gguf",), (str(Path("m.gguf").absolute()), "")),
        (("~/m.gguf",), (str(Path.home() / "m.gguf"), "")),
        (("known",), ("", "known")),
    ],
)
def test_a_source_or_the_id_of_a_model_is_pulled(
    service: FakeService, arguments: tuple[str, ...], asked: tuple[str, str]
) -> None:
    result = run("pull", *arguments)
    assert result.exit_code == 0, result.output
    assert service.asked == [asked]
    assert "note: no [31madapter" in result.output
    assert "pulled " in result.output
    assert service.open == 0


def test_a_pull_that_fails_says_why(service: FakeService) -> None:
    service.failure = OverloadedError("10 bytes are missing", retry_after=1.0, reason="DISK_FULL")
    result = run("pull", "hf://o/r")
    assert result.exit_code == 3
    assert "10 bytes are missing" in result.output


def test_a_registry_file_is_imported(service: FakeService, tmp_path: Path) -> None:
    file = tmp_path / "registry.json"
    file.write_bytes(b"{}")
    result = run("models", "import", str(file), "--replace")
    assert result.output.split("\n")[:3] == [
        "added model a",
        "replaced model b",
        "unchanged template c",
    ]
    assert service.asked == [(b"{}", True)]
    assert run("models", "import", str(tmp_path / "absent")).exit_code == 2


def test_a_registry_file_is_exported(service: FakeService, tmp_path: Path) -> None:
    assert run("models", "export").output == '{"version": "1.2.0"}\n'
    file = tmp_path / "registry.json"
    assert run("models", "export", str(file)).exit_code == 0
    assert file.read_bytes() == b'{"version": "1.2.0"}\n'
    file.write_bytes(b"mine")
    assert run("models", "export", str(file)).exit_code == 2
    assert file.read_bytes() == b"mine"
    assert run("models", "export", str(file), "--force").exit_code == 0
    assert file.read_bytes() != b"mine"
    assert list(tmp_path.iterdir()) == [file]
    assert run("models", "export", str(tmp_path / "no" / "x.json")).exit_code == 1
    assert service.open == 0


def test_an_export_harms_nothing_but_its_file(service: FakeService, tmp_path: Path) -> None:
    file, notes = tmp_path / "k.json", tmp_path / "k.json.new"
    for path in (file, notes):
        path.write_text("my notes")
        path.chmod(0o640)
    assert run("models", "export", str(file), "--force").exit_code == 0
    assert notes.read_text() == "my notes"
    assert file.stat().st_mode & 0o777 == 0o640
    (tmp_path / "exp").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("none")
    for name, code in (("exp", 1), ("pipe", 1), ("x" * 300, 1), ("link", 2)):
        force = () if code == 2 else ("--force",)
        result = run("models", "export", str(tmp_path / name), *force)
        assert result.exit_code == code, result.output
        assert isinstance(result.exception, SystemExit)
    assert (tmp_path / "pipe").is_fifo()
    assert len(list(tmp_path.iterdir())) == 5
    assert service.open == 0


def test_a_list_may_be_filtered(service: FakeService) -> None:
    service.record = ModelRecord("m", "M", ModelFormat.GGUF, "/m.gguf")
    result = run("models", "list", "--filter", "tags : chat", "--order-by", "id desc")
    assert result.exit_code == 0, result.output
    assert service.asked == [
        ModelQuery("tags : chat", "id desc"),
        ModelQuery("tags : chat", "id desc", 0, "next"),
    ]
    assert len([line for line in lines(result) if "m" in line]) == 2
