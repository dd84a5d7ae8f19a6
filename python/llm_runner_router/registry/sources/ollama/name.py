"""Names of Ollama's models: ``[host[:port]/][namespace/]name[:tag]``.

What parts may hold is what Ollama's own ``types/model/name.go`` allows, so that each of them is a
folder's or a file's name in its store.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_runner_router.registry.sources.web.address import is_loopback
from llm_runner_router.registry.sources.wrong_source import wrong_source

ALLOWED = "ollama://[host[:port]/][namespace/]name[:tag]"
DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"
HOST = re.compile(r"([a-z0-9_][a-z0-9_.-]{0,252})(:[0-9]{1,5})?")
NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
MODEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True, slots=True)
class OllamaName:
    """All parts of a name, each fit to be a folder's or a file's; ``host`` may have a port."""

    host: str
    namespace: str
    model: str
    tag: str

    @property
    def base_url(self) -> str:
        """Where its registry answers: encrypted, but for one on this machine."""
        scheme = "http" if is_loopback(self.host.partition(":")[0]) else "https"
        return f"{scheme}://{self.host}"

    @property
    def short(self) -> str:
        """Without the host and the namespace where they are the usual ones."""
        if self.host != DEFAULT_HOST:
            return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"
        namespace = "" if self.namespace == DEFAULT_NAMESPACE else f"{self.namespace}/"
        return f"{namespace}{self.model}:{self.tag}"


def parsed_ollama_name(name: str, text: str) -> OllamaName:
    """The parts of a name, completed. Errors show ``text``."""
    parts = name.split("/")
    if len(parts) > 3:
        raise wrong_source(text, ALLOWED)
    model, colon, tag = parts.pop().partition(":")
    tag = tag if colon else DEFAULT_TAG
    host = parts.pop(0).lower() if len(parts) == 2 or names_host(parts) else DEFAULT_HOST
    namespace = parts.pop() if parts else DEFAULT_NAMESPACE
    found = HOST.fullmatch(host)
    good = found is not None and ".." not in host and int((found[2] or ":1")[1:]) in range(1, 65536)
    for part, form in ((namespace, NAMESPACE), (model, MODEL), (tag, MODEL)):
        good = good and form.fullmatch(part) is not None
    if not good:
        raise wrong_source(text, ALLOWED)
    return OllamaName(host, namespace, model, tag)


def names_host(parts: list[str]) -> bool:
    """Whether what stands before the model is a host: namespaces hold neither dot nor colon."""
    return len(parts) == 1 and (parts[0].lower() == "localhost" or bool(set(".:") & set(parts[0])))
