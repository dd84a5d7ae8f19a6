"""What a model at Ollama says of itself beside its weights, as the configuration of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from llm_runner_router.errors import SourceError, UnsupportedError, shorten
from llm_runner_router.prompt.errors import ChatTemplateError
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.registry.sources.ollama.adapters import KIND as ADAPTER
from llm_runner_router.registry.sources.ollama.adapters import MAX_ADAPTERS
from llm_runner_router.registry.sources.ollama.manifest import (
    OllamaBlob,
    OllamaManifest,
    json_object,
)
from llm_runner_router.registry.sources.ollama.parameters import with_parameters
from llm_runner_router.registry.sources.ollama.store import MAX_TEXT_BYTES, OllamaStore

TEXT_KINDS = ("config", "template", "prompt", "system", "params", "license")
MAX_BLOBS = 64
MAX_CHARACTERS = 1_000_000
UNUSED = {
    "projector": "pictures and sounds cannot be read",
    "draft": "no draft model speeds it up",
    "embed": "stored embeddings are not used",
    "messages": "conversations do not begin with its messages",
}


class OllamaTexts:
    """The small blobs of one model in a store: ``config`` and ``notes`` are what they come to.

    SourceError, ModelFileError where they are damaged; UnsupportedError for models whose weights
    are more than one GGUF file. Whatever is not taken over has a note.
    """

    def __init__(self, store: OllamaStore, manifest: OllamaManifest) -> None:
        check_kinds(manifest)
        self._store = store
        self._manifest = manifest
        self.notes: list[str] = [*self._unused()]
        self.config = ModelConfig()
        self._add_system()
        self._add_parameters()
        self._add_license()
        self._add_template(renderer=self._renderer())

    def _add_system(self) -> None:
        *_, system = ("", *self._texts("system"))
        self.config = replace(self.config, system=self._bounded("system", system))

    def _add_license(self) -> None:
        terms = "\n\n".join(filter(None, (text.strip() for text in self._texts("license"))))
        self.config = replace(self.config, license=self._bounded("license", terms))

    def _add_parameters(self) -> None:
        values: dict[str, object] = {}
        for blob in self._manifest.of_kind("params"):
            values |= json_object(self._store.text(blob), "parameters", MAX_TEXT_BYTES)
        self.config, notes = with_parameters(self.config, values)
        self.notes += notes

    def _add_template(self, *, renderer: str) -> None:
        *_, template = ("", *self._texts("template", "prompt"))
        if not template:
            return
        if renderer:
            # The template of such a model is no more than a placeholder.
            self.notes.append(f"{renderer} is not offered: the file's own template is used")
            return
        try:
            jinja = jinja_template(template)
        except ChatTemplateError as error:
            why = shorten(str(error), 300)
            self.notes.append(f"its template is left out, the file's own is used: {why}")
            return
        self.config = replace(self.config, chat_template=jinja)

    def _renderer(self) -> str:
        """How Ollama's own code, not a template, writes this model's prompts; empty: it does not.

        SourceError, UnsupportedError for what has no weights in one GGUF file.
        """
        renderer = ""
        for blob in self._manifest.of_kind("config"):
            fields = json_object(self._store.text(blob), "configuration", MAX_TEXT_BYTES)
            if fields.get("remote_host") or fields.get("remote_model"):
                raise SourceError("the model runs in a cloud: its weights cannot be had")
            form = fields.get("model_format") or "gguf"
            if form != "gguf":
                raise UnsupportedError(f"the model's format {shorten(form)}: allowed: 'gguf'")
            if fields.get("renderer"):
                renderer = f"the renderer {shorten(fields['renderer'])}"
            if fields.get("parser"):
                parser = shorten(fields["parser"])
                self.notes.append(
                    f"the parser {parser} is not offered: answers are left as they are"
                )
        return renderer

    def _bounded(self, name: str, text: str) -> str | None:
        if len(text) <= MAX_CHARACTERS:
            return text or None
        self.notes.append(f"its {name} is left out: {len(text)} characters are too many")
        return None

    def _texts(self, *kinds: str) -> Iterator[str]:
        for blob in self._manifest.of_kind(*kinds):
            try:
                yield self._store.text(blob).decode()
            except UnicodeDecodeError:
                raise SourceError(f"the model's {blob.kind} ({blob.digest}) is no UTF-8") from None

    def _unused(self) -> Iterator[str]:
        for blob in self._manifest.blobs:
            if blob.kind in UNUSED:
                yield f"{blob.kind}: {UNUSED[blob.kind]}"
            elif blob.kind not in ("model", ADAPTER, *TEXT_KINDS):
                yield f"{shorten(blob.kind)} ({blob.digest}) is left out: its kind is not known"


def check_kinds(manifest: OllamaManifest) -> None:
    """Exactly one file of weights, no more adapters than the engine runs, and few texts."""
    adapters = len(manifest.of_kind(ADAPTER))
    if adapters > MAX_ADAPTERS:
        raise UnsupportedError(f"the model has {adapters} adapters; allowed: {MAX_ADAPTERS}")
    if manifest.of_kind("tensor"):
        raise UnsupportedError("the model's weights are single tensors; allowed: one GGUF file")
    weights = manifest.of_kind("model")
    if len(weights) > 1:
        raise UnsupportedError(f"the model has {len(weights)} files of weights; allowed: one")
    if not weights and not manifest.of_kind("config"):
        raise SourceError("the manifest names no weights")
    if len(manifest.blobs) > MAX_BLOBS:
        count = len(manifest.blobs)
        raise SourceError(f"the manifest names {count} blobs; allowed: at most {MAX_BLOBS}")


def weights_of(manifest: OllamaManifest) -> OllamaBlob:
    """The blob of the weights; SourceError where there is none."""
    weights = manifest.of_kind("model")
    if not weights:
        raise SourceError("the manifest names no weights")
    return weights[0]


def files_of(manifest: OllamaManifest) -> list[OllamaBlob]:
    """What the engine reads, each blob once: the adapters, and last the weights."""
    weights = weights_of(manifest)
    files = {blob.sha256: blob for blob in manifest.of_kind(ADAPTER)}
    files.pop(weights.sha256, None)
    return [*files.values(), weights]


def jinja_template(template: str) -> str:
    """A Go template in Jinja's language."""
    from llm_runner_router.prompt.go_template import jinja_of  # noqa: PLC0415 - loads Jinja

    return jinja_of(template)
