"""What ``llm-router models add`` says of a model behind a provider's API."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_runner_router.registry.records import Endpoint, Pricing

REFERENCES = ("env:", "file:")


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
InputPrice = Annotated[
    float | None,
    typer.Option(min=0, help="USD a million prompt tokens.", show_default="the published price"),
]
OutputPrice = Annotated[
    float | None,
    typer.Option(min=0, help="USD a million answer tokens.", show_default="the published price"),
]
Quality = Annotated[float | None, typer.Option(min=0, max=1, help="Your judgement, from 0 to 1.")]


def endpoint(provider: str, base_url: str | None, api_key: str | None) -> Endpoint:
    """How the provider is reached; without a provider there is nothing to reach."""
    if not provider and (base_url or api_key):
        raise typer.BadParameter("--base-url and --api-key belong to --provider")
    return Endpoint(base_url=base_url, api_key=api_key)


def pricing(input_price: float | None, output_price: float | None) -> Pricing | None:
    """Both prices or neither."""
    if input_price is None and output_price is None:
        return None
    if input_price is None or output_price is None:
        raise typer.BadParameter("--input-price and --output-price belong together")
    return Pricing(input=input_price, output=output_price)
