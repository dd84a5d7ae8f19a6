"""The methods of v1.0 that kept models, under their old names."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from llm_runner_router.model_mappings import record_of_mapping
from llm_runner_router.old.added_model import added
from llm_runner_router.old.deprecation import warn_old
from llm_runner_router.old.models import renamed_model
from llm_runner_router.registry.records import ModelRecord, ModelView
from llm_runner_router.router_registry import RegistryFace


class OldRegistryNames(RegistryFace):
    """Each warns where it is called, and then does what its new name does."""

    def add_model(
        self,
        model: str | ModelRecord | Mapping[str, Any] | None = None,
        source: str | os.PathLike[str] | None = None,
        **values: Any,  # noqa: ANN401 - fields in every spelling that there was
    ) -> Coroutine[Any, Any, ModelView]:
        """Deprecated: ``register_model``. It takes v1.0's ``name``, ``path`` and ``type`` too.

        What is registered already and says the same stays as it is.
        """
        warn_old("add_model", "register_model")
        if isinstance(model, ModelRecord):
            return self.register_model(model, source, **values)
        found = renamed_model(model, values)
        for old, new in found.renamed.items():
            warn_old(old, new)
        return added(self, record_of_mapping(found.values, source, {}))

    def remove_model(self, model: str) -> Coroutine[Any, Any, None]:
        """Deprecated: ``unregister_model``."""
        warn_old("remove_model", "unregister_model")
        return self.unregister_model(model)

    def get_models(self) -> Coroutine[Any, Any, Sequence[ModelView]]:
        """Deprecated: ``list_models``."""
        warn_old("get_models", "list_models")
        return self.list_models()
