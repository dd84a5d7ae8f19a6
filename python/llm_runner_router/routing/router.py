"""The choice of the models that may answer a request, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from llm_runner_router.candidates import Candidates
from llm_runner_router.config.tree import Config
from llm_runner_router.decision import Decision, Exclusion
from llm_runner_router.errors import ResourceNotFoundError, RouterError
from llm_runner_router.preferences import Strategy
from llm_runner_router.prompt.prompt_template import fits
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.availability import Availability, Circuits, ModelBudgets
from llm_runner_router.routing.draft import Draft
from llm_runner_router.routing.fallbacks import Fallbacks
from llm_runner_router.routing.groups import Group, Groups
from llm_runner_router.routing.inquiry import Inquiry
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.plan import Plan
from llm_runner_router.routing.pool import Pools, Store
from llm_runner_router.routing.prefix_index import PrefixIndex
from llm_runner_router.routing.ranking import Ranker, Ranking, sticky
from llm_runner_router.routing.roster import Prices
from llm_runner_router.routing.sieve import Sieve
from llm_runner_router.types import Request

SHOWN = 3
"""Candidates that a decision tells of, unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What one decision is about: ``count`` models of each kind are put in order."""

    inquiry: Inquiry
    group: Group
    config: Config
    count: int
    explain: bool


class ModelRouter:
    """Decides who answers. Belongs to one event loop; nothing here waits."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a decision rests on, in the order of its making
        self,
        store: Store,
        measurements: Measurements,
        loads: Loads,
        breakers: Circuits,
        prices: Prices,
        budgets: ModelBudgets,
        config: Callable[[], Config],
    ) -> None:
        self._store = store
        self._config = config
        self._prefixes = PrefixIndex()
        self._pools = Pools(store, measurements, loads, prices)
        self._groups = Groups(store, self._pools)
        self._fallbacks = Fallbacks(store)
        self._sieve = Sieve(Availability(breakers, budgets, config))
        self._ranker = Ranker(config().routing.seed)

    def plan(
        self, request: Request, caller: str, *, prefer: str = "", explain: bool = False
    ) -> Plan:
        """The models that may answer ``request``, the chosen one first.

        ``prefer`` is chosen where it is a candidate, unless a rule of the alias decides. With
        ``explain`` the decision tells of every registered model, and nothing is remembered.

        ModelNotFoundError, ResourceNotFoundError (the template) and InvalidRequestError (a
        fallback) where a name is unknown; NoCandidateError where no model meets the requirements,
        UnavailableError (CIRCUIT_OPEN) where those that do have failed too often, BudgetError where
        they have used up their budgets.
        """
        matter = self._matter(request, caller, explain=explain)
        draft = Draft()
        ranking = self._own(matter, draft, prefer)
        self._others(matter, draft)
        order = draft.order
        if not order:
            raise draft.failure()
        group, told = matter.group, matter.count if explain else SHOWN
        decision = Decision(
            model=order[0],
            strategy=group.strategy or "",
            candidates=ranking.shown(told),
            excluded=self._exclusions(matter, draft, ranking) if explain else (),
            fallbacks=order[1:],
            rule=group.decisive(order[0], request.metadata),
        )
        records = [self._store.get(model) for model in order]
        return Plan(decision, records, matter.inquiry.prompt_tokens)

    def choose(self, model: str | None) -> ModelRecord:
        """The record of ``model`` or of the first target of an alias, whatever it can do.

        Without a name the default, or the first model that there is; ModelNotFoundError where that
        is not registered.
        """
        return self._groups.named(model or self._config().models.default)[0]

    def candidates(self, request: Request, caller: str) -> Candidates:
        """All models that may answer ``request``, whatever they can do, and what chooses.

        Those that its template does not suit are left out. Errors as of ``plan`` where a name is
        unknown.
        """
        config = self._config()
        group = self._groups.of(request, config)
        named = self._fallbacks.named(group, request.routing, config.routing)
        pools = [group.pool]
        if named:
            pools.append(self._pools.of_models(*named))
        if request.routing.fallback_to_capable:
            pools.append(self._pools.all())
        records = {record.id: record for pool in pools for record in pool.roster.records}
        return Candidates(
            self._fitting(request, list(records.values())),
            named,
            group.alias,
            group.strategy,
            sticky(request.routing, caller) if group.strategy is Strategy.CANARY else "",
        )

    def served(self, model: str, request: Request) -> None:
        """``model`` has seen the prompt of ``request``, and may hold it in its cache."""
        with suppress(RouterError):  # the template has changed meanwhile: nothing is known
            inquiry = Inquiry.of(request, "", self._store.template)
            self._prefixes.add(model, inquiry.text)

    def forget(self, model: str) -> None:
        """``model`` holds nothing any more: it was unloaded or unregistered."""
        self._prefixes.forget(model)

    def _fitting(self, request: Request, records: Sequence[ModelRecord]) -> Sequence[ModelRecord]:
        """Those of ``records`` that the template of ``request`` is meant for."""
        if request.template is None:
            return records
        template = self._store.template(request.template.id)
        if template is None:
            raise ResourceNotFoundError("template", request.template.id)
        return [record for record in records if fits(template, record.id)]

    def _matter(self, request: Request, caller: str, *, explain: bool) -> Matter:
        config = self._config()
        inquiry = Inquiry.of(request, caller, self._store.template)
        group = self._groups.of(request, config)
        attempts = request.routing.max_attempts or config.routing.max_attempts
        count = len(self._store) if explain else max(SHOWN, attempts)
        return Matter(inquiry, group, config, count, explain)

    def _own(self, matter: Matter, draft: Draft, prefer: str) -> Ranking:
        """Put the models of the group in the draft, those that go before the others first."""
        group, inquiry, routing = matter.group, matter.inquiry, matter.config.routing
        sifted = self._sieve.sift(group.pool, inquiry, self._shares(group, inquiry))
        candidates = sifted.candidates
        pinned = group.pinned if group.pinned in candidates else prefer
        pinned = pinned if pinned in candidates else ""
        rank = self._ranker.foresee if matter.explain or pinned else self._ranker.rank
        ranking = rank(group, candidates, (inquiry, routing), matter.count)
        order = [*([pinned] if pinned else ()), *ranking.models()]
        draft.add(order if routing.enable_fallback else order[:1], sifted)
        return ranking

    def _others(self, matter: Matter, draft: Draft) -> None:
        """Put the fallbacks in the draft."""
        inquiry, routing = matter.inquiry, matter.config.routing
        named = self._fallbacks.named(matter.group, inquiry.routing, routing)
        if named:
            sifted = self._sieve.sift(self._pools.of_models(*named), inquiry, {})
            draft.add([model for model in named if model in sifted.candidates], sifted)
        if inquiry.routing.fallback_to_capable:
            pool = self._pools.all()
            sifted = self._sieve.sift(pool, inquiry, {})
            group = Group(pool, Strategy.BALANCED, "")
            asked = inquiry, routing
            ranking = self._ranker.rank(group, sifted.candidates, asked, matter.count)
            draft.add(ranking.models(), sifted)

    def _shares(self, group: Group, inquiry: Inquiry) -> Mapping[str, float]:
        """What models have seen of the prompt, where the strategy asks."""
        if group.strategy is not Strategy.PREFIX_AFFINITY:
            return {}
        return self._prefixes.match(inquiry.text)

    def _exclusions(self, matter: Matter, draft: Draft, ranking: Ranking) -> Sequence[Exclusion]:
        """Why each registered model is out that is neither a candidate nor a fallback."""
        chosen = {*ranking.models(), *draft.order}
        outside = dict.fromkeys(self._pools.all().roster.ids, matter.group.outside)
        found = {**outside, **draft.excluded()}
        return [Exclusion(model, why) for model, why in found.items() if model not in chosen]
