"""The chat template that a GGUF file carries, rendered as transformers renders it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from llm_runner_router.errors import shorten
from llm_runner_router.prompt.budget import Budget
from llm_runner_router.prompt.errors import ChatTemplateError
from llm_runner_router.prompt.filters import BUDGET
from llm_runner_router.prompt.sandbox import TemplateSandbox
from llm_runner_router.types import Role

# For models whose file has no template.
PLAIN_TEMPLATE = """\
{%- for message in messages %}
{{- message.role | capitalize }}: {{ message.content | trim }}

{% endfor %}
{%- if add_generation_prompt %}Assistant:{% endif %}"""

_ROLES = frozenset(role.value for role in Role)
_FIELDS = frozenset({"role", "content"})
_MAX_INPUT = 1 << 23
_TIME_FORMAT = re.compile(r"(?:[^%]|%-?[A-Za-z%]){0,128}")


class ChatTemplate:
    """A compiled template. Immutable and thread-safe.

    The source is hostile: it runs in Jinja's sandbox, in which it cannot reach Python, and every
    operation is paid from a budget that grows with the conversation, so that it ends. For that,
    a few things of Jinja that no model's template needs are refused: inclusion, inheritance,
    recursive loops, formatting by width, and filters outside a short list.

    Models without a template get :meth:`plain`: each message as ``Role: content`` and an empty
    line, and ``Assistant:`` at the end.
    """

    def __init__(self, source: str, *, bos_token: str, eos_token: str) -> None:
        """Compiles ``source``.

        Args:
            source: ``tokenizer.chat_template`` of the file.
            bos_token: the text of the token that begins a text, empty where there is none.
            eos_token: the text of the token that ends one, empty where there is none.

        Raises:
            ChatTemplateError: the source is no template, or one that is not allowed.
        """
        self.source = source
        self._tokens = {"bos_token": bos_token, "eos_token": eos_token}
        with _translated():
            self._template = TemplateSandbox().compile_checked(source)

    @classmethod
    def plain(cls) -> ChatTemplate:
        """The fallback for models without a template."""
        return cls(PLAIN_TEMPLATE, bos_token="", eos_token="")

    def render(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        add_generation_prompt: bool = True,
        now: datetime | None = None,
    ) -> str:
        """The prompt for ``messages``, each with exactly the keys ``role`` and ``content``.

        Args:
            messages: the conversation, oldest first.
            add_generation_prompt: end where the model's answer begins.
            now: what ``strftime_now`` tells; the local time where None.

        Raises:
            ChatTemplateError: a message is malformed, or the template fails, rejects the
                conversation or costs too much.
        """
        checked = [_checked(place, message) for place, message in enumerate(messages)]
        letters = sum(len(message["content"]) for message in checked)
        if letters > _MAX_INPUT:
            raise ChatTemplateError(f"messages: {letters} letters; allowed: up to {_MAX_INPUT}")
        moment = now or datetime.now().astimezone()
        variables: dict[str, Any] = {
            **self._tokens,
            BUDGET: Budget.for_input(letters),
            "messages": checked,
            "add_generation_prompt": add_generation_prompt,
            "tools": None,
            "documents": None,
            "raise_exception": _reject,
            "strftime_now": lambda form: _strftime(moment, form),
        }
        with _translated():
            return self._template.render(variables)


def _checked(place: int, message: Mapping[str, str]) -> dict[str, str]:
    """A copy that a template may be given. Roles are trusted text, so they are of a fixed set."""
    if set(message) != _FIELDS:
        raise ChatTemplateError(
            f"messages[{place}]: {shorten(sorted(map(str, message)))} is not allowed; "
            "allowed: role and content"
        )
    role, content = message["role"], message["content"]
    if role not in _ROLES:
        allowed = ", ".join(sorted(_ROLES))
        raise ChatTemplateError(
            f"messages[{place}].role: {shorten(role)} is not allowed; allowed: {allowed}"
        )
    if not isinstance(content, str):
        raise ChatTemplateError(
            f"messages[{place}].content: {shorten(content)} is not allowed; allowed: text"
        )
    return {"role": str(role), "content": content}


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Whatever a hostile template manages to raise becomes a ChatTemplateError."""
    try:
        yield
    except ChatTemplateError:
        raise
    except Exception as error:
        kind, text = type(error).__name__, str(error)
        raise ChatTemplateError(f"the chat template fails: {kind}: {text:.200}") from error


def _reject(message: object) -> NoReturn:
    raise ChatTemplateError(f"the chat template rejects the conversation: {shorten(message, 300)}")


def _strftime(moment: datetime, form: object) -> str:
    if not isinstance(form, str) or not _TIME_FORMAT.fullmatch(form):
        raise ChatTemplateError(f"strftime_now: {shorten(form)} is not allowed; allowed: %Y, %d, …")
    return moment.strftime(form)
