# ruff: noqa: INP001 - a script beside its pictures, not a package
"""Draws each strategy's decision on one example: ``draw_strategies.py [FOLDER]``.

The decisions are the router's own, with a fixed seed, so that the same code draws the same files.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from example import DECISIONS, MODELS, Outcome, outcome

from llm_runner_router.decision import ScoredCandidate
from llm_runner_router.preferences import Strategy

HERE = Path(__file__).parent
WIDTH, TOP, ROW = 820, 92, 54
BAR_LEFT, BAR_WIDTH, BAR_HEIGHT = 190, 440, 20
INK, SOFT, FAINT, PAPER, CHOSEN = "#1a202c", "#4a5568", "#cbd5e0", "#ffffff", "#eaf3ff"
COLOURS = ("#2b6cb0", "#2f855a", "#b7791f")

WEIGHTS: Mapping[Strategy, Mapping[str, float]] = {
    Strategy.QUALITY_FIRST: {"quality": 1},
    Strategy.COST_OPTIMIZED: {"cost": 1},
    Strategy.SPEED_PRIORITY: {"speed": 1},
    Strategy.BALANCED: {"quality": 0.4, "cost": 0.3, "speed": 0.3},
    Strategy.LEAST_LOADED: {"load": 1 / 2, "picked": 1 / 2},
    Strategy.CAPABILITY_MATCH: {"capability": 2 / 3, "quality": 1 / 3},
    Strategy.PREFIX_AFFINITY: {"affinity": 1 / 3, "load": 2 / 3},
}
"""What a part counts in the score of the example, where the score is a sum of parts."""


def picture(strategy: Strategy, found: Outcome) -> str:
    """The SVG of one decision, or of many."""
    rows = list(rows_of(strategy, found))
    height = TOP + ROW * len(rows) + 14
    lines = [
        opening(height, f"{strategy}: {found.case.about}"),
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{PAPER}"/>',
        text(24, 36, strategy, size=20, weight="bold"),
        text(24, 58, found.case.about, size=13, colour=SOFT),
        *legend(strategy, found),
    ]
    for number, row in enumerate(rows):
        lines += [f'<g transform="translate(0 {TOP + ROW * number})">', *row, "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def opening(height: int, title: str) -> str:
    """The element that holds the picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="sans-serif" role="img" aria-label="{escape(title)}">'
    )


def legend(strategy: Strategy, found: Outcome) -> Iterator[str]:
    """What the bars are made of."""
    if found.shares:
        words = f"Chosen in {DECISIONS} decisions"
        yield text(BAR_LEFT, 82, words, size=12, colour=SOFT)
        return
    left = BAR_LEFT
    for (name, weight), colour in zip(WEIGHTS.get(strategy, {}).items(), COLOURS, strict=False):
        label = name if weight == 1 else f"{name} \N{MULTIPLICATION SIGN} {weight:.2g}"
        yield rect(left, 72, 11, 11, colour)
        yield text(left + 17, 82, label, size=12, colour=SOFT)
        left += 36 + 7 * len(label)
    if strategy not in WEIGHTS:
        yield text(BAR_LEFT, 82, "Score drawn, from the parts below it", size=12, colour=SOFT)


def rows_of(strategy: Strategy, found: Outcome) -> Iterator[list[str]]:
    """A row a model: the candidates, best first, and then those that are none."""
    order = [found.decision.model, *found.decision.fallbacks]
    candidates = found.decision.candidates
    if found.shares:
        for candidate in sorted(candidates, key=lambda each: -found.shares.get(each.model, 0)):
            yield counted_row(candidate.model, found.shares.get(candidate.model, 0))
    else:
        for candidate in candidates:
            yield scored_row(strategy, candidate, order.index(candidate.model))
    for exclusion in found.decision.excluded:
        yield [*name_of(exclusion.model, SOFT), *excluded_bar(exclusion.reason)]


def counted_row(model: str, count: int) -> list[str]:
    """How often a model was chosen."""
    length = BAR_WIDTH * count / DECISIONS
    number = text(BAR_LEFT + length + 8, 21, str(count), size=13)
    return [*name_of(model, INK), groove(), rect(BAR_LEFT, 6, length, BAR_HEIGHT), number]


def scored_row(strategy: Strategy, candidate: ScoredCandidate, place: int) -> list[str]:
    """The score of a candidate and its place in the order of attempts."""
    row = [rect(8, -4, WIDTH - 16, ROW - 4, CHOSEN)] if place == 0 else []
    row += [*name_of(candidate.model, INK), groove(), *segments(strategy, candidate)]
    told = ", ".join(f"{name} {value:.2f}" for name, value in candidate.parts.items())
    row.append(text(BAR_LEFT, 41, told, size=11, colour=SOFT))
    row.append(text(BAR_LEFT + BAR_WIDTH + 12, 21, f"{candidate.score:.2f}", size=13))
    word = "answers" if place == 0 else f"fallback {place}"
    weight, colour = ("bold", COLOURS[0]) if place == 0 else ("normal", SOFT)
    return [*row, text(WIDTH - 110, 21, word, size=13, weight=weight, colour=colour)]


def segments(strategy: Strategy, candidate: ScoredCandidate) -> Iterator[str]:
    """The bar of a score, split where it is a sum. Fails where the weights are not the router's."""
    weights = WEIGHTS.get(strategy)
    if weights is None:
        yield rect(BAR_LEFT, 6, BAR_WIDTH * candidate.score, BAR_HEIGHT)
        return
    left = float(BAR_LEFT)
    for (name, weight), colour in zip(weights.items(), COLOURS, strict=False):
        length = BAR_WIDTH * weight * candidate.parts[name]
        yield rect(left, 6, length, BAR_HEIGHT, colour)
        left += length
    if not math.isclose(left - BAR_LEFT, BAR_WIDTH * candidate.score, abs_tol=1e-6):
        raise ValueError(f"{strategy}: {candidate} is not the sum of its parts by {weights}")


def excluded_bar(reason: str) -> Iterator[str]:
    """An empty bar with the reason in it."""
    yield (
        f'<rect x="{BAR_LEFT}" y="6" width="{BAR_WIDTH}" height="{BAR_HEIGHT}" rx="3" '
        f'fill="none" stroke="{FAINT}" stroke-dasharray="4 3"/>'
    )
    yield text(BAR_LEFT + 8, 20, reason, size=12, colour=SOFT)
    yield text(WIDTH - 110, 21, "excluded", size=13, colour=SOFT)


def name_of(model: str, colour: str) -> Iterator[str]:
    """The id, and what is special about it."""
    yield text(24, 21, model, size=14, weight="bold", colour=colour)
    yield text(24, 38, MODELS[model], size=11, colour=SOFT)


def groove() -> str:
    """What a bar of 1 would fill."""
    return rect(BAR_LEFT, 6, BAR_WIDTH, BAR_HEIGHT, "#edf2f7")


def rect(left: float, top: float, width: float, height: float, colour: str = COLOURS[0]) -> str:
    """A filled rectangle."""
    return f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def text(left: float, line: float, words: str, size: int = 13, **style: str) -> str:
    """One line of text; ``style`` may say its ``weight`` and ``colour``."""
    weight, colour = style.get("weight", "normal"), style.get("colour", INK)
    return (
        f'<text x="{left:.1f}" y="{line}" font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}">{escape(words)}</text>'
    )


def main() -> None:
    """Write every picture into the folder that is named, or beside this file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    folder.mkdir(parents=True, exist_ok=True)
    for strategy in Strategy:
        drawn = picture(strategy, asyncio.run(outcome(strategy)))
        (folder / f"{strategy}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
