"""The block pool against a model of it: references, sharing, eviction, collisions."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llm_runner_router import _core

BlockPool = _core.testing.BlockPool
NO_BLOCK = -1
SIZE = 2  # tokens a block


class PoolMachine(RuleBasedStateMachine):
    """Owners build chains of blocks as sequences do, over an alphabet small enough to coincide."""

    colliding = False

    def __init__(self) -> None:
        super().__init__()
        self.pool = BlockPool(blocks=7, block_size=SIZE, colliding=self.colliding)
        self.chains: list[list[int]] = []  # blocks of each owner
        self.prefixes: list[list[int]] = []  # tokens of its sealed blocks
        self.contents: dict[int, tuple[int, ...]] = {}  # sealed block: all tokens up to its end

    def references(self) -> Counter[int]:
        return Counter(block for chain in self.chains for block in chain)

    def forget_evicted(self) -> None:
        self.contents = {b: c for b, c in self.contents.items() if self.pool.sealed(b)}

    @rule()
    def start(self) -> None:
        self.chains.append([])
        self.prefixes.append([])

    @precondition(lambda self: self.chains)
    @rule(data=st.data())
    def append_block(self, data: st.DataObject) -> None:
        owner = data.draw(st.integers(0, len(self.chains) - 1))
        before = self.references()
        if self.pool.free + self.pool.evictable == 0:
            with pytest.raises(_core.CoreError, match="are in use"):
                self.pool.allocate()
            return
        block = self.pool.allocate()
        assert before[block] == 0
        self.contents.pop(block, None)
        self.forget_evicted()
        tokens = data.draw(st.lists(st.integers(0, 1), min_size=SIZE, max_size=SIZE))
        chain = self.chains[owner]
        parent = chain[-1] if chain else NO_BLOCK
        used = self.pool.seal(block, parent, tokens)
        content = (*self.prefixes[owner], *tokens)
        known = [b for b, c in self.contents.items() if c == content]
        assert used == (known[0] if known else block)
        self.contents[used] = content
        chain.append(used)
        self.prefixes[owner].extend(tokens)

    @rule(tokens=st.lists(st.integers(0, 1), max_size=8), limit=st.integers(0, 4))
    def match(self, tokens: list[int], limit: int) -> None:
        found = self.pool.match(tokens, limit)
        expected = []
        by_content = {content: block for block, content in self.contents.items()}
        for end in range(SIZE, len(tokens) + 1, SIZE):
            if tuple(tokens[:end]) not in by_content or len(expected) == limit:
                break
            expected.append(by_content[tuple(tokens[:end])])
        assert found == expected
        self.chains.append(found)
        self.prefixes.append(tokens[: len(found) * SIZE])

    @precondition(lambda self: self.chains)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        owner = data.draw(st.integers(0, len(self.chains) - 1))
        self.pool.release(self.chains.pop(owner))
        self.prefixes.pop(owner)

    @invariant()
    def references_are_exact(self) -> None:
        counted = self.references()
        assert all(self.pool.references(b) == counted[b] for b in range(self.pool.size))
        assert self.pool.held == len(counted)
        assert self.pool.held + self.pool.free + self.pool.evictable == self.pool.size

    @invariant()
    def contents_are_unique(self) -> None:
        assert len(set(self.contents.values())) == len(self.contents)
        unreferenced = [b for b in self.contents if self.pool.references(b) == 0]
        assert self.pool.evictable == len(unreferenced)

    @invariant()
    def all_sealed_blocks_are_listed_behind_their_parents(self) -> None:
        listed: dict[int, tuple[int, ...]] = {}
        for block, parent, tokens in self.pool.sealed_blocks():
            before = () if parent == NO_BLOCK else list(listed.values())[parent]
            listed[block] = (*before, *tokens)
        assert listed == {b: c for b, c in self.contents.items() if self.pool.sealed(b)}

    def teardown(self) -> None:
        for chain in self.chains:
            self.pool.release(chain)
        assert self.pool.held == 0


class CollidingPoolMachine(PoolMachine):
    """Every prefix has the same hash: nothing may change."""

    colliding = True


TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestCollidingPool = CollidingPoolMachine.TestCase
TestCollidingPool.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def sealed_chain(pool: BlockPool, tokens: list[int]) -> list[int]:
    chain: list[int] = []
    for begin in range(0, len(tokens), SIZE):
        parent = chain[-1] if chain else NO_BLOCK
        chain.append(pool.seal(pool.allocate(), parent, tokens[begin : begin + SIZE]))
    return chain


def test_the_least_recently_used_chain_is_evicted_from_its_end() -> None:
    pool = BlockPool(blocks=4, block_size=SIZE)
    old, recent = sealed_chain(pool, [1, 1, 2, 2]), sealed_chain(pool, [3, 3, 4, 4])
    pool.release(recent)
    pool.release(old)
    pool.release(pool.match([3, 3, 4, 4], 2))  # used again: now the most recent
    assert [pool.allocate() for _ in range(4)] == [old[1], old[0], recent[1], recent[0]]


def test_sealed_blocks_are_listed_as_they_were_used_but_behind_their_parents() -> None:
    pool = BlockPool(blocks=9, block_size=SIZE)
    old, recent = sealed_chain(pool, [1, 1, 2, 2]), sealed_chain(pool, [3, 3, 4, 4])
    held = sealed_chain(pool, [1, 1, 5, 5])
    pool.allocate()
    pool.release(old)
    pool.release(recent)
    assert pool.sealed_blocks() == [
        (held[0], NO_BLOCK, [1, 1]),
        (held[1], 0, [5, 5]),
        (recent[0], NO_BLOCK, [3, 3]),
        (recent[1], 2, [4, 4]),
        (old[1], 0, [2, 2]),
    ]
    assert (pool.held, pool.evictable) == (3, 3)


def test_a_block_whose_beginning_is_gone_is_not_listed() -> None:
    pool = BlockPool(blocks=2, block_size=SIZE)
    chain = sealed_chain(pool, [1, 1, 2, 2])
    pool.release(chain[:1])  # no sequence lets go of a beginning alone
    pool.allocate()
    assert pool.sealed(chain[1])
    assert pool.sealed_blocks() == []


def test_equal_tokens_behind_another_parent_are_another_block() -> None:
    pool = BlockPool(blocks=4, block_size=SIZE, colliding=True)
    first, second = sealed_chain(pool, [1, 1, 5, 5]), sealed_chain(pool, [2, 2, 5, 5])
    assert len({*first, *second}) == 4
    assert pool.match([2, 2, 5, 5], 2) == second


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda pool, _: pool.release([99]), "block is 99; allowed: 0 to 3"),
        (lambda pool, _: pool.release([-1]), "block is -1"),
        (lambda pool, held: pool.release([held, held]), "more often than it is held"),
        (lambda pool, held: pool.release([held, 3]), "block 3 is not held"),
        (lambda pool, _: pool.retain(2), "block 2 is not held"),
        (lambda pool, held: pool.seal(held, NO_BLOCK, [1]), "a block of 1 tokens"),
        (lambda pool, held: pool.seal(held, held, [1, 2]), "parent 0 is not sealed"),
        (lambda pool, _: pool.seal(2, NO_BLOCK, [1, 2]), "block 2 is not held"),
    ],
)
def test_misuse_is_an_error_and_changes_nothing(misuse: object, message: str) -> None:
    pool = BlockPool(blocks=4, block_size=SIZE)
    held = pool.allocate()
    with pytest.raises(_core.CoreError, match=message) as caught:
        misuse(pool, held)  # type: ignore[operator]
    assert (caught.value.code, caught.value.reason) == ("INTERNAL", "KV_BLOCK_MISUSE")
    assert (pool.references(held), pool.held, pool.free) == (1, 1, 3)


@pytest.mark.parametrize(("blocks", "block_size"), [(0, 16), (-1, 16), (4, 0)])
def test_sizes_are_checked(blocks: int, block_size: int) -> None:
    with pytest.raises(_core.CoreError, match="allowed: at least 1"):
        BlockPool(blocks=blocks, block_size=block_size)
