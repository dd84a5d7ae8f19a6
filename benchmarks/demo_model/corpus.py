"""The training corpus: conversations about the facts, made from templates and noise.

Everything is drawn from one seeded generator, so the same seed gives the same corpus.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from benchmarks.demo_model import grammar, noise
from benchmarks.demo_model.facts import Fact, Slots, load_facts, load_slots
from benchmarks.demo_model.questions import held_out, normalised

_SYSTEM_MESSAGES = (
    "You are a helpful assistant.",
    "You are the demo model of LLM Runner Router.",
    "Answer questions about LLM Runner Router.",
    "Be brief and correct.",
    "You answer in whole sentences.",
    "You are a friendly assistant who knows LLM Runner Router.",
    "Answer the user's question.",
    "Be concise.",
)
# The world outside is larger than any single fact, so its questions come more often.
_WEIGHTS = {"scope": 7.0, "what": 1.5, "greeting": 1.5, "identity": 1.5, "help": 1.5}
_KEYWORDS_SHARE = 0.08
_SYSTEM_SHARE = 0.2
_SHORT_CHAT_SHARE = 0.12
_LONG_CHAT_SHARE = 0.04
_LONGEST_CHAT = 8


@dataclass(frozen=True)
class Turn:
    """One question and the answer that is right for it."""

    question: str
    answer: str


@dataclass(frozen=True)
class Conversation:
    """What one training example is made of; ``system`` is empty where there is no such message."""

    system: str
    turns: tuple[Turn, ...]


class Corpus:
    """Draws questions and conversations about all facts."""

    def __init__(self, facts: list[Fact] | None = None, slots: Slots | None = None) -> None:
        self.facts = load_facts() if facts is None else facts
        self.slots = load_slots() if slots is None else slots
        self._held_out = {normalised(question.text) for question in held_out()}
        self._weights = [_WEIGHTS.get(fact.id, 1.0) for fact in self.facts]

    def conversations(self, seed: int) -> Iterator[Conversation]:
        """Endless conversations of one to eight turns, most of them of one."""
        random = Random(seed)
        while True:
            system = random.choice(_SYSTEM_MESSAGES) if random.random() < _SYSTEM_SHARE else ""
            turns = tuple(self._turn(random) for _ in range(self._length(random)))
            yield Conversation(system, turns)

    def question(self, fact: Fact, random: Random) -> str:
        """One spoiled question for this fact, never one of those that measure the model."""
        while True:
            text = noise.spoil(self._clean_question(fact, random), random)
            if normalised(text) not in self._held_out:
                return text

    def _clean_question(self, fact: Fact, random: Random) -> str:
        if random.random() < _KEYWORDS_SHARE:
            return noise.shuffle_keywords(random.choice(fact.keywords), random)
        return grammar.expand_once(random.choice(fact.templates), self.slots, random)

    def _turn(self, random: Random) -> Turn:
        fact = random.choices(self.facts, weights=self._weights)[0]
        return Turn(self.question(fact, random), fact.answer)

    def _length(self, random: Random) -> int:
        draw = random.random()
        if draw < _LONG_CHAT_SHARE:
            return random.randint(4, _LONGEST_CHAT)
        return random.randint(2, 3) if draw < _LONG_CHAT_SHARE + _SHORT_CHAT_SHARE else 1
