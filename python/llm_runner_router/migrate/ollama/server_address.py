"""Where a server of Ollama answers, as its users write it."""

from __future__ import annotations

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.hidden import shown_address
from llm_runner_router.registry.checks.endpoint import is_url

DEFAULT_PORT = 11434
ALLOWED = "http:// or https:// and a host, or host[:port]"


def server_address(text: str) -> str:
    """The base URL. Without a scheme it is http, and the port Ollama's own, as in OLLAMA_HOST.

    InvalidRequestError of the field ``host`` for whatever is no address.
    """
    address = text.strip()
    if "://" not in address:
        _, colon, port = address.rpartition(":")
        whole = bool(colon) and not port.endswith("]")
        address = f"http://{address}" if whole else f"http://{address}:{DEFAULT_PORT}"
    address = address.rstrip("/")
    if not is_url(address):
        raise InvalidRequestError("host", shown_address(text), ALLOWED)
    return address
