"""Aliases: names for several models."""

from __future__ import annotations

from llm_runner_router.registry.records import Alias, AliasRule, AliasTarget
from llm_runner_router.v1 import registry_pb2
from llm_runner_router.wire.fields import check_instance, extend, fill, numbered, present
from llm_runner_router.wire.routing import STRATEGIES


def alias_to_wire(alias: Alias) -> registry_pb2.Alias:
    """The message of an alias; InvalidRequestError for a value that it cannot hold."""
    check_instance("alias", alias, Alias)
    message = registry_pb2.Alias(
        targets=[target_to_wire(*item) for item in numbered("alias.targets", alias.targets)],
        strategy=STRATEGIES.number(alias.strategy, "alias.strategy"),
        rules=[rule_to_wire(*item) for item in numbered("alias.rules", alias.rules)],
    )
    fill(message, alias, "alias", ("id", "etag"))
    extend(message, "fallbacks", alias.fallbacks, path="alias.fallbacks")
    return message


def target_to_wire(path: str, target: AliasTarget) -> registry_pb2.AliasTarget:
    """One model behind an alias."""
    check_instance(path, target, AliasTarget)
    message = registry_pb2.AliasTarget()
    fill(message, target, path, ("model", "weight"))
    return message


def rule_to_wire(path: str, rule: AliasRule) -> registry_pb2.AliasRule:
    """One rule of an alias."""
    check_instance(path, rule, AliasRule)
    message = registry_pb2.AliasRule()
    fill(message, rule, path, ("key", "model"))
    extend(message, "values", rule.values, path=f"{path}.values")
    return message


def alias_from_wire(message: registry_pb2.Alias) -> Alias:
    """The alias of a message. Its fields are checked by the registry."""
    return Alias(
        id=message.id,
        targets=tuple(
            AliasTarget(target.model, **present(target, ("weight",))) for target in message.targets
        ),
        strategy=STRATEGIES.word(message.strategy, "alias.strategy"),
        fallbacks=tuple(message.fallbacks),
        rules=tuple(AliasRule(rule.key, tuple(rule.values), rule.model) for rule in message.rules),
        etag=message.etag,
    )
