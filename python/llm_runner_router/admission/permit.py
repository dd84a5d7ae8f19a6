"""What a running request holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llm_runner_router.admission.place import Charge
from llm_runner_router.admission.quotas import Account
from llm_runner_router.admission.ticket import Ticket


@dataclass(eq=False, slots=True)
class Permit:
    """The right to run, had after ``waited`` seconds.

    The prompt's estimate has been booked on the caller already; ``settle`` books the rest.
    """

    ticket: Ticket
    waited: float
    charge: Charge
    share: float
    account: Account | None
    clock: Callable[[], float]
    booked: int

    def settle(self, tokens: int) -> None:
        """Book what the request took in all: prompt and answer. It may be told more than once.

        Nothing is given back where that is less than was booked.
        """
        rest = tokens - self.booked
        if rest <= 0:
            return
        self.booked = tokens
        self.charge(self.ticket.caller, rest / self.share)
        if self.account is not None:
            self.account.tokens.book(self.clock(), rest)
