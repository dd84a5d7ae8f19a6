"""What a model must offer to be a candidate at all, and in words why one is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llm_runner_router.preferences import Requirements
from llm_runner_router.prompt.prompt_template import fits
from llm_runner_router.routing.inquiry import Inquiry
from llm_runner_router.routing.roster import Flags
from llm_runner_router.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Check:
    """Which candidates of a snapshot meet one requirement; ``reason`` tells why one does not."""

    met: Flags
    reason: Callable[[int], str]


def checks(snapshot: Snapshot, inquiry: Inquiry) -> Sequence[Check]:
    """The requirements that ``inquiry`` makes of a whole roster's snapshot; often none."""
    wanted = inquiry.routing.requirements
    return [*explicit(snapshot, wanted), *implied(snapshot, inquiry)]


def explicit(snapshot: Snapshot, wanted: Requirements) -> Iterator[Check]:
    """What the request says in so many words. Its context length is checked with its size."""
    for capability in wanted.capabilities:
        lacking = f"lacks {capability}"
        yield Check(snapshot.roster.offering(capability), always(lacking))
    if wanted.local_only:
        yield Check(snapshot.local, always("does not run in this service"))
    if wanted.min_quality is not None:
        yield quality_check(snapshot, wanted.min_quality)
    if wanted.max_cost_usd is not None:
        yield cost_check(snapshot, wanted.max_cost_usd)
    if wanted.max_latency_ms is not None:
        yield latency_check(snapshot, wanted.max_latency_ms)


def implied(snapshot: Snapshot, inquiry: Inquiry) -> Iterator[Check]:
    """What follows from the models' formats and the request's sizes, tools, shape and template."""
    roster = snapshot.roster
    if (inquiry.request.max_tokens or 0) > roster.shortest_answer:
        yield answer_check(snapshot, inquiry.request.max_tokens or 0)
    if inquiry.context_tokens > snapshot.roster.shortest_context:
        yield context_check(snapshot, inquiry.context_tokens)
    if snapshot.roster.any_local:
        remote = ~snapshot.local
        if inquiry.wants_tools:
            yield Check(remote, always("tools are not offered by local models"))
        if inquiry.wants_json:
            yield Check(remote, always("JSON answers are not offered by local models"))
    template = inquiry.template
    if template is not None and template.model_compatibility:
        met = np.array([fits(template, model) for model in snapshot.ids], np.bool_)
        yield Check(met, always(f"template {template.id!r} is not meant for it"))


def quality_check(snapshot: Snapshot, least: float) -> Check:
    """A quality that is not declared does not meet a minimum."""
    quality = snapshot.quality

    def reason(row: int) -> str:
        if np.isnan(quality[row]):
            return "has no declared quality"
        return f"its quality of {quality[row]:g} is below {least:g}"

    return Check(quality >= least, reason)


def cost_check(snapshot: Snapshot, most: float) -> Check:
    """A price that nobody knows does not meet a maximum."""
    cost = snapshot.cost_usd

    def reason(row: int) -> str:
        if np.isnan(cost[row]):
            return "its price is unknown"
        return f"would cost about {cost[row]:.6g} USD, more than {most:g}"

    return Check(cost <= most, reason)


def latency_check(snapshot: Snapshot, most: float) -> Check:
    """A time that was not measured passes: it would never be measured otherwise."""
    first = snapshot.first_token_ms

    def reason(row: int) -> str:
        return f"takes about {first[row]:.0f} ms to its first token, more than {most:g}"

    return Check(~(first > most), reason)


def context_check(snapshot: Snapshot, tokens: int) -> Check:
    """A context that is not declared passes; the model itself knows better."""
    context = snapshot.context

    def reason(row: int) -> str:
        return f"its context of {context[row]:.0f} tokens is shorter than {tokens}"

    return Check(~(context < tokens), reason)


def answer_check(snapshot: Snapshot, tokens: int) -> Check:
    """An answer that may be longer than the operator allows is not asked for."""
    longest = snapshot.roster.longest_answer

    def reason(row: int) -> str:
        return f"its answers are limited to {longest[row]:.0f} tokens, {tokens} are asked for"

    return Check(longest >= tokens, reason)


def always(text: str) -> Callable[[int], str]:
    """The same reason for each."""
    return lambda _: text


def reasons(models: Sequence[str], unmet: Sequence[Check]) -> Mapping[str, str]:
    """Why each model that is out is out, by id."""
    found: dict[str, list[str]] = {}
    for check in unmet:
        for row in np.flatnonzero(~check.met).tolist():
            found.setdefault(models[row], []).append(check.reason(row))
    return {model: "; ".join(why) for model, why in found.items()}
