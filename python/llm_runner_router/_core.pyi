"""The C++ core: GGUF files and the engine that runs them."""

import os
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Final, TypeAlias, final

ggml_version: Final[str]
testing: Final[ModuleType]

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
    """One tensor of a GGUF file; immutable. The first dimension of its shape is contiguous."""

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
class MetadataItem:
    """One line of a GGUF file's metadata; immutable."""

    @property
    def key(self) -> str: ...
    @property
    def type(self) -> str:
        """``u32``, ``str``, ``array of str`` and so on."""
    @property
    def length(self) -> int | None:
        """Elements of an array; ``None``: it is none."""
    @property
    def value(self) -> MetadataValue:
        """A scalar, or the first elements of an array."""

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

def quantize(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    type: str,  # noqa: A002
    on_progress: Callable[[str, float], bool],
    threads: int = 0,
    *,
    replace: bool = False,
) -> None:
    """Write floating-point weights as a smaller GGUF file, in this thread, without the GIL.

    ``source`` is a file, or the first of a sharded set; what is written is one file.
    ``type`` is a name such as ``Q4_K_M``. ``on_progress`` is told the tensor and the fraction of
    the target that is written; ``False`` gives up, with the reason ``CANCELLED``. What it raises
    ends the work too. The target appears whole or not at all. ``threads`` 0: as many as the process
    may use. Raises ``CoreError``: QUANTIZATION_UNKNOWN, THREADS, TARGET_IS_SOURCE, QUANTIZE_SOURCE,
    TENSOR_NOT_FINITE, FILE_EXISTS (unless ``replace``), FILE_UNWRITABLE, DISK_FULL,
    MODEL_FILE_TRUNCATED, and those of ``GgufShards``.
    """

@final
class GgufShards:
    """A model's GGUF, mapped and checked: one file, or all shards of a set. Immutable; shareable.

    A set is what llama.cpp's gguf-split writes, ``NAME-00001-of-00003.gguf`` and so on; ``path``
    names its first file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open all files; the path of another shard is refused with ``GGUF_NOT_FIRST_SHARD``."""
    @property
    def paths(self) -> list[str]:
        """Of all files, the first shard's first."""
    @property
    def nbytes(self) -> int:
        """Of all files."""
    @property
    def version(self) -> int: ...
    @property
    def damaged(self) -> bool: ...
    @property
    def metadata(self) -> Mapping[str, MetadataValue]:
        """The model's, which the first file holds. Made when first asked for."""
    def metadata_items(self, most: int) -> list[MetadataItem]:
        """Each key in the file's order, with at most ``most`` elements of its array."""
    def find_faults(self) -> list[str]:
        """Why an engine would refuse the model, all of it, from the headers alone."""
    @property
    def tensors(self) -> list[TensorInfo]:
        """Of all files, one behind the other; each offset counts in the tensor's own file."""

@final
class EngineConfig:
    """How an engine is set up. Checked when an engine is made of it."""

    def __init__(
        self,
        *,
        model_path: str,
        adapters: Sequence[tuple[str, float]] = (),
        context_length: int = 0,
        max_sequences: int = 10,
        threads: int = 0,
        batch_tokens: int = 512,
        block_size: int = 16,
        kv_blocks: int = 0,
        kv_bytes: int = 0,
        kv_type: str = "f16",
        gpu_layers: int = 0,
        prefix_cache: bool = True,
        max_undelivered: int = 16,
        attention: str = "paged",
    ) -> None: ...
    @property
    def model_path(self) -> str: ...
    @property
    def adapters(self) -> list[tuple[str, float]]:
        """Paths of LoRA adapters as GGUF, and how much of each counts; 1: all of it."""
    @property
    def context_length(self) -> int:
        """Tokens of prompt and answer; 0: the model's own, as far as the KV cache goes."""
    @property
    def max_sequences(self) -> int:
        """Sequences that make progress at once."""
    @property
    def threads(self) -> int:
        """0: the physical cores that the process may use."""
    @property
    def batch_tokens(self) -> int:
        """Most tokens computed in one step."""
    @property
    def block_size(self) -> int:
        """Tokens of a KV block."""
    @property
    def kv_blocks(self) -> int:
        """0: enough for max_sequences whole contexts, as far as kv_bytes goes."""
    @property
    def kv_bytes(self) -> int:
        """Most bytes of the KV cache; 0: a quarter of the memory that is free."""
    @property
    def kv_type(self) -> str:
        """``f16`` or ``f32``."""
    @property
    def gpu_layers(self) -> int:
        """Layers on the GPU; -1: all."""
    @property
    def prefix_cache(self) -> bool: ...
    @property
    def max_undelivered(self) -> int:
        """Events not acknowledged, at which a request pauses."""
    @property
    def attention(self) -> str:
        """``paged`` or ``ggml``."""

@final
class Submission:
    """What a request asks of an engine. Ranges are checked by ``Engine.submit``."""

    def __init__(
        self,
        *,
        tokens: Sequence[int] = (),
        max_tokens: int = 0,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        seed: int = 0,
        repeat_penalty: float = 1.0,
        frequency_penalty: float = 0.0,
        presence_penalty: float = 0.0,
        logit_bias: Mapping[int, float] = ...,
        logprobs: int = -1,
        prompt_logprobs: int = -1,
        stop: Sequence[str] = (),
        ignore_eos: bool = False,
        deadline: float = ...,
        caller: int = 0,
        hold: bool = False,
    ) -> None: ...
    @property
    def tokens(self) -> list[int]: ...
    @property
    def max_tokens(self) -> int:
        """0: as far as the context goes."""
    @property
    def temperature(self) -> float: ...
    @property
    def top_k(self) -> int: ...
    @property
    def top_p(self) -> float: ...
    @property
    def min_p(self) -> float: ...
    @property
    def seed(self) -> int:
        """Unsigned, 64 bits. Same seed, same answer."""
    @property
    def repeat_penalty(self) -> float: ...
    @property
    def frequency_penalty(self) -> float: ...
    @property
    def presence_penalty(self) -> float: ...
    @property
    def logit_bias(self) -> dict[int, float]: ...
    @property
    def logprobs(self) -> int:
        """Alternatives beside each token; -1: no log-probabilities."""
    @property
    def prompt_logprobs(self) -> int: ...
    @property
    def stop(self) -> list[str]: ...
    @property
    def ignore_eos(self) -> bool: ...
    @property
    def deadline(self) -> float:
        """Seconds from submission; infinite by default."""
    @property
    def caller(self) -> int:
        """Unsigned, 64 bits: who asks, for fairness."""
    @property
    def hold(self) -> bool: ...

@final
class TokenLogprob:
    """A token's natural log-probability in the raw distribution, and the likeliest tokens'."""

    @property
    def token_id(self) -> int: ...
    @property
    def logprob(self) -> float: ...
    @property
    def top(self) -> list[tuple[int, float]]: ...

@final
class Event:
    """What happened to a request in a step. The last one has a ``finish_reason``."""

    @property
    def id(self) -> int: ...
    @property
    def started(self) -> bool:
        """The prompt is computed: the first event of an answer."""
    @property
    def text(self) -> str: ...
    @property
    def token_ids(self) -> list[int]: ...
    @property
    def logprobs(self) -> list[TokenLogprob]: ...
    @property
    def prompt_logprobs(self) -> list[TokenLogprob | None]:
        """On the event that ``started``, where asked for; ``None`` for the first token."""
    @property
    def finish_reason(self) -> str:
        """``""``, ``stop``, ``length``, ``cancelled`` or ``failed``."""
    @property
    def error_code(self) -> str: ...
    @property
    def error_reason(self) -> str: ...
    @property
    def error_message(self) -> str: ...
    @property
    def prompt_tokens(self) -> int:
        """This and what follows: set where started, and on the last event."""
    @property
    def cached_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...
    @property
    def queue_ms(self) -> float: ...
    @property
    def first_token_ms(self) -> float: ...
    @property
    def stop_token(self) -> int:
        """The end token that ended the answer; -1: none did."""

@final
class EngineStats:
    """A moment of an engine, at least as new as the events drained before."""

    @property
    def running(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def blocks_total(self) -> int: ...
    @property
    def blocks_free(self) -> int:
        """Free, or kept for reuse only."""
    @property
    def blocks_held(self) -> int: ...
    @property
    def computed_tokens(self) -> int: ...
    @property
    def cached_tokens(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def preemptions(self) -> int: ...

@final
class MemoryEstimate:
    """How much memory an engine takes, of host and devices together."""

    @property
    def weights(self) -> int:
        """Bytes, those included that stay in the mapped files and whose pages can be dropped."""
    @property
    def kv(self) -> int:
        """Bytes of the KV cache."""
    @property
    def compute(self) -> int:
        """Bytes of intermediate results, logits included."""
    @property
    def context_length(self) -> int: ...
    @property
    def kv_blocks(self) -> int:
        """As ``EngineConfig.kv_blocks`` it makes loading take exactly these sizes."""

def estimate_memory(config: EngineConfig) -> MemoryEstimate:
    """Tell what loading would take, from metadata and tensor tables alone; without the GIL.

    Reads no weights and allocates nothing of what it counts. Exact on the CPU with ``paged``
    attention. With ``ggml`` attention, on a GPU always, ``compute`` is an estimate of what
    intermediate results grow to. Raises ``CoreError`` as loading does.
    """

@final
class Engine:
    """A loaded model with the thread that runs it. Thread-safe; raises ``CoreError``."""

    def __init__(
        self,
        config: EngineConfig,
        token_bytes: Sequence[bytes],
        end_tokens: Sequence[int],
        on_progress: Callable[[str, float], bool] | None = None,
    ) -> None:
        """Load, in this thread and without the GIL.

        ``on_progress`` is told the phase (``model``, ``cache``) and its fraction; ``False`` gives
        up, with the reason ``CANCELLED``. What it raises ends the loading too.
        """
    @property
    def fd(self) -> int:
        """Readable while ``drain`` has something; for ``loop.add_reader``."""
    @property
    def context_length(self) -> int: ...
    @property
    def vocabulary_size(self) -> int: ...
    @property
    def architecture(self) -> str: ...
    @property
    def parameters(self) -> int: ...
    @property
    def memory(self) -> MemoryEstimate:
        """What was taken when it was loaded. With ``ggml`` attention ``compute`` grows later."""
    def submit(self, submission: Submission) -> int:
        """Queue a request; its id, from 1."""
    def cancel(self, id: int) -> None:  # noqa: A002
        """End a request with a ``cancelled`` event within one step. Unknown ids are ignored."""
    def acknowledge(self, id: int, events: int) -> None:  # noqa: A002
        """Say that so many events of a request were taken. Unknown ids are ignored."""
    def release(self, id: int) -> None:  # noqa: A002
        """Let go of the KV that a request with ``hold`` keeps. Unknown ids are ignored."""
    @property
    def kv_identity(self) -> str:
        """All that the numbers in the KV cache depend on beside the model's file and this build."""
    def save_kv(self, path: str | os.PathLike[str], key: str, max_bytes: int = 0) -> int:
        """Write the cached prefixes to a file, which appears whole or not at all; their tokens.

        Waits until the engine does it between two steps. ``key`` names what the numbers depend
        on, in 1 to 4096 bytes. Beyond ``max_bytes`` (0: no limit) the least recently used are left
        out. 0, and nothing is written, where nothing is cached. ``close`` ends it.
        """
    def restore_kv(self, path: str | os.PathLike[str], key: str) -> int:
        """Bring cached prefixes back as far as free blocks go; their tokens.

        Raises with the reason ``KV_SNAPSHOT_MISMATCH`` for another key or layout, and
        ``KV_SNAPSHOT_DAMAGED``; what was brought back before that is right, and stays.
        """
    def drain(self) -> list[Event]:
        """All events since the last call, oldest first; never blocks."""
    def stats(self) -> EngineStats: ...
    def close(self) -> None:
        """Cancel all requests and join the thread; idempotent. Events can still be drained."""
