"""Whether the tokenizer of a file can be used, told without building it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llm_runner_router.tokenizer.bpe import MERGES_KEY
from llm_runner_router.tokenizer.errors import TokenizerError
from llm_runner_router.tokenizer.metadata import Metadata, MetadataReader
from llm_runner_router.tokenizer.pre_tokenizers import PRE_TOKENIZER_KEY, pre_tokenizer_rule
from llm_runner_router.tokenizer.spm import SCORES_KEY
from llm_runner_router.tokenizer.tokenizer import model_name
from llm_runner_router.tokenizer.vocabulary import KINDS_KEY, MAX_TOKENS, TOKENS_KEY

Check = Callable[[MetadataReader, Mapping[str, int]], object]


def tokenizer_faults(values: Metadata, lengths: Mapping[str, int]) -> list[str]:
    """Each thing that keeps the tokenizer from being built, as far as names and sizes tell.

    Args:
        values: the file's metadata; of arrays, the first elements are enough.
        lengths: elements of each array by its key.
    """
    reader = MetadataReader(values)
    return [fault for check in CHECKS for fault in _complaint(check, reader, lengths)]


def _complaint(check: Check, reader: MetadataReader, lengths: Mapping[str, int]) -> list[str]:
    try:
        check(reader, lengths)
    except TokenizerError as error:
        return [str(error)]
    return []


def _check_model(reader: MetadataReader, lengths: Mapping[str, int]) -> None:
    del lengths
    model_name(reader)


def _check_pre_tokenizer(reader: MetadataReader, lengths: Mapping[str, int]) -> None:
    """Only byte-level BPE has one."""
    del lengths
    if _kind(reader) == "gpt2":
        pre_tokenizer_rule(reader.text(PRE_TOKENIZER_KEY, "default"))


def _check_tokens(reader: MetadataReader, lengths: Mapping[str, int]) -> None:
    del reader
    tokens = _length(TOKENS_KEY, lengths)
    if not 0 < tokens <= MAX_TOKENS:
        raise TokenizerError(TOKENS_KEY, f"{tokens} entries", f"1 to {MAX_TOKENS} entries")


def _check_kinds(reader: MetadataReader, lengths: Mapping[str, int]) -> None:
    if reader.has(KINDS_KEY):
        _check_one_each(KINDS_KEY, lengths)


def _check_merges(reader: MetadataReader, lengths: Mapping[str, int]) -> None:
    """Byte-level BPE has merges, SentencePiece scores."""
    match _kind(reader):
        case "gpt2":
            _length(MERGES_KEY, lengths)
        case "llama":
            _check_one_each(SCORES_KEY, lengths)


def _kind(reader: MetadataReader) -> str:
    """The kind of tokenizer; empty where _check_model complains."""
    try:
        return model_name(reader)
    except TokenizerError:
        return ""


CHECKS = (_check_model, _check_pre_tokenizer, _check_tokens, _check_kinds, _check_merges)


def _check_one_each(key: str, lengths: Mapping[str, int]) -> None:
    length, tokens = _length(key, lengths), lengths.get(TOKENS_KEY, 0)
    if length != tokens:
        raise TokenizerError(key, f"{length} entries", f"one entry per token: {tokens}")


def _length(key: str, lengths: Mapping[str, int]) -> int:
    if key not in lengths:
        raise TokenizerError(key, None, "an array, which has to be there")
    return lengths[key]
