"""Ollama's chat templates, which are Go templates, translated to Jinja.

A template that names ``.Messages`` goes through the conversation itself and decides how it ends.
One that does not is rendered once for each turn of a system prompt, a question and an answer;
where the answer is still to come, the last turn ends with it. Either way, messages of one role in
a row count as one, with an empty line between (but results of tools), and there are no tools,
images or thoughts of earlier answers. Facts: Go's documentation of text/template, and
template/template.go of Ollama.
"""

from __future__ import annotations

from llm_runner_router.prompt.go_data import conversation_data, turn_data
from llm_runner_router.prompt.go_evaluator import Evaluator
from llm_runner_router.prompt.go_frame import conversation_frame, turns_frame
from llm_runner_router.prompt.go_functions import FUNCTIONS
from llm_runner_router.prompt.go_nodes import Dot, GoTemplate, Path, Print
from llm_runner_router.prompt.go_parser import parsed
from llm_runner_router.prompt.go_response import RESPONSE, cut_behind_response
from llm_runner_router.prompt.go_tokens import Place
from llm_runner_router.prompt.go_writer import jinja_of_body

_MAX_LETTERS = 1 << 16
_START = Place(1, 1)
_MESSAGES = "Messages"


def jinja_of(source: str) -> str:
    """A Jinja template for :class:`ChatTemplate` that renders what Ollama does with ``source``.

    Raises:
        GoTemplateError: the template is broken, too large, or has what cannot be translated.
    """
    if len(source) > _MAX_LETTERS:
        raise _START.error(f"{len(source)} letters; allowed: up to {_MAX_LETTERS}")
    template = parsed(source, FUNCTIONS)
    made = _of_conversation(template) if _MESSAGES in template.names else _of_turns(template)
    if len(made) > _MAX_LETTERS:
        raise _START.error(f"{len(made)} letters when translated; allowed: up to {_MAX_LETTERS}")
    return made


def _of_conversation(template: GoTemplate) -> str:
    data = conversation_data(template.names)
    return conversation_frame(jinja_of_body(template.body, Evaluator(data, template.reassigned)))


def _of_turns(template: GoTemplate) -> str:
    """A template that forgets the answer gets it at its end."""
    data = turn_data(template.names)
    body = template.body
    if RESPONSE not in template.names:
        body = (*body, Print(_START, Path(_START, Dot(_START), (RESPONSE,))))
    turn, last_turn = (
        jinja_of_body(statements, Evaluator(data, template.reassigned))
        for statements in (body, cut_behind_response(body).body)
    )
    return turns_frame(turn, last_turn)
