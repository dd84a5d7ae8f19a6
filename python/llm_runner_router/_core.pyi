"""The C++ core: GGUF files and the engine that runs them."""

import os
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, final

ggml_version: Final[str]

MetadataScalar: TypeAlias = str | int | float | bool
MetadataValue: TypeAlias = (
    MetadataScalar | Sequence[str] | Sequence[int] | Sequence[float] | Sequence[bool]
)

class CoreError(Exception):
    """An error of the C++ core."""

    code: str
    reason: str
    message: str

@final
class TensorInfo:
    """One tensor of a GGUF file; immutable. Its shape is in ggml's order: the first is contiguous."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def type(self) -> str: ...
    @property
    def offset(self) -> int: ...
    @property
    def nbytes(self) -> int: ...

@final
class GgufFile:
    """A GGUF file, mapped and checked. Immutable; may be shared between threads."""

    def __init__(self, path: str | os.PathLike[str]) -> None: ...
    @property
    def path(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def alignment(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def damaged(self) -> bool: ...
    @property
    def metadata(self) -> Mapping[str, MetadataValue]: ...
    @property
    def tensors(self) -> list[TensorInfo]: ...
    def read_tensor(self, name: str) -> bytes: ...
