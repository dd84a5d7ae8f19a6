"""Every reason that can reach a client stands in the table, with one gRPC code."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

import llm_runner_router
from llm_runner_router import errors
from llm_runner_router.errors import RouterError
from llm_runner_router.providers.core_errors import load_error, request_error
from llm_runner_router.wire.reasons import CODES, DEFAULTS, REASONS, code_of, kind_of

PACKAGE = Path(llm_runner_router.__file__).parent
CORE = PACKAGE.parents[1] / "cpp"
CORE_ERROR = re.compile(r'ErrorCode::k(\w+),\s*"([A-Z][A-Z_]+)"')

ERRORS = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, RouterError)
]


def reasons_in(path: Path) -> set[str]:
    """The reasons that a module gives to errors: class attributes and keyword arguments."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        value: ast.expr | None = None
        if isinstance(node, ast.keyword) and node.arg == "reason":
            value = node.value
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "reason" for target in node.targets
        ):
            value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
            found.add(value.value)
    return {reason for reason in found if reason.isupper()}


def core_errors() -> set[tuple[str, str]]:
    """Code and reason of every error that the core makes."""
    return {
        (re.sub(r"(?<!^)(?=[A-Z])", "_", code).upper(), reason)
        for path in (*CORE.rglob("*.cc"), *CORE.rglob("*.h"))
        for code, reason in CORE_ERROR.findall(path.read_text("utf-8"))
    }


def test_every_reason_of_the_package_is_in_the_table() -> None:
    used = set().union(*(reasons_in(path) for path in PACKAGE.rglob("*.py")))
    assert {"INVALID_REQUEST", "DRAINING", "UNKNOWN_CONFIG_KEY"} <= used
    assert used == set(REASONS)


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_has_a_code_of_its_own(kind: type[RouterError]) -> None:
    assert kind in CODES
    assert kind.reason in REASONS


@pytest.mark.parametrize("translate", [load_error, request_error])
def test_every_error_of_the_core_reaches_clients_with_a_known_reason(
    translate: Callable[[str, str, str], RouterError],
) -> None:
    found = core_errors()
    assert len(found) > 10
    for code, reason in found:
        error = translate(code, reason, "what happened")
        assert error.reason in REASONS, (code, reason)
        assert isinstance(error, REASONS[error.reason])
        assert code_of(error) is not grpc.StatusCode.UNKNOWN


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_reason_and_code_give_the_class_back(reason: str) -> None:
    kind = REASONS[reason]
    assert kind_of(CODES[kind], reason) is kind


def test_where_reason_and_code_disagree_the_code_decides() -> None:
    assert kind_of(grpc.StatusCode.UNAVAILABLE, "MODEL_NOT_FOUND") is errors.UnavailableError
    assert kind_of(grpc.StatusCode.NOT_FOUND, "NEVER_HEARD_OF") is errors.ModelNotFoundError
    assert kind_of(grpc.StatusCode.DATA_LOSS, "") is RouterError
    assert set(DEFAULTS.values()) <= set(CODES)
