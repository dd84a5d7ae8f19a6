"""Where and with which headers the official client asks, found out once for each model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import openai
from yarl import URL

from llm_runner_router.errors import ProviderRejectedError
from llm_runner_router.providers.proxies import proxy_for
from llm_runner_router.registry.records import Endpoint

DEFAULT_API_VERSION = "2024-10-21"
"""Of Azure's API, where a record names none."""

OFFICIAL_HEADERS = frozenset(("accept", "api-key", "authorization", "content-type", "user-agent"))
"""Those taken over from the official client. It adds others out of environment variables, which are
meant for OpenAI and must not reach whatever address a record names."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a model is reached. ``key`` is empty where none is needed."""

    model: str
    base_url: str
    key: str
    endpoint: Endpoint


@dataclass(frozen=True, slots=True, repr=False)
class Template:
    """The address, the headers and the proxy of a request; no repr, since they hold secrets."""

    url: URL
    headers: Mapping[str, str]
    proxy: str | None


class Recorder(httpx2.BaseTransport):
    """Sends nothing and keeps the request."""

    def __init__(self) -> None:
        self.request: httpx2.Request | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Keep it; an empty answer."""
        self.request = request
        return httpx2.Response(200, json={})


def template(target: Target, path: str, *, azure: bool = False) -> Template:
    """How the official client asks ``path``.

    To build a request takes it half as long again as the answer of a quick server, and it is the
    same each time but for the body: so it is built here once, and sent as often as needed.
    ProviderRejectedError where the client refuses the settings.
    """
    recorder = Recorder()
    try:
        with httpx2.Client(transport=recorder) as http:
            client = azure_client(target, http) if azure else openai_client(target, http)
            client.post(path, cast_to=httpx2.Response, body={"model": target.model})
    except (openai.OpenAIError, httpx2.InvalidURL, ValueError) as error:
        name = type(error).__name__
        raise ProviderRejectedError(f"the endpoint's settings are refused ({name})") from None
    request = recorder.request
    if request is None:
        raise ProviderRejectedError("the endpoint's settings lead to no request")
    url = str(request.url)
    return Template(URL(url, encoded=True), headers_of(request, target), proxy_for(url))


def headers_of(request: httpx2.Request, target: Target) -> dict[str, str]:
    """The official ones that matter, and those of the record."""
    headers = {name: request.headers[name] for name in OFFICIAL_HEADERS & request.headers.keys()}
    if not target.key:
        headers.pop("authorization", None)
    if target.endpoint.organization:
        headers["openai-organization"] = target.endpoint.organization
    return headers | {name.lower(): value for name, value in target.endpoint.headers.items()}


def openai_client(target: Target, http: httpx2.Client) -> openai.OpenAI:
    """For OpenAI and every server with its API. An empty key keeps the client from looking."""
    return openai.OpenAI(
        api_key=target.key or "none", base_url=target.base_url, max_retries=0, http_client=http
    )


def azure_client(target: Target, http: httpx2.Client) -> openai.OpenAI:
    """For Azure: the address of a resource, or a longer one that leads to its API."""
    if not target.key:
        raise ProviderRejectedError("provider azure-openai needs a key: set endpoint.api_key")
    version = target.endpoint.api_version or DEFAULT_API_VERSION
    if urlsplit(target.base_url).path.strip("/"):
        return openai.AzureOpenAI(
            api_key=target.key,
            api_version=version,
            base_url=target.base_url,
            max_retries=0,
            http_client=http,
        )
    return openai.AzureOpenAI(
        api_key=target.key,
        api_version=version,
        azure_endpoint=target.base_url,
        max_retries=0,
        http_client=http,
    )
