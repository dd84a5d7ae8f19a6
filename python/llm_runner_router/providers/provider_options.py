"""Fields of a provider's own API, which pass through as they are."""

from __future__ import annotations

from typing import Any

from llm_runner_router.providers.openai_request import extra
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import Request


def options_of(request: Request, record: ModelRecord) -> dict[str, Any]:
    """The record's fields and the request's, which go before them.

    InvalidRequestError names one that the router must rule itself.
    """
    own = extra("endpoint.options", record.endpoint.options)
    return own | extra("provider_options", request.provider_options)
