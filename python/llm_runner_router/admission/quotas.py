"""What each caller may do, and what it has done."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from llm_runner_router.admission.ticket import Ticket
from llm_runner_router.admission.window import Window
from llm_runner_router.config.routing import CallerLimits, LimitsConfig
from llm_runner_router.errors import RateLimitError, shorten

REMEMBERED = 10_000
"""Callers without limits of their own that are remembered; who came longest ago is forgotten."""

TRIES = 8
"""Accounts that are looked at to find one to forget, so that no request pays for all."""

STREAM_WAIT = 1.0
"""The hint, in seconds, to a caller that must end a stream first."""


@dataclass(slots=True)
class Account:
    """What a caller has done in the last minute, and how many streams it has now."""

    requests: Window = field(default_factory=Window)
    tokens: Window = field(default_factory=Window)
    streams: int = 0


class Quotas:
    """Keeps callers within their limits. Nothing is counted of those that have none.

    A request that is refused does not count, one that comes in does from its arrival on.
    """

    def __init__(self, limits: Callable[[], LimitsConfig]) -> None:
        self._limits = limits
        self._accounts: OrderedDict[str, Account] = OrderedDict()

    def __len__(self) -> int:
        return len(self._accounts)

    def of(self, caller: str) -> CallerLimits:
        """The limits of ``caller``: its own, else those of each."""
        config = self._limits()
        return config.callers.get(caller, config.each_caller)

    def enter(self, ticket: Ticket, now: float) -> Account | None:
        """Count a request that comes in; ``None`` where its caller has no limits.

        RateLimitError where it is one too many. The account is given back with ``leave``.
        """
        limits = self.of(ticket.caller)
        if not (
            limits.requests_per_minute or limits.tokens_per_minute or limits.concurrent_streams
        ):
            return None
        account = self._account(ticket.caller)
        self._check(account, limits, ticket, now)
        account.streams += 1
        account.requests.book(now, 1)
        account.tokens.book(now, ticket.tokens)
        return account

    def leave(self, account: Account) -> None:
        """The request that came in is over."""
        account.streams -= 1

    def _check(self, account: Account, limits: CallerLimits, ticket: Ticket, now: float) -> None:
        name = f"caller {shorten(ticket.caller)}"
        streams, requests, tokens = (
            limits.concurrent_streams,
            limits.requests_per_minute,
            limits.tokens_per_minute,
        )
        if streams and account.streams >= streams:
            message = f"{name} has {streams} requests running or waiting (concurrent_streams)"
            raise RateLimitError(message, retry_after=STREAM_WAIT)
        if requests and account.requests.used(now) >= requests:
            message = f"{name} has sent {requests} requests in a minute (requests_per_minute)"
            raise RateLimitError(message, retry_after=account.requests.wait(now, requests - 1))
        if tokens and account.tokens.used(now) + ticket.tokens > tokens:
            message = (
                f"{name} has used {account.tokens.used(now)} of {tokens} tokens in a minute and "
                f"asks for {ticket.tokens} more (tokens_per_minute)"
            )
            wait = account.tokens.wait(now, tokens - ticket.tokens)
            raise RateLimitError(message, retry_after=wait)

    def _account(self, caller: str) -> Account:
        """The account of ``caller``, now the latest; beyond a number an old one goes."""
        account = self._accounts.pop(caller, None) or Account()
        self._accounts[caller] = account
        if len(self._accounts) > REMEMBERED:
            self._forget_one()
        return account

    def _forget_one(self) -> None:
        """Forget an old account. Those in use and those of named callers are passed over."""
        named = self._limits().callers
        for _ in range(TRIES):
            caller, account = self._accounts.popitem(last=False)
            if not account.streams and caller not in named:
                return
            self._accounts[caller] = account
