"""Which prompt goes to which model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llm_runner_router.migrate.langchain.known_models import MODELS
from llm_runner_router.migrate.langchain.node import Node, node_of
from llm_runner_router.migrate.langchain.prompts import READERS
from llm_runner_router.migrate.leaves import below

SEQUENCE, OLD_CHAIN = "RunnableSequence", "LLMChain"

WRAPPERS: Mapping[str, str] = {
    "RunnableBinding": "bound",
    "RunnableRetry": "bound",
    "RunnableWithFallbacks": "runnable",
    "RunnableConfigurableFields": "default",
    "RunnableConfigurableAlternatives": "default",
}
"""What stands for another thing, and the field that holds the thing."""

BESIDE = ("fallbacks", "alternatives")
"""Fields of wrappers that hold more of the kind."""


@dataclass(frozen=True, slots=True)
class Step:
    """A prompt, a model with what is bound to it (by name: path and value), or anything else."""

    node: Node
    bound: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    frames: Sequence[Node] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A prompt and the model that answers it, or one of them. ``frames`` are what holds them."""

    prompt: Node | None = None
    model: Step | None = None
    frames: Sequence[Node] = ()


def links_of(value: object, path: str = "") -> Iterator[Link]:
    """All prompts and models in ``value``, which stands at ``path``."""
    node = node_of(value, path)
    if node is not None:
        yield from links_of_node(node)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from links_of(inner, below(path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from links_of(inner, f"{path}[{index}]")


def links_of_node(node: Node) -> Iterator[Link]:
    """All prompts and models in an object."""
    if node.kind in (SEQUENCE, OLD_CHAIN):
        steps = list(steps_of(node))
        frames = (node, *nested(node))
        for index, link in enumerate(paired(steps)):
            yield replace(link, frames=(*link.frames, *frames)) if index == 0 else link
    elif is_step(step := unbound(node)):
        yield from paired([step, *beside(step)])
    else:
        yield from links_of(node.fields, node.inside)


def nested(node: Node) -> Iterator[Node]:
    """The sequences in a sequence, with what wraps them."""
    for value, path in parts_of(node):
        inner = node_of(value, path)
        step = None if inner is None else unbound(inner)
        if step is not None and step.node.kind == SEQUENCE:
            yield from (*step.frames, step.node)
            yield from nested(step.node)


def steps_of(node: Node) -> Iterator[Step]:
    """What a chain does, one after the other; of sequences in it, their steps."""
    for value, path in parts_of(node):
        inner = node_of(value, path)
        if inner is None:
            yield anything(value, path)
            continue
        step = unbound(inner)
        yield from steps_of(step.node) if step.node.kind == SEQUENCE else [step]
        yield from beside(step)


def anything(value: object, path: str) -> Step:
    """A step that is neither a prompt nor a model, but may hold some."""
    return Step(Node("", path, {}, {}, {"": value}, path))


def beside(step: Step) -> Iterator[Step]:
    """What wrappers hold beside the thing that they wrap."""
    for frame in step.frames:
        for name in BESIDE:
            if name in frame.fields:
                yield anything(frame.fields[name], frame.at(name))


def parts_of(node: Node) -> Iterator[tuple[object, str]]:
    """The values that are steps of a chain, with their paths."""
    if node.kind == OLD_CHAIN:
        names: Sequence[str] = ("prompt", "llm")
    else:
        names = ("first", "middle", "last")
    for name in names:
        value = node.fields.get(name)
        if isinstance(value, list):
            yield from ((inner, f"{node.at(name)}[{i}]") for i, inner in enumerate(value))
        elif value is not None:
            yield value, node.at(name)


def unbound(node: Node) -> Step:
    """What a wrapper holds, with what is bound to it; anything else as it is."""
    name = WRAPPERS.get(node.kind, "")
    inner = node_of(node.fields.get(name), node.at(name))
    if inner is None:
        return Step(node)
    step = unbound(inner)
    values = node.fields.get("kwargs")
    given = values if isinstance(values, Mapping) else {}
    bound = {name: (below(node.at("kwargs"), name), value) for name, value in given.items()}
    return Step(step.node, {**step.bound, **bound}, (*step.frames, node))


def is_step(step: Step) -> bool:
    """Whether it is a prompt or a model that is known."""
    return step.node.kind in READERS or step.node.kind in MODELS


def paired(steps: Sequence[Step]) -> Iterator[Link]:
    """Each prompt with the next model behind it, unless another prompt comes before that."""
    waiting: Step | None = None
    for step in steps:
        if step.node.kind in READERS:
            if waiting is not None:
                yield Link(waiting.node, frames=waiting.frames)
            waiting = step
        elif step.node.kind in MODELS:
            prompt = None if waiting is None else waiting.node
            yield Link(prompt, step, (*([] if waiting is None else waiting.frames), *step.frames))
            waiting = None
        else:
            yield from links_of(step.node.fields, step.node.inside)
    if waiting is not None:
        yield Link(waiting.node, frames=waiting.frames)
