"""Where a request may go by its name of a model: one model, the targets of an alias, or all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_runner_router.config.tree import Config
from llm_runner_router.errors import ModelNotFoundError, shorten
from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.records import Alias, AliasRule, ModelRecord
from llm_runner_router.routing.pool import Pool, Pools, Store
from llm_runner_router.types import Request


@dataclass(frozen=True, slots=True)
class Group:
    """The models of ``pool``, between which ``strategy`` chooses; ``None``: there is but one.

    ``outside`` says why the other models are not asked. ``rule`` is that of ``alias`` whose model
    goes first.
    """

    pool: Pool
    strategy: Strategy | None
    outside: str
    alias: Alias | None = None
    rule: AliasRule | None = None

    @property
    def pinned(self) -> str:
        """The model that the rule names; empty without one."""
        return "" if self.rule is None else self.rule.model

    def decisive(self, model: str, metadata: Mapping[str, str]) -> str:
        """The rule in words, where it is why ``model`` was chosen."""
        if self.rule is None or self.rule.model != model:
            return ""
        return f"{self.rule.key}={metadata[self.rule.key]}"


class Groups:
    """Finds the group of a request."""

    def __init__(self, store: Store, pools: Pools) -> None:
        self._store = store
        self._pools = pools

    def of(self, request: Request, config: Config) -> Group:
        """ModelNotFoundError where the name is unknown, or no model stands behind it."""
        name = request.model or config.models.default
        wanted = request.routing.strategy
        if name is None:
            pool = self._pools.all()
            group = Group(pool, wanted or config.routing.strategy, "is not registered")
        elif (alias := self._store.alias(name)) is not None:
            strategy = wanted or alias.strategy or config.routing.strategy
            group = self._behind(alias, strategy, request.metadata)
        else:
            record = self._resolved(name)
            who = "the request names" if request.model else "the default is"
            group = Group(self._pools.of_models(record.id), None, f"{who} {name!r}")
        if not group.pool.roster.ids:
            raise nobody(name)
        return group

    def named(self, name: str | None) -> Sequence[ModelRecord]:
        """The records behind a name, at least one: an alias's in its order; without a name all.

        ModelNotFoundError as of ``of``.
        """
        if name is None:
            records = self._pools.all().roster.records
        elif (alias := self._store.alias(name)) is not None:
            roster = self._pools.of_alias(alias).roster
            rows = (roster.position.get(target.model) for target in alias.targets)
            records = [roster.records[row] for row in rows if row is not None]
        else:
            return [self._resolved(name)]
        if not records:
            raise nobody(name)
        return records

    def _resolved(self, name: str) -> ModelRecord:
        """The model of that id, or the highest version of that name."""
        record = self._store.resolve(name)
        if record is None:
            raise ModelNotFoundError(name)
        return record

    def _behind(self, alias: Alias, strategy: Strategy, metadata: Mapping[str, str]) -> Group:
        rule = next((rule for rule in alias.rules if applies(rule, metadata)), None)
        outside = f"is no target of alias {alias.id!r}"
        pool = self._pools.of_alias(alias, *(() if rule is None else (rule.model,)))
        return Group(pool, strategy, outside, alias, rule)


def applies(rule: AliasRule, metadata: Mapping[str, str]) -> bool:
    """Whether ``rule`` fits a request with ``metadata``."""
    return metadata.get(rule.key) in rule.values


def nobody(alias: str | None) -> ModelNotFoundError:
    """The error where no model stands behind an alias, or there is none at all."""
    if alias is None:
        return ModelNotFoundError("")
    return ModelNotFoundError(alias, f"no target of alias {shorten(alias)} is registered")
