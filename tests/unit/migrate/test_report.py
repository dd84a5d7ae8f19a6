from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from llm_runner_router.migrate import report
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.plan import MoveFile, Plan, WriteFile
from llm_runner_router.migrate.report import as_json, counts, diff_of, field_line

FIELDS = (
    Field("cacheTTL", Fate.MAPPED, "cache.ttl", "a note"),
    Field("foo", Fate.KEPT, "foo"),
    Field("logFile", Fate.UNMAPPED, note="null means not set"),
    Field("", Fate.ADDED, "registry.path"),
)


def write(name: str, before: str | None, after: str) -> WriteFile:
    old = None if before is None else before.encode()
    return WriteFile(PurePosixPath(name), old, after.encode(), FIELDS)


def test_a_diff() -> None:
    change = write("config.json", '{\n  "cacheTTL": 0\n}\n', '{\n  "cache": {}\n}')
    assert diff_of(change).splitlines() == [
        "--- config.json",
        "+++ config.json",
        "@@ -1,3 +1,3 @@",
        " {",
        '-  "cacheTTL": 0',
        "-}",
        '+  "cache": {}',
        "+}",
    ]


def test_a_new_file_and_one_in_a_single_line() -> None:
    assert diff_of(write("a.json", None, '{"a":{"b":1}}')).splitlines() == [
        "--- /dev/null",
        "+++ a.json",
        "@@ -0,0 +1,5 @@",
        "+{",
        '+  "a": {',
        '+    "b": 1',
        "+  }",
        "+}",
    ]


def test_secrets_are_not_shown() -> None:
    environment = 'KEY=hush\nLLM_LOG_LEVEL=info\n# OLD=hush\nMANY="hush\nhush"\nexport T=hush\n'
    shown = diff_of(write(".env", environment, environment.replace("LLM_", "")))
    assert "hush" not in shown
    assert "-LLM_LOG_LEVEL=info\n+LOG_LEVEL=info\n" in shown
    secrets = {
        "apiKey": 'hush"hush',
        "api_key": "hush",
        "headers": {"Authorization": "Bearer hush", "X-Api-Key": "hush"},
        "password": "hush",
        "url": "redis://user:hush@host/0",
        "key": "sk-hush0123456789abcdef",
    }
    open_words = {"apiKey": "env:OPENAI_API_KEY", "stopTokens": ["a"], "max_tokens": 5}
    for indent in (None, 2):
        old = json.dumps({"secrets": secrets, "open": open_words}, indent=indent)
        shown = diff_of(write("a.json", old, old.replace("max_tokens", "maxTokens")))
        assert "hush" not in shown
        assert '+    "maxTokens": 5' in shown
        whole = diff_of(write("a.json", None, old))
        assert "hush" not in whole
        assert '"env:OPENAI_API_KEY"' in whole


def test_bytes_that_are_no_text_are_no_obstacle() -> None:
    change = WriteFile(PurePosixPath(".env"), b"LLM_LOG_LEVEL=\xff\r\n", b"LOG_LEVEL=a\n")
    assert "�" in diff_of(change)
    assert "\r" not in diff_of(change)


def test_a_mark_at_the_beginning_is_no_obstacle() -> None:
    assert '-  "a": 1' in diff_of(write("a.json", '\ufeff{"a": 1}', '\ufeff{"a": 2}'))


def test_files_that_are_too_long_are_told() -> None:
    long = "".join(f"{number}\n" for number in range(report.MAX_LINES + 1))
    assert (
        diff_of(write("a.json", "{}\n", long)) == "a.json: 1 lines become 5001, too many to show\n"
    )


def test_fields_in_words() -> None:
    assert [field_line(field) for field in FIELDS] == [
        "mapped    cacheTTL → cache.ttl  (a note)",
        "kept      foo",
        "unmapped  logFile  (null means not set)",
        "added     registry.path",
    ]
    assert counts(FIELDS) == "1 mapped, 1 kept, 1 unmapped, 1 added"


def test_secrets_in_places_are_not_shown() -> None:
    key = "https://x.example/?token=hush"
    fields = [Field(f"a.{key}", Fate.KEPT, f"_unmapped.a.{key}", f"as {key}")]
    change = WriteFile(PurePosixPath("a.json"), None, b"{}", fields)
    shown = "https://x.example/?token=…"
    assert report.fields_of(change) == [
        Field(f"a.{shown}", Fate.KEPT, f"_unmapped.a.{shown}", f"as {shown}")
    ]
    variable = WriteFile(
        PurePosixPath(".env"), None, b"", [Field("aHVzaA12aHVzaA12", Fate.UNMAPPED)]
    )
    assert report.fields_of(variable) == [Field("…", Fate.UNMAPPED)]
    plan = Plan(Path("/srv"), "1.0", [change, variable])
    assert "hush" not in json.dumps(as_json(plan)).replace("aHVz", "hush")


def test_a_plan_for_programs() -> None:
    change = write("config.json", None, '{\n  "a": 1\n}\n')
    move = MoveFile(PurePosixPath("models/a.gguf"), PurePosixPath("models/cache/a.gguf"))
    plan = Plan(
        *(Path("/srv"), "1.0", [change, move], ["look"]),
        config=PurePosixPath("config.json"),
        database=PurePosixPath("models/registry.sqlite"),
    )
    assert json.loads(json.dumps(as_json(plan))) == {
        "folder": "/srv",
        "source": "1.0",
        "target": "1.2",
        "nothingToDo": False,
        "changes": [
            {
                "kind": "write",
                "path": "config.json",
                "new": True,
                "diff": diff_of(change),
                "fields": [
                    {"path": "cacheTTL", "fate": "mapped", "target": "cache.ttl", "note": "a note"},
                    {"path": "foo", "fate": "kept", "target": "foo", "note": ""},
                    {
                        "path": "logFile",
                        "fate": "unmapped",
                        "target": "",
                        "note": "null means not set",
                    },
                    {"path": "", "fate": "added", "target": "registry.path", "note": ""},
                ],
            },
            {"kind": "move", "path": "models/a.gguf", "target": "models/cache/a.gguf"},
        ],
        "config": "config.json",
        "registry": None,
        "database": "models/registry.sqlite",
        "notes": ["look"],
    }
    assert as_json(Plan(Path("/srv"), "1.2", []))["nothingToDo"] is True
