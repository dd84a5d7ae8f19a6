"""Registry files as services of the time before revisions left them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.types import ModelFormat

VERSION_1 = """
PRAGMA journal_mode=WAL;
CREATE TABLE models (
    id VARCHAR NOT NULL, name VARCHAR NOT NULL, format VARCHAR NOT NULL, source VARCHAR NOT NULL,
    config JSON NOT NULL, capabilities JSON NOT NULL, labels JSON NOT NULL, etag VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO models VALUES
    ('m', 'Ein Modell ☃', 'gguf', '/models/m.gguf', '{"top_k": 0, "stop": ["a"]}',
     '["text-generation"]', '{"k": "v"}', 'abc');
PRAGMA user_version=1;
"""
VERSION_2 = (
    VERSION_1
    + """
ALTER TABLE models ADD COLUMN provider VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE models ADD COLUMN endpoint JSON DEFAULT '{}' NOT NULL;
ALTER TABLE models ADD COLUMN pricing JSON;
ALTER TABLE models ADD COLUMN quality FLOAT;
CREATE TABLE aliases (
    id VARCHAR NOT NULL, targets JSON NOT NULL, strategy VARCHAR, fallbacks JSON NOT NULL,
    rules JSON NOT NULL, etag VARCHAR NOT NULL, PRIMARY KEY (id)
);
CREATE TABLE templates (
    id VARCHAR NOT NULL, name VARCHAR NOT NULL, format VARCHAR NOT NULL, stop_tokens JSON NOT NULL,
    model_compatibility JSON NOT NULL, etag VARCHAR NOT NULL, PRIMARY KEY (id)
);
CREATE TABLE measurements (
    model VARCHAR NOT NULL, length_class INTEGER NOT NULL, samples INTEGER NOT NULL,
    first_token_ms FLOAT, first_token_p95_ms FLOAT, token_ms FLOAT, error_rate FLOAT NOT NULL,
    reward FLOAT NOT NULL, rewards FLOAT NOT NULL, PRIMARY KEY (model, length_class)
);
CREATE TABLE usage (
    day VARCHAR NOT NULL, caller VARCHAR NOT NULL, model VARCHAR NOT NULL,
    requests INTEGER NOT NULL, failures INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL, cost_picodollars INTEGER NOT NULL,
    saved_cost_picodollars INTEGER NOT NULL, PRIMARY KEY (day, caller, model)
);
INSERT INTO usage VALUES ('2026-11-24', 'alice', 'm', 2, 1, 30, 4, 5, 6, 4000000000000, 7);
PRAGMA user_version=2;
"""
)
SCRIPTS = {1: VERSION_1, 2: VERSION_2}

MODEL = ModelRecord(
    id="m",
    name="Ein Modell ☃",
    format=ModelFormat.GGUF,
    source="/models/m.gguf",
    config=ModelConfig(top_k=0, stop=("a",)),
    labels={"k": "v"},
    etag="abc",
)
"""The one that they all hold."""


def write(path: Path, script: str) -> None:
    """Run a script on a file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def contents_of(path: Path) -> Any:
    """All that a file says, but for the order of columns."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        return version, {
            name: (
                sorted(tuple(row)[1:] for row in connection.execute(f"PRAGMA table_info({name})")),
                [dict(row) for row in connection.execute(f"SELECT * FROM {name}")],
            )
            for (name,) in tables
        }
