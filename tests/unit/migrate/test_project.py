from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.project import read_project
from llm_runner_router.migrate.versions import detected

LATEST = '{"dependencies": {"llm-runner-router": "latest"}}'


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def version(folder: Path) -> str:
    return detected(read_project(folder).clues()).version


def test_everything_that_is_there_is_found(tmp_path: Path) -> None:
    configs = [".llmrouter.json", "config/old-config.json", "config.json", "config/config.json"]
    for name in (*configs, "models/registry.json", "models/old-registry.json", "package.json"):
        write(tmp_path / name, "{}")
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    write(tmp_path / "app.js", "import { LLMRouter } from 'llm-runner-router'")
    write(tmp_path / "ecosystem.config.js", "")
    project = read_project(tmp_path)
    ordered = ["config/config.json", "config.json", ".llmrouter.json"]
    assert [str(path) for path in project.configs] == ordered
    assert [str(path) for path in project.spare_configs] == ["config/old-config.json"]
    assert [str(path) for path in project.registries] == [
        "models/registry.json",
        "models/old-registry.json",
    ]
    assert project.package is not None
    assert project.environment == "A=\udcff\n"
    assert list(project.scripts) == [PurePosixPath("app.js")]
    assert len(project.notes) == 1


def test_an_empty_folder_is_of_today(tmp_path: Path) -> None:
    project = read_project(tmp_path)
    assert (project.environment, project.package, list(project.configs)) == (None, None, [])
    assert version(tmp_path) == "1.2"


def test_contract_16_code_of_0_x(tmp_path: Path) -> None:
    write(tmp_path / "app.js", "new LLMRouter('./config.json')")
    assert version(tmp_path) == "0.x"
    write(tmp_path / "app.js", "const router = new LLMRouter({}); router.loadModel('x')")
    assert version(tmp_path) == "0.x"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"app.js": "require('llm-runner-router')"}, "1.0"),
        ({"app.mjs": "import x from 'llm-runner-router'", "package.json": LATEST}, "1.2"),
        ({"app.js": "require('llm-runner-router')", "package.json": LATEST}, "1.0"),
        ({"package.json": LATEST}, "1.0"),
        ({"app.js": "import x from 'llm-runner-router'"}, "1.2"),
        ({"app.js": "import x from 'llm-runner-router'", ".env": "LLM_LOG_LEVEL=info"}, "1.1"),
        ({".env": "LLM_LOG_LEVEL=info"}, "1.0"),
        ({"models/registry.json": '{"prompts": []}'}, "1.0"),
        ({"config.json": '{"cacheTTL": 1}', "app.js": "new LLMRouter('x')"}, "0.x"),
        ({"config.json": '{"cache": {"ttl": 1}}', "app.js": "new LLMRouter('x')"}, "1.2"),
        (
            {"config.json": '{"models": {"a": {}}}', "app.js": "new LLMRouter('config.json')"},
            "0.x",  # a section of today has settings of today
        ),
        # Two files: the one that the service reads counts.
        ({"config.json": '{"cache": {}}', ".llmrouter.json": '{"cacheTTL": 1}'}, "1.2"),
        ({"node_modules/a/a.js": "new LLMRouter('x')"}, "1.2"),
    ],
)
def test_contract_17_the_content_tells_the_version(
    tmp_path: Path, files: dict[str, str], wanted: str
) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    assert version(tmp_path) == wanted


def test_what_starts_the_service_and_names_its_variables_is_told(tmp_path: Path) -> None:
    write(tmp_path / "app.service", "[Service]")
    write(tmp_path / "settings.js", "process.env.LLM_LOG_LEVEL")
    notes = read_project(tmp_path).notes
    assert [note.partition(":")[0] for note in notes] == ["app.service", "settings.js"]


def test_links_and_broken_files_are_named(tmp_path: Path) -> None:
    write(tmp_path / "real.json", "{}")
    (tmp_path / "config.json").symlink_to("real.json")
    with pytest.raises(InvalidConfigError, match=r"^config\.json: .*symbolic link"):
        read_project(tmp_path)
    (tmp_path / "config.json").unlink()
    write(tmp_path / "package.json", "{,}")
    with pytest.raises(InvalidConfigError, match=r"^package\.json: .*line 1 column 2"):
        read_project(tmp_path)


@pytest.mark.parametrize("broken", ["config/new-config.json", "test/broken.json"])
def test_a_broken_file_that_others_go_before_is_no_obstacle(tmp_path: Path, broken: str) -> None:
    write(tmp_path / "test/a.test.js", "new LLMRouter('./test/broken.json')")
    write(tmp_path / broken, "{ // with remarks\n}")
    for other in ("config/config.json", ".llmrouter.json"):
        write(tmp_path / other, '{"cacheTTL": 1}')
        assert not read_project(tmp_path).spare_configs
        write(tmp_path / other, '{"port": 1}')
    (tmp_path / ".llmrouter.json").unlink()
    with pytest.raises(InvalidConfigError, match=broken):
        read_project(tmp_path)


def test_only_the_first_of_the_files_that_no_service_reads_counts(tmp_path: Path) -> None:
    write(tmp_path / "config/new-config.json", "{}")
    write(tmp_path / "config/old-config.json", "{,}")
    assert [str(path) for path in read_project(tmp_path).spare_configs] == [
        "config/new-config.json"
    ]


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry(_: Path) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("llm_runner_router.migrate.project.starters_of", no_entry)
    with pytest.raises(InvalidConfigError, match=r"folder: .*Permission denied"):
        read_project(tmp_path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="folder"):
        read_project(tmp_path / "missing")
