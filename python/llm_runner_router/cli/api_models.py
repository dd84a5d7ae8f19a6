"""What ``llm-router models add`` says of a model behind a provider's API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from llm_runner_router.registry.records import Endpoint, Pricing

REFERENCES = ("env:", "file:")
OF_PROVIDERS = "--base-url, --api-key, --organization, --api-version, --header and --option"


def key_reference(text: str | None) -> str | None:
    """A reference to a key. A key itself is refused and not repeated: it must not be seen."""
    if text is None:
        return None
    if not any(text.startswith(kind) and len(text) > len(kind) for kind in REFERENCES):
        raise typer.BadParameter("is env:NAME or file:PATH, never the key itself")
    return text


Provider = Annotated[
    str,
    typer.Option(
        help="Who runs the model, such as openai, anthropic or ollama; SOURCE is its name there.",
        show_default="this service, from a GGUF file",
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option(help="Where the API is.", show_default="the provider's own")
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        metavar="env:NAME|file:PATH",
        callback=key_reference,
        help="Where the service finds the key. It reads it on first use, and again once refused.",
        show_default="the provider's usual variable",
    ),
]
Organization = Annotated[
    str | None, typer.Option(help="The organization that is billed.", show_default="the key's")
]
ApiVersion = Annotated[
    str | None, typer.Option(help="The API's version.", show_default="the provider's usual")
]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="NAME=VALUE",
        help="Sent with every request, and kept in clear: no keys. Repeatable.",
    ),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="KEY=JSON",
        help="A field of the provider's API that goes with every request. Repeatable.",
    ),
]
InputPrice = Annotated[
    float | None,
    typer.Option(min=0, help="USD a million prompt tokens.", show_default="the published price"),
]
OutputPrice = Annotated[
    float | None,
    typer.Option(min=0, help="USD a million answer tokens.", show_default="the published price"),
]
Quality = Annotated[float | None, typer.Option(min=0, max=1, help="Your judgement, from 0 to 1.")]


def of_provider(endpoint: Endpoint, provider: str) -> Endpoint:
    """``endpoint``; without a provider there is nothing to reach."""
    if not provider and endpoint != Endpoint():
        raise typer.BadParameter(f"{OF_PROVIDERS} belong to --provider")
    return endpoint


def headers(texts: Sequence[str]) -> dict[str, str]:
    """Headers out of ``NAME=VALUE``."""
    return dict(pairs(texts, "--header", "NAME=VALUE"))


def options(texts: Sequence[str]) -> dict[str, Any]:
    """Fields of the provider's API out of ``KEY=JSON``."""
    found = {}
    for key, text in pairs(texts, "--option", "KEY=JSON"):
        try:
            found[key] = json.loads(text)
        except ValueError:
            raise typer.BadParameter(f"--option {key}: the value is no JSON") from None
    return found


def pairs(texts: Sequence[str], option: str, form: str) -> Iterator[tuple[str, str]]:
    """Names and values, each name once. Values are not repeated in errors: one may be a secret."""
    seen: set[str] = set()
    for text in texts:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise typer.BadParameter(f"{option} is of the form {form}")
        if name in seen:
            raise typer.BadParameter(f"{option} {name} is given twice")
        seen.add(name)
        yield name, value


def pricing(input_price: float | None, output_price: float | None) -> Pricing | None:
    """Both prices or neither."""
    if input_price is None and output_price is None:
        return None
    if input_price is None or output_price is None:
        raise typer.BadParameter("--input-price and --output-price belong together")
    return Pricing(input=input_price, output=output_price)
