from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.admission.heap import SLACK, Heap

KEYS = st.integers(0, 5)
STEPS = st.lists(
    st.tuples(st.just("push"), st.sampled_from("abcdef"), KEYS)
    | st.tuples(st.just("discard"), st.sampled_from("abcdef"), KEYS)
    | st.tuples(st.just("pop"), st.just(""), KEYS),
    max_size=200,
)


@given(STEPS)
def test_it_does_what_a_sorted_list_does(steps: list[tuple[str, str, int]]) -> None:
    heap, items = Heap[str](), dict[str, tuple[int, int]]()
    for order, (action, item, key) in enumerate(steps):
        if action == "push":
            heap.push(item, key)
            items[item] = (key, order)
        elif action == "discard":
            heap.discard(item)
            items.pop(item, None)
        elif items:
            first = min(items, key=lambda item: items[item])
            assert heap.first() == first
            assert heap.pop() == first
            del items[first]
        assert len(heap) == len(items)
        assert all((item in heap) == (item in items) for item in "abcdef")


def test_those_that_come_and_go_leave_nothing_behind() -> None:
    heap = Heap[int]()
    heap.push(-1, 0)
    for item in range(10_000):
        heap.push(item, 1)
        heap.discard(item)
        heap.push(-1, 0)
    assert len(heap._entries) <= 2 * len(heap) + SLACK
    assert heap.pop() == -1
