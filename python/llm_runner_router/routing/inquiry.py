"""What a request asks of the router."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llm_runner_router.errors import ResourceNotFoundError
from llm_runner_router.preferences import Routing
from llm_runner_router.prompt.prompt_template import applied
from llm_runner_router.registry.records import PromptTemplate
from llm_runner_router.routing.prefix_index import prompt_text
from llm_runner_router.token_estimate import answer_tokens, prompt_tokens
from llm_runner_router.tools import FormatKind, ToolMode
from llm_runner_router.types import Request


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A request with its sizes in tokens, estimated. ``template`` is the one that it uses."""

    request: Request
    caller: str
    prompt_tokens: int
    answer_tokens: int
    template: PromptTemplate | None = None

    @classmethod
    def of(
        cls, request: Request, caller: str, template: Callable[[str], PromptTemplate | None]
    ) -> Inquiry:
        """Of ``request``, whose template may have made its prompt already; ``template`` finds it.

        ResourceNotFoundError where there is none, InvalidRequestError where it cannot be filled in.
        """
        used = None
        if request.template is not None:
            used = template(request.template.id)
            if used is None:
                raise ResourceNotFoundError("template", request.template.id)
            if request.prompt is None and not request.messages:
                request = applied(request, used)
        return cls(request, caller, prompt_tokens(request), answer_tokens(request), used)

    @property
    def routing(self) -> Routing:
        """The request's wishes about routing."""
        return self.request.routing

    @property
    def text(self) -> str:
        """The prompt."""
        return prompt_text(self.request)

    @property
    def context_tokens(self) -> int:
        """What the context must hold: the prompt and what may be answered, at least one token."""
        fitting = self.prompt_tokens + (self.request.max_tokens or 1)
        return max(fitting, self.routing.requirements.context_length or 0)

    @property
    def wants_tools(self) -> bool:
        """Whether the model may call tools."""
        choice = self.request.tool_choice
        return bool(self.request.tools) and (choice is None or choice.mode is not ToolMode.NONE)

    @property
    def wants_json(self) -> bool:
        """Whether the answer must be JSON."""
        shape = self.request.response_format
        return shape is not None and shape.kind is not FormatKind.TEXT
