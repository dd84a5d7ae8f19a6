"""Changes of the registry, as WatchModels tells them."""

from __future__ import annotations

from llm_runner_router.registry.records import ChangeKind, RegistryChange
from llm_runner_router.v1 import registry_pb2
from llm_runner_router.wire.aliases import alias_from_wire, alias_to_wire
from llm_runner_router.wire.models import view_from_wire, view_to_wire


def change_to_wire(change: RegistryChange) -> registry_pb2.WatchModelsResponse:
    """A change."""
    message = registry_pb2.WatchModelsResponse(resume_token=change.resume_token)
    if change.model is not None:
        message.model_set.CopyFrom(view_to_wire(change.model))
    elif change.alias is not None:
        message.alias_set.CopyFrom(alias_to_wire(change.alias))
    elif change.kind is ChangeKind.MODEL_REMOVED:
        message.model_removed = change.id
    elif change.kind is ChangeKind.ALIAS_REMOVED:
        message.alias_removed = change.id
    else:
        message.synced.SetInParent()
    return message


def change_from_wire(message: registry_pb2.WatchModelsResponse) -> RegistryChange | None:
    """A change; ``None`` for one that this version does not know."""
    token = message.resume_token
    match message.WhichOneof("change"):
        case "model_set":
            view = view_from_wire(message.model_set)
            return RegistryChange(
                ChangeKind.MODEL_SET, view.record.id, model=view, resume_token=token
            )
        case "alias_set":
            alias = alias_from_wire(message.alias_set)
            return RegistryChange(ChangeKind.ALIAS_SET, alias.id, alias=alias, resume_token=token)
        case "model_removed":
            return RegistryChange(
                ChangeKind.MODEL_REMOVED, message.model_removed, resume_token=token
            )
        case "alias_removed":
            return RegistryChange(
                ChangeKind.ALIAS_REMOVED, message.alias_removed, resume_token=token
            )
        case "synced":
            return RegistryChange(ChangeKind.SYNCED, resume_token=token)
        case _:
            return None
