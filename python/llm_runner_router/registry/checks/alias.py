"""The limits of an alias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.checks.line import check_line
from llm_runner_router.registry.records import Alias, AliasRule, AliasTarget
from llm_runner_router.validation.request import MAX_METADATA_VALUE
from llm_runner_router.validation.values import (
    MAX_KEY,
    MAX_MODEL_ID,
    check_kind,
    check_number,
    check_text,
    check_word,
)

MAX_TARGETS = 64
MAX_RULES = 32
MAX_RULE_VALUES = 64
MAX_WEIGHT = 1e9


def checked_alias(alias: Alias) -> Alias:
    """``alias`` as it is stored; InvalidRequestError names the first field that is wrong.

    Whether the models that it names exist is the store's to say.
    """
    check_line("id", alias.id, MAX_MODEL_ID)
    if alias.strategy is not None:
        check_word("strategy", alias.strategy, Strategy)
    check_targets(alias.targets)
    check_models("fallbacks", alias.fallbacks)
    check_rules(alias.rules)
    rules = tuple(replace(rule, values=tuple(rule.values)) for rule in alias.rules)
    fallbacks = tuple(alias.fallbacks)
    return replace(alias, targets=tuple(alias.targets), fallbacks=fallbacks, rules=rules)


def check_targets(targets: Sequence[AliasTarget]) -> None:
    """Some models, each once, with weights that share something out."""
    check_entries("targets", targets, 1, MAX_TARGETS)
    check_models("targets", [target.model for target in targets])
    for index, target in enumerate(targets):
        field = f"targets[{index}].weight"
        if target.weight is None:
            raise InvalidRequestError(field, None, f"a number from 0 to {MAX_WEIGHT:g}")
        check_number(field, target.weight, 0, MAX_WEIGHT)
    if sum(target.weight for target in targets) <= 0:
        weights = [target.weight for target in targets]
        raise InvalidRequestError("targets", weights, "weights with a sum above 0")


def check_models(field: str, models: Sequence[str]) -> None:
    """Ids of models, each once."""
    check_entries(field, models, 0, MAX_TARGETS)
    for index, model in enumerate(models):
        check_line(f"{field}[{index}]", model, MAX_MODEL_ID)
        if model in models[:index]:
            raise InvalidRequestError(f"{field}[{index}]", model, "each model once")


def check_rules(rules: Sequence[AliasRule]) -> None:
    """Few rules on metadata that a request can have."""
    check_entries("rules", rules, 0, MAX_RULES)
    for index, rule in enumerate(rules):
        field = f"rules[{index}]"
        check_text(f"{field}.key", rule.key, MAX_KEY)
        check_line(f"{field}.model", rule.model, MAX_MODEL_ID)
        check_entries(f"{field}.values", rule.values, 1, MAX_RULE_VALUES)
        for position, value in enumerate(rule.values):
            check_text(f"{field}.values[{position}]", value, MAX_METADATA_VALUE, empty=True)


def check_entries(field: str, entries: object, least: int, most: int) -> None:
    """A list of a sane length."""
    allowed = f"a list of {least} to {most} entries"
    check_kind(field, entries, Sequence, allowed)
    if isinstance(entries, Sequence) and not least <= len(entries) <= most:
        raise InvalidRequestError(field, len(entries), allowed)
