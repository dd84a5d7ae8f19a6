from __future__ import annotations

from llm_runner_router.migrate.leaves import below, leaf_paths, leaves_of, same


def test_leaves_are_what_holds_nothing_else() -> None:
    value = {"models": [{"name": "a"}, {}], "none": None, "empty": [], "deep": {"x": [1, [2]]}}
    assert list(leaves_of(value)) == [
        ("models[0].name", "a"),
        ("models[1]", {}),
        ("none", None),
        ("empty", []),
        ("deep.x[0]", 1),
        ("deep.x[1][0]", 2),
    ]
    assert leaf_paths({"a": 1}, "root") == ["root.a"]


def test_paths_are_joined() -> None:
    places = [("", "a"), ("a", ""), ("a", "b"), ("a", "[0]")]
    assert [below(path, inner) for path, inner in places] == ["a", "a", "a.b", "a[0]"]


def test_alike_is_what_is_written_alike() -> None:
    assert same({"a": 1}, {"a": 1})
    assert not same(1, 1.0)
    assert not same(1, True)
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
