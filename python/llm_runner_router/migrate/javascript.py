"""Source code in JavaScript that uses the API of older versions. It is told of, never changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from llm_runner_router.old.settings import OLD_SETTINGS

PACKAGE = "llm-runner-router"

METHODS: Mapping[str, str] = {
    "addModel": "registerModel",
    "removeModel": "unregisterModel",
    "getModels": "listModels",
    "loadModel": "registerModel; models load when they are used",
    "generate": "process",
    "generateStream": "processStream",
    "generateBatch": "processBatch",
    "setConfig": "updateConfig",
    "status": "getStatus",
    "health": "checkHealth",
}

PARAMETERS: Mapping[str, str] = {
    "input": "prompt",
    "max_tokens": "maxTokens",
    "model_id": "model",
    "stream": "streaming",
    "top_p": "topP",
}

ANSWERS: Mapping[str, str] = {"text": "response", "model": "modelUsed", "usage": "metrics"}

EVENTS: Mapping[str, str] = {"token": "chunk", "end": "complete"}

REQUIRE = re.compile(rf"""\brequire\(\s*['"`]{PACKAGE}['"`]\s*\)""")
IMPORT = re.compile(rf"""\b(?:from|import)\s*\(?\s*['"`]{PACKAGE}['"`]""")
CONSTRUCTED = re.compile(
    r"(?:(?<![\w$.])(?P<name>[\w$.]{1,60})\s{0,20}=\s{0,20})?\bnew\s+LLMRouter\s*\(\s*(?P<quote>['\"`])?"
)
CONFIG_FILE = re.compile(
    r"(?:\bnew\s+LLMRouter\s*\(\s*|\bconfigFile\s*:\s*)(?P<quote>['\"`])"
    r"(?P<path>[^'\"`\n$]{1,300})(?P=quote)"
)
ANSWERED = re.compile(
    r"(?<![\w$.])([\w$]{1,60})\s{0,20}=\s{0,20}await\s+[\w$.]{1,60}\.(?:generate|process)\s*\("
)
CALLED = re.compile(r"\.(?:generate|process)(?:Stream|Batch)?\s*\(")

MAX_ARGUMENTS = 5000
"""Letters of a call that are looked through for its parameters."""

MAX_USES = 200
MAX_NAMES = 20
"""Of one file. Whoever writes more than that has understood after the first."""


@dataclass(frozen=True, slots=True, order=True)
class OldUse:
    """A place in a file, counted from line 1, what stands there and what takes its place."""

    line: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Script:
    """What a source file tells.

    ``path_given``: the constructor is given a path, as in 0.x. ``config_files`` are the paths that
    it is given, in that way or as ``configFile``, where they are written out.
    """

    requires: bool
    imports: bool
    path_given: bool
    config_files: tuple[str, ...]
    uses: tuple[OldUse, ...]

    def loads(self) -> bool:
        """Whether models are loaded as in 0.x."""
        return any(use.old.endswith(".loadModel") for use in self.uses)


def read_script(text: str) -> Script | None:
    """What a file uses of the router, in the order of its lines; ``None`` where it does not."""
    requires, imports = REQUIRE.search(text), IMPORT.search(text)
    if not (requires or imports or "LLMRouter" in text):
        return None
    code = without_remarks(text)
    paths = [found for found in CONSTRUCTED.finditer(code) if found["quote"]]
    uses = sorted(set(islice(uses_in(code), MAX_USES)))
    return Script(
        requires=REQUIRE.search(code) is not None,
        imports=IMPORT.search(code) is not None,
        path_given=bool(paths),
        config_files=config_files(code),
        uses=tuple(uses),
    )


def config_files(code: str) -> tuple[str, ...]:
    """The paths of configurations that are written out."""
    return tuple(found["path"] for found in islice(CONFIG_FILE.finditer(code), MAX_NAMES))


def without_remarks(text: str) -> str:
    """``text`` whose remarks are blank: places stay the same."""

    def blank(found: re.Match[str]) -> str:
        if found["text"]:
            return found[0]
        return re.sub(r"[^\n]", " ", found[0])

    return re.sub(
        r"""(?P<text>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|/\*.*?(?:\*/|\Z)|//[^\n]*""",
        blank,
        text,
        flags=re.DOTALL,
    )


def uses_in(code: str) -> Iterator[OldUse]:
    """All uses, in any order."""
    for found in REQUIRE.finditer(code):
        yield use(code, found.start(), f"require('{PACKAGE}')", "import")
    for found in CONSTRUCTED.finditer(code):
        if found["quote"]:
            yield use(
                code, found.start(), "new LLMRouter(path)", "new LLMRouter({ configFile: path })"
            )
    yield from methods(code)
    yield from parameters(code)
    yield from answers(code)
    yield from events(code)
    for key, (section, name) in OLD_SETTINGS.items():
        for found in re.finditer(rf"\b{key}\s*:", code):
            yield use(code, found.start(), key, f"{section}.{name}")


def methods(code: str) -> Iterator[OldUse]:
    """Calls of what has another name now, on what is a router in this file."""
    routers = {found["name"] for found in CONSTRUCTED.finditer(code) if found["name"]} | {"router"}
    names = "|".join(re.escape(name.rpartition(".")[2]) for name in sorted(routers))
    pattern = rf"\b({names})\s*\.\s*({'|'.join(METHODS)})\s*\("
    for found in re.finditer(pattern, code):
        yield use(code, found.start(), f"{found[1]}.{found[2]}", METHODS[found[2]])


def parameters(code: str) -> Iterator[OldUse]:
    """Old names in the arguments of requests."""
    for call in islice(CALLED.finditer(code), MAX_USES):
        end = closing(code, call.end())
        for found in re.finditer(rf"\b({'|'.join(PARAMETERS)})\s*:", code[call.end() : end]):
            place = call.end() + found.start()
            yield use(code, place, f"{found[1]}:", f"{PARAMETERS[found[1]]}:")


def closing(code: str, start: int) -> int:
    """Where the parenthesis ends that is open at ``start``."""
    depth = 1
    for place in range(start, min(len(code), start + MAX_ARGUMENTS)):
        depth += (code[place] == "(") - (code[place] == ")")
        if depth == 0:
            return place
    return start


def answers(code: str) -> Iterator[OldUse]:
    """Old names of what an answer holds."""
    names = {found[1] for found in ANSWERED.finditer(code)}
    for name in sorted(names)[:MAX_NAMES]:
        for found in re.finditer(rf"(?<![\w$.]){re.escape(name)}\.({'|'.join(ANSWERS)})\b", code):
            old = found[1]
            yield use(code, found.start(), f"{name}.{old}", f"{name}.{ANSWERS[old]}")


def events(code: str) -> Iterator[OldUse]:
    """Old names of the events of a stream, where a file knows both: ``end`` alone may be any."""
    found = list(re.finditer(rf"""\.on\(\s*['"`]({"|".join(EVENTS)})['"`]""", code))
    if any(each[1] == "token" for each in found):
        for each in found:
            yield use(code, each.start(), f"event {each[1]}", f"event {EVENTS[each[1]]}")


def use(code: str, place: int, old: str, new: str) -> OldUse:
    """The use at a place of the text."""
    return OldUse(code.count("\n", 0, place) + 1, old, new)
