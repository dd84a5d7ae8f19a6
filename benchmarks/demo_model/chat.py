"""How a conversation becomes tokens: role markers that are single control tokens."""

from dataclasses import dataclass
from random import Random

from tokenizers import Tokenizer

from benchmarks.demo_model.corpus import Conversation, Turn

SYSTEM = "<|system|>"
USER = "<|user|>"
ASSISTANT = "<|assistant|>"
END = "<|end|>"
CONTROL_TOKENS = (END, SYSTEM, USER, ASSISTANT)
# The tokenizer gives them the first ids.
END_ID, SYSTEM_ID, USER_ID, ASSISTANT_ID = range(len(CONTROL_TOKENS))

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('unknown role: ' + message['role']) }}"
    "{% endif %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] | trim + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

# A whole answer is learned soon; which answer is right shows in its first words. Most examples
# end there, so that the same time holds many more questions.
_WHOLE_ANSWER_SHARE = 0.3
_ANSWER_START = 10


@dataclass(frozen=True)
class Example:
    """Token ids and, for each, how much its prediction counts in the loss."""

    tokens: list[int]
    weights: list[float]


class Encoder:
    """Turns conversations into examples with one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def prompt(self, question: str) -> list[int]:
        """The tokens up to the place where the answer begins."""
        return [USER_ID, *self._text(question), END_ID, ASSISTANT_ID]

    def answer(self, text: str) -> list[int]:
        """The tokens of the answer and its end."""
        return [*self._text(text), END_ID]

    def example(self, conversation: Conversation, random: Random) -> Example:
        """A conversation for training; its last answer is often cut short."""
        example = Example([], [])
        if conversation.system:
            _extend(example, [SYSTEM_ID, *self._text(conversation.system), END_ID], 0.0)
        for turn in conversation.turns[:-1]:
            self._extend_by_turn(example, turn, None)
        whole = random.random() < _WHOLE_ANSWER_SHARE
        self._extend_by_turn(example, conversation.turns[-1], None if whole else _ANSWER_START)
        return example

    def _extend_by_turn(self, example: Example, turn: Turn, cut: int | None) -> None:
        _extend(example, self.prompt(turn.question), 0.0)
        _extend(example, self.answer(turn.answer)[:cut], 1.0)

    def _text(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def _extend(example: Example, tokens: list[int], weight: float) -> None:
    example.tokens.extend(tokens)
    example.weights.extend([weight] * len(tokens))
