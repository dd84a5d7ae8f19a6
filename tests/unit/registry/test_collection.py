from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.registry.collection import Collection
from unit.echoes import model

NAMES = st.sampled_from(["a", "b", "c", "d", "e@1", "e@10", "e@9"])


@given(st.lists(st.tuples(NAMES, st.booleans())), NAMES, st.integers(0, 4))
def test_it_is_a_map_in_the_order_of_ids(
    steps: list[tuple[str, bool]], after: str, limit: int
) -> None:
    collection, wanted = Collection({"c": model("c")}), {"c": model("c")}
    for number, (name, put) in enumerate(steps):
        if put:
            wanted[name] = model(name, source=str(number))
            collection.put(wanted[name])
        else:
            wanted.pop(name, None)
            collection.drop(name)
        assert list(collection.all()) == [wanted[name] for name in sorted(wanted)]
    assert len(collection) == len(wanted)
    assert all(collection.get(name) == record for name, record in wanted.items())
    assert ("a" in collection) == ("a" in wanted)
    behind = [wanted[name] for name in sorted(wanted) if name > after]
    assert list(collection.page(after, limit)) == behind[:limit]
