"""Changes of models and aliases as they come, from any moment that is remembered."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

from llm_runner_router.errors import InvalidRequestError, ModelNotFoundError, ResumeTokenError
from llm_runner_router.registry.changes.log import Position
from llm_runner_router.registry.records import (
    ChangeKind,
    ModelRecord,
    ModelView,
    RegistryChange,
)
from llm_runner_router.registry.store import RegistryStore


class Watch:
    """Belongs to one event loop. ``view`` adds the present state to a record."""

    def __init__(self, store: RegistryStore, view: Callable[[ModelRecord], ModelView]) -> None:
        self._store = store
        self._view = view

    async def changes(self, resume_token: str) -> AsyncGenerator[RegistryChange, None]:
        """Everything, or what has changed since; then ``synced``; then each change.

        ResumeTokenError where the changes since are not remembered any more, also if the reader
        has become too slow or the database was set back; UnavailableError when the registry closes.
        """
        seen = self._position_of(resume_token) if resume_token else None
        present = self._store.position
        for change in self._everything() if seen is None else self._since(seen):
            yield change
        seen = present
        yield RegistryChange(ChangeKind.SYNCED, resume_token=self._token(seen))
        while True:
            await self._store.changed(seen)
            present = self._store.position
            for change in self._since(seen):
                yield change
            seen = present

    def _everything(self) -> Iterator[RegistryChange]:
        """All there is. It has no token before the end: a reader that is cut begins anew."""
        for record in self._store.models():
            yield RegistryChange(ChangeKind.MODEL_SET, record.id, model=self._view(record))
        for alias in self._store.aliases():
            yield RegistryChange(ChangeKind.ALIAS_SET, alias.id, alias=alias)

    def _since(self, seen: Position) -> Iterator[RegistryChange]:
        found = self._store.changes_since(seen)
        if found is None:
            message = "the changes since that resume_token are not remembered any more"
            raise ResumeTokenError(f"{message}; begin anew without one")
        for change in found:
            token = self._token(change.position)
            tell = self._model if change.kind == "model" else self._alias
            yield tell(change.id, token)

    def _model(self, model: str, token: str) -> RegistryChange:
        try:
            view = self._view(self._store.get(model))
        except ModelNotFoundError:
            return RegistryChange(ChangeKind.MODEL_REMOVED, model, resume_token=token)
        return RegistryChange(ChangeKind.MODEL_SET, model, model=view, resume_token=token)

    def _alias(self, name: str, token: str) -> RegistryChange:
        alias = self._store.alias(name)
        kind = ChangeKind.ALIAS_REMOVED if alias is None else ChangeKind.ALIAS_SET
        return RegistryChange(kind, name, alias=alias, resume_token=token)

    def _token(self, position: Position) -> str:
        text = f"{self._store.epoch}:{position.sequence}:{position.written!r}"
        return base64.urlsafe_b64encode(text.encode()).decode()

    def _position_of(self, token: str) -> Position:
        """Where a token stands; InvalidRequestError where this registry has not given it."""
        try:
            text = base64.b64decode(token, altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            text = ""
        epoch, *place = text.split(":")
        if epoch != self._store.epoch or (position := position_of(place)) is None:
            allowed = "the resume_token of a change that this registry told, or nothing"
            raise InvalidRequestError("resume_token", token, allowed)
        return position


def position_of(place: Sequence[str]) -> Position | None:
    """What the last parts of a token mean, where they mean something."""
    try:
        sequence, written = place
        return Position(int(sequence[:20]), float(written))
    except ValueError:
        return None
