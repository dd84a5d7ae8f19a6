"""How many hand-written questions get exactly the right answer by greedy decoding."""

import torch

from benchmarks.demo_model.chat import Encoder
from benchmarks.demo_model.facts import Fact
from benchmarks.demo_model.model import Model
from benchmarks.demo_model.questions import Question


def wrong_answers(
    model: Model, encoder: Encoder, facts: list[Fact], questions: list[Question]
) -> list[Question]:
    """The questions whose greedy answer differs from the fact's answer in any token.

    Greedy decoding gives an answer exactly when every token of it is the most probable one after
    the tokens before it, so one pass over question and answer decides.
    """
    answers = {fact.id: fact.answer for fact in facts}
    model.eval()
    return [
        question
        for question in questions
        if not _gives(model, encoder.prompt(question.text), encoder.answer(answers[question.fact]))
    ]


@torch.inference_mode()
def _gives(model: Model, prompt: list[int], answer: list[int]) -> bool:
    hidden = model(torch.tensor([prompt + answer[:-1]]))
    chosen = model.logits(hidden[0, len(prompt) - 1 :]).argmax(dim=-1)
    return chosen.tolist() == answer
