"""The memory that models share: who has how much of it, who waits for some, and who makes way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from llm_runner_router.registry.memory.claim import MemoryClaim, refused
from llm_runner_router.registry.memory.residency_rules import ResidencyRules
from llm_runner_router.registry.memory.resident import Resident
from llm_runner_router.registry.records import LoadProgress, MemoryEstimate

WAITING = LoadProgress("waiting for memory", 0.0)

PATIENCE, MORE_PATIENCE = 1.0, 10.0
"""Seconds that the first in line waits for models to become idle by themselves.

Those that are asked to go then finish their requests. Each time that takes longer than
``MORE_PATIENCE`` times the wait before, others are asked as well.
"""

logger = logging.getLogger(__name__)


class MemoryUse(NamedTuple):
    """Bytes: those of all that is loaded, loading or leaving, and how many there may be."""

    used: int
    limit: int


class MemoryRoom:
    """An account in bytes that never exceeds the limit, as far as estimates are right.

    Who wants memory gets it in the order of arrival. Idle models make way for the first in line,
    by bytes times the time since their last use, and no more of them than need be. Where they are
    not enough for a while, those with the fewest users are asked to go: they finish what runs, and
    their new requests come back by a new load. Pinned ones stay.

    ``send_away`` lets a resident finish its requests and go; it returns at once, and ``give_back``
    is called when the memory is free. Belongs to one event loop.
    """

    def __init__(self, rules: ResidencyRules, send_away: Callable[[Resident], None]) -> None:
        self._rules = rules
        self._send_away = send_away
        self._taken: dict[Resident, int] = {}
        self._claims: dict[Resident, MemoryClaim] = {}

    @property
    def waiting(self) -> int:
        """How many wait for memory."""
        return len(self._claims)

    def use(self) -> MemoryUse:
        """What is taken now."""
        return MemoryUse(sum(self._taken.values()), self._rules.memory_bytes())

    def taken_by(self, resident: Resident) -> int:
        """The bytes of ``resident``."""
        return self._taken.get(resident, 0)

    async def claim(self, resident: Resident, estimate: MemoryEstimate) -> None:
        """Wait until there is memory for ``resident``, which has it then until it gives it back.

        OverloadedError where it does not fit even if all goes that may go.
        """
        claim = self._claims[resident] = MemoryClaim(resident, estimate)
        try:
            self.settle()
            if not claim.answered.done():
                resident.report(WAITING)
            refusal = await claim.answered
        finally:
            claim.close()
            if self._claims.pop(resident, None) is not None:
                self.settle()  # the next in line may be content with less
        if refusal is not None:
            raise refusal

    def correct(self, resident: Resident, size: int) -> None:
        """``resident`` takes ``size`` bytes in fact."""
        self._taken[resident] = size
        self.settle()

    def give_back(self, resident: Resident) -> None:
        """What ``resident`` had is free again."""
        if self._taken.pop(resident, None) is not None:
            self.settle()

    async def relieve(self, resident: Resident) -> bool:
        """Take idle models out for ``resident``, whose load found less memory than expected.

        Whether there were any.
        """
        idle = self._idle()
        victims = enough(self._sized(idle), self.taken_by(resident)) or idle
        for victim in victims:
            self._send_away(victim)
        for victim in victims:
            await victim.gone.wait()
        return bool(victims)

    def settle(self) -> None:
        """Let in whoever is next, as far as there is room, and see to it that there will be some.

        To be called when a model is done loading, has become idle, or may have been pinned or
        unpinned, and when the limit has changed.
        """
        while self._claims:
            claim = next(iter(self._claims.values()))
            if not claim.answered.done() and not self._answered(claim):
                return
            del self._claims[claim.resident]
        self._shrink()

    def _answered(self, claim: MemoryClaim) -> bool:
        """Whether the first in line need not wait any more; else there will be room."""
        used, limit = self.use()
        missing = used + claim.bytes - limit
        if missing <= 0:
            self._taken[claim.resident] = claim.bytes
            claim.answered.set_result(None)
            return True
        pinned = self._pinned()
        if claim.bytes > limit - sum(pinned.values()):
            claim.answered.set_result(refused(claim, limit, pinned, self._others()))
            return True
        self._make_room(claim, missing)
        return False

    def _make_room(self, claim: MemoryClaim, missing: int) -> None:
        """See to it that ``claim``, which lacks ``missing`` bytes, will have them."""
        leaving = [resident for resident in self._taken if resident.leaving]
        missing -= self._bytes_of(resident for resident in leaving if not resident.users)
        victims = enough(self._sized(self._idle()), missing)
        if victims is None and claim.impatient:
            able = self._sized([*self._idle(), *self._busy()])
            slow = self._bytes_of(resident for resident in leaving if resident.users)
            victims = enough(able, missing) or enough(able, missing - slow)
            claim.impatient = victims is None
        elif victims is None and not claim.patience:
            claim.wait(PATIENCE, self._lose_patience)
        for victim in victims or ():
            logger.info("model %s makes room for %s", victim.model, claim.resident.model)
            self._send_away(victim)

    def _lose_patience(self, claim: MemoryClaim) -> None:
        claim.impatient = True
        claim.wait(claim.patience * MORE_PATIENCE, self._lose_patience)
        self.settle()

    def _shrink(self) -> None:
        """Send idle models away where the limit has been lowered, or an estimate was too low."""
        used, limit = self.use()
        if used <= limit:
            return
        leaving = self._bytes_of(resident for resident in self._taken if resident.leaving)
        idle = self._idle()
        victims = enough(self._sized(idle), used - limit - leaving)
        for victim in idle if victims is None else victims:
            self._send_away(victim)

    def _idle(self) -> list[Resident]:
        """Those that may go at once, the best first."""
        now = asyncio.get_running_loop().time()

        def worth(resident: Resident) -> tuple[float, float]:
            idle_for = now - resident.used_at
            return -self._taken[resident] * idle_for, resident.used_at

        return sorted((each for each in self._movable() if not each.users), key=worth)

    def _busy(self) -> list[Resident]:
        """Those that may go once their requests are done, the best first."""
        busy = [each for each in self._movable() if each.users]
        return sorted(busy, key=lambda resident: (resident.users, resident.loaded_at))

    def _movable(self) -> list[Resident]:
        pinned = self._rules.pinned
        return [each for each in self._taken if each.settled and not pinned(each.model)]

    def _pinned(self) -> dict[str, int]:
        """The bytes of those that stay, by model."""
        pinned = self._rules.pinned
        return {
            each.model: size
            for each, size in self._taken.items()
            if not each.leaving and pinned(each.model)
        }

    def _others(self) -> dict[str, int]:
        """The bytes of those that may go, by model."""
        pinned = self._pinned()
        return {each.model: size for each, size in self._taken.items() if each.model not in pinned}

    def _sized(self, residents: Iterable[Resident]) -> list[tuple[Resident, int]]:
        return [(resident, self._taken[resident]) for resident in residents]

    def _bytes_of(self, residents: Iterable[Resident]) -> int:
        return sum(self._taken[resident] for resident in residents)


def enough(ordered: Sequence[tuple[Resident, int]], missing: int) -> list[Resident] | None:
    """Those of ``ordered``, the first ones first, whose bytes make up for ``missing``.

    None of them could stay. ``None`` where all together are not enough.
    """
    chosen: list[tuple[Resident, int]] = []
    surplus = -missing
    for resident, size in ordered:
        if surplus >= 0:
            break
        chosen.append((resident, size))
        surplus += size
    if surplus < 0:
        return None
    kept = []
    for resident, size in reversed(chosen):
        if size <= surplus:
            surplus -= size
        else:
            kept.append(resident)
    return kept[::-1]
