"""The models that are tried after a group's own, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from llm_runner_router.config.routing import RoutingConfig
from llm_runner_router.errors import InvalidRequestError, ModelNotFoundError
from llm_runner_router.preferences import Routing
from llm_runner_router.routing.groups import Group
from llm_runner_router.routing.pool import Store


class Fallbacks:
    """Finds the fallbacks of requests, whether or not they meet the requirements."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def named(self, group: Group, wishes: Routing, config: RoutingConfig) -> Sequence[str]:
        """Those of the alias, then those of the request, aliases replaced by their targets.

        InvalidRequestError where the request names one that there is not.
        """
        found: list[str] = []
        if group.alias is not None and config.enable_fallback:
            found.extend(group.alias.fallbacks)
        for index, name in enumerate(wishes.fallbacks):
            found.extend(self._expanded(name, f"routing.fallbacks[{index}]"))
        return tuple(dict.fromkeys(found))

    def _expanded(self, name: str, field: str) -> Sequence[str]:
        alias = self._store.alias(name)
        if alias is not None:
            return [target.model for target in alias.targets]
        try:
            return [self._store.get(name).id]
        except ModelNotFoundError:
            allowed = "the id of a registered model, or an alias"
            raise InvalidRequestError(field, name, allowed) from None
