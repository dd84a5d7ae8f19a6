"""Model files: point 12 of the promises, name by name."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import gguf_bytes as gb
from core.test_gguf_shards import Shard
from llm_runner_router.errors import AlreadyExistsError, InvalidRequestError
from llm_runner_router.migrate.fields import Fate
from llm_runner_router.migrate.model_files import ModelFiles, model_files
from llm_runner_router.registry.registry_file import parsed
from llm_runner_router.registry.sources.source import FileSource, parse_source
from unit.inspection.header_files import number, text


def document(*models: dict[str, Any]) -> dict[str, Any]:
    return {"version": "1.2.0", "models": list(models), "templates": [], "strategies": {}}


def gguf(context: int | None = 8192) -> bytes:
    """A small file that can be read."""
    keys = [text("general.architecture", "llama")]
    keys += [] if context is None else [number("llama.context_length", context)]
    tensors = [gb.tensor(b"a", (8,))]
    return gb.GgufBytes(entries=keys, tensors=tensors, data=b"\0" * 32).build()


def shard(index: int, count: int) -> bytes:
    keys = [text("general.architecture", "llama"), number("llama.context_length", 1024)]
    return Shard(index, count, count, [b"%d" % index], entries=[] if index else keys).build()


def put(folder: Path, *names: str, content: bytes | None = None) -> None:
    (folder / "models").mkdir(exist_ok=True)
    for name in names:
        (folder / "models" / name).write_bytes(gguf() if content is None else content)


def carry_out(folder: Path, made: ModelFiles) -> None:
    """What a transaction does with it, and the least of it."""
    for move in made.moves:
        (folder / move.target).parent.mkdir(parents=True, exist_ok=True)
        (folder / move.path).rename(folder / move.target)
    for config in made.configs:
        (folder / config.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / config.path).write_bytes(config.after)


def moved(made: ModelFiles) -> dict[str, str]:
    return {str(move.path): str(move.target) for move in made.moves}


def test_the_script_of_the_guide(tmp_path: Path) -> None:
    put(tmp_path, "llama-2.gguf")
    made = model_files(tmp_path, {})
    assert moved(made) == {"models/llama-2.gguf": "models/cache/llama-2.gguf"}
    (config,) = made.configs
    assert config.path == PurePosixPath("models/configs/llama-2.json")
    assert config.before is None
    # As in the guide, but for the context, which is the file's.
    assert config.after.decode() == (
        "{\n"
        '    "id": "llama-2",\n'
        '    "name": "Llama-2",\n'
        '    "format": "gguf",\n'
        '    "source": "./models/cache/llama-2.gguf",\n'
        '    "config": {\n'
        '        "contextLength": 8192,\n'
        '        "temperature": 0.7\n'
        "    }\n"
        "}\n"
    )
    assert made.registry == document(json.loads(config.after))
    assert {one.target for one in made.fields} == {
        "models[0].id",
        "models[0].name",
        "models[0].format",
        "models[0].source",
        "models[0].config.contextLength",
        "models[0].config.temperature",
    }
    assert {one.fate for one in made.fields} == {Fate.ADDED}
    assert made.notes == ()


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf", "B.GGUF", content=gguf())
    first = model_files(tmp_path, {})
    carry_out(tmp_path, first)
    again = model_files(tmp_path, first.registry)
    assert again == ModelFiles((), (), first.registry)
    assert again.registry is first.registry


def test_no_folder_no_models(tmp_path: Path) -> None:
    assert model_files(tmp_path, {}) == ModelFiles((), (), {})


@pytest.mark.parametrize("name", ['it\'s "quoted" $(x).gguf', "a b.gguf", "-rf.gguf", "ü%20.gguf"])
def test_point_12_names_with_quotes_and_spaces(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    made = model_files(tmp_path, {})
    assert moved(made) == {f"models/{name}": f"models/cache/{name}"}
    (entry,) = made.registry["models"]
    assert entry["source"] == f"./models/cache/{name}"
    assert parse_source(entry["source"]) == FileSource(Path("models/cache") / name)
    assert parsed(json.dumps(made.registry).encode()).models[0].id == entry["id"]


def test_point_12_names_with_newlines_get_one_that_a_source_can_say(tmp_path: Path) -> None:
    put(tmp_path, "a\nb\x1b[31m.gguf", " edge .gguf", "x@y@z.gguf")
    made = model_files(tmp_path, {})
    assert moved(made) == {
        "models/ edge .gguf": "models/cache/edge.gguf",
        "models/a\nb\x1b[31m.gguf": "models/cache/a-b-31m.gguf",
        "models/x@y@z.gguf": "models/cache/x@y@z.gguf",
    }
    assert [one["id"] for one in made.registry["models"]] == ["edge", "a-b-31m", "x-y-z"]
    assert len(made.notes) == 2
    assert all(note.isprintable() for note in made.notes)


def test_point_12_capitals_are_a_model_too(tmp_path: Path) -> None:
    put(tmp_path, "Big.GGUF")
    made = model_files(tmp_path, {})
    assert moved(made) == {"models/Big.GGUF": "models/cache/Big.gguf"}
    assert made.registry["models"][0]["id"] == "Big"


@pytest.mark.parametrize("ending", ["gguf", "GGUF"])
def test_point_12_a_sharded_set_is_one_model(tmp_path: Path, ending: str) -> None:
    for index in range(3):
        put(tmp_path, f"big-{index + 1:05}-of-00003.{ending}", content=shard(index, 3))
    made = model_files(tmp_path, {})
    assert moved(made) == {
        f"models/big-0000{n}-of-00003.{ending}": f"models/cache/big-0000{n}-of-00003.gguf"
        for n in (1, 2, 3)
    }
    (entry,) = made.registry["models"]
    assert entry["id"] == "big"
    assert entry["source"] == "./models/cache/big-00001-of-00003.gguf"
    assert entry["config"]["contextLength"] == 1024
    assert [config.path.name for config in made.configs] == ["big.json"]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["s-00001-of-00002.gguf"], "not whole"),
        (["s-00001-of-00001.gguf", "s-00001-of-00001.GGUF"], "has one twice"),
        (["s-00001-of-00300.gguf"], "at most 256"),
        (["s-00001-of-00000.gguf"], "a set of 0"),
        (["s-00002-of-00001.gguf"], "not whole"),
    ],
)
def test_sets_that_are_not_whole_stay(tmp_path: Path, names: list[str], reason: str) -> None:
    put(tmp_path, *names)
    made = model_files(tmp_path, document())
    assert (made.moves, made.configs, made.registry) == ((), (), document())
    assert len(made.notes) == len(names)
    assert all(reason in note and "stays where it is" in note for note in made.notes)


def test_point_12_an_existing_target_is_never_overwritten(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf")
    (tmp_path / "models/cache").mkdir()
    (tmp_path / "models/cache/a.gguf").symlink_to("nowhere")
    with pytest.raises(AlreadyExistsError, match=r"'models/a\.gguf'.*'models/cache/a\.gguf'"):
        model_files(tmp_path, {})


def test_two_files_that_would_have_one_name_are_refused_with_both(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf", "a.GGUF")
    with pytest.raises(AlreadyExistsError) as raised:
        model_files(tmp_path, {})
    assert all(f"'models/a.{ending}'" in raised.value.message for ending in ("gguf", "GGUF"))


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf")
    (tmp_path / "models/configs").write_text("")
    with pytest.raises(InvalidRequestError, match=r"^models/configs: .*a folder"):
        model_files(tmp_path, {})


def test_a_damaged_file_stays_and_the_others_move(tmp_path: Path) -> None:
    put(tmp_path, "cut.gguf", content=gguf()[:-8])
    put(tmp_path, "empty.gguf", content=b"")
    put(tmp_path, "good.gguf")
    made = model_files(tmp_path, {})
    assert moved(made) == {"models/good.gguf": "models/cache/good.gguf"}
    assert len(made.notes) == 2
    assert "'models/cut.gguf' cannot be read" in made.notes[0]
    assert "'models/empty.gguf' cannot be read" in made.notes[1]


def test_links_and_what_is_no_file_stay(tmp_path: Path) -> None:
    put(tmp_path, "good.gguf")
    models = tmp_path / "models"
    (models / "link.gguf").symlink_to("good.gguf")
    (models / "folder.gguf").mkdir()
    os.mkfifo(models / "pipe.gguf")
    (models / os.fsdecode(b"bad\xff.gguf")).write_bytes(gguf())
    (models / ".part.gguf").write_bytes(gguf())
    (models / "notes.txt").write_text("")
    made = model_files(tmp_path, {})
    assert list(moved(made)) == ["models/good.gguf"]
    told = "\n".join(made.notes)
    assert "link.gguf' is a symbolic link" in told
    assert "folder.gguf' is no regular file" in told
    assert "pipe.gguf' is no regular file" in told
    assert "is no UTF-8" in told.replace("has a name that ", "")
    assert len(made.notes) == 4
    told.encode()


@pytest.mark.parametrize("name", ["models", "models/cache", "models/configs"])
def test_a_folder_that_is_a_link_keeps_its_models(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if name != "models":
        (tmp_path / "models").mkdir()
    (tmp_path / name).symlink_to(elsewhere)
    put(tmp_path, "a.gguf")
    made = model_files(tmp_path, {})
    assert made.moves == ()
    assert name in made.notes[0]


@pytest.mark.parametrize("source", ["./models/a.gguf", "models//a.gguf", "{here}/models/a.gguf"])
def test_a_model_of_the_registry_keeps_its_id_and_settings(tmp_path: Path, source: str) -> None:
    put(tmp_path, "a.gguf")
    known = {
        "id": "my/model",
        "name": "Mine",
        "format": "gguf",
        "source": source.format(here=tmp_path),
        "config": {"temperature": 0},
        "tags": ["x"],
    }
    other = {"id": "other", "format": "gguf", "source": "./models/b.gguf"}
    before = document(other, known)
    made = model_files(tmp_path, before)
    wanted = {**known, "source": "./models/cache/a.gguf"}
    assert json.dumps(made.registry["models"]) == json.dumps([other, wanted])
    assert before == document(other, known)
    (config,) = made.configs
    assert config.path.parent == PurePosixPath("models/configs")
    content = json.loads(config.after)
    assert (content["id"], content["source"]) == ("my/model", "./models/cache/a.gguf")
    assert content["config"] == {"contextLength": 8192, "temperature": 0}
    assert "models[1].source" in made.notes[0]


@pytest.mark.parametrize(
    "source",
    [
        *("a.gguf", "/srv/old/models/a.gguf", "file:///gone/a.gguf"),
        *("models\\a.gguf", "C:\\app\\models\\a.gguf"),
    ],
)
def test_a_model_whose_path_leads_nowhere_is_known_by_its_file(tmp_path: Path, source: str) -> None:
    put(tmp_path, "a.gguf")
    known = {"id": "mine", "format": "gguf", "source": source}
    made = model_files(tmp_path, document(known))
    assert made.registry["models"] == [{**known, "source": "./models/cache/a.gguf"}]


def test_a_model_elsewhere_of_the_same_name_is_another_one(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf")
    (tmp_path / "a.gguf").write_bytes(gguf())
    known = {"id": "mine", "format": "gguf", "source": "a.gguf"}
    made = model_files(tmp_path, document(known))
    assert made.registry["models"][0] == known
    assert made.registry["models"][1]["id"] == "a"


def test_models_whose_files_are_not_there_are_told(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf")
    sources = ("./models/a.gguf", "./models/gone.gguf", "ollama://a", "D:\\b.gguf")
    known = [{"id": f"{n}", "format": "gguf", "source": one} for n, one in enumerate(sources)]
    known.append({"id": "hub", "format": "hf", "source": "gpt2"})
    notes = model_files(tmp_path, document(*known)).notes
    why = "the model is listed, and cannot be run before it is there"
    assert [note for note in notes if "no file" in note] == [
        f"models[1].source: no file is at './models/gone.gguf': {why}",
        rf"models[3].source: no file is at 'D:\\b.gguf': {why}",
    ]


def test_an_id_that_another_model_has_is_refused_with_both(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf")
    known = {"id": "a", "format": "gguf", "source": "https://example.org/a.gguf"}
    with pytest.raises(InvalidRequestError, match=r"^models/a\.gguf: 'a' .*models\[0\]"):
        model_files(tmp_path, document(known))


def test_a_configuration_that_is_there_stays(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf")
    (tmp_path / "models/configs").mkdir()
    (tmp_path / "models/configs/a.json").write_text("mine")
    made = model_files(tmp_path, {})
    assert made.configs == []
    assert "models/configs/a.json is there already" in made.notes[0]


@pytest.mark.parametrize("context", [None, 0, 2**31])
def test_a_file_that_does_not_say_its_context(tmp_path: Path, context: int | None) -> None:
    put(tmp_path, "a.gguf", content=gguf(context))
    made = model_files(tmp_path, {})
    assert made.registry["models"][0]["config"] == {"temperature": 0.7}
    assert "does not say its context" in made.notes[0]


@pytest.mark.parametrize("identity", ["../../etc/x", ".hidden", "x" * 128 + "", "ü" * 128])
def test_a_configuration_never_leaves_its_folder(tmp_path: Path, identity: str) -> None:
    put(tmp_path, "a.gguf")
    known = {"id": identity, "format": "gguf", "source": "models/a.gguf"}
    (config,) = model_files(tmp_path, document(known)).configs
    assert config.path.parent == PurePosixPath("models/configs")
    assert len(config.path.name.encode()) < 256
    assert config.path.suffix == ".json"


NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=20
).filter(lambda name: not name.startswith("."))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(NAMES, max_size=4), st.sampled_from([".gguf", ".GGUF", ".Gguf"]))
def test_any_names(names: set[str], ending: str) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        put(folder, *(name + ending for name in names))
        try:
            made = model_files(folder, {})
        except (AlreadyExistsError, InvalidRequestError):
            return
        models = parsed(json.dumps(made.registry).encode()).models if names else []
        assert len(models) == len(made.moves) == len(names)
        carry_out(folder, made)
        for model in models:
            source = parse_source(model.source)
            assert isinstance(source, FileSource)
            assert (folder / source.path).read_bytes() == gguf()
        again = model_files(folder, made.registry)
        assert again == ModelFiles((), (), made.registry)


def test_two_records_of_one_file_move_with_it(tmp_path: Path) -> None:
    put(tmp_path, "two.gguf")
    models = [
        {"id": name, "name": name, "format": "gguf", "source": source}
        for name, source in (("a", "./models/two.gguf"), ("b", "two.gguf"))
    ]
    made = model_files(tmp_path, document(*models))
    assert [one["source"] for one in made.registry["models"]] == ["./models/cache/two.gguf"] * 2


def test_a_missing_file_elsewhere_is_not_one_that_another_record_names(tmp_path: Path) -> None:
    """Its disk may not be there at the moment, and its weights may be others."""
    put(tmp_path, "two.gguf")
    sources = {"a": "./models/two.gguf", "b": "/mnt/two.gguf", "c": "./models/q8/two.gguf"}
    models = [
        {"id": name, "name": name, "format": "gguf", "source": source}
        for name, source in sources.items()
    ]
    made = model_files(tmp_path, document(*models))
    wanted = {**sources, "a": "./models/cache/two.gguf"}
    assert {one["id"]: one["source"] for one in made.registry["models"]} == wanted
    assert sum("no file is at" in note for note in made.notes) == 2
    carry_out(tmp_path, made)
    again = model_files(tmp_path, made.registry)
    assert (again.registry, len(again.moves)) == (made.registry, 0)
