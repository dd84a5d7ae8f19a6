"""Generation parameters as Transformers merges them, and what they mean here.

Of one parameter the first that says it wins: the call, the pipeline's own arguments (unless the
call brings a ``generation_config``), that ``generation_config``, the model's, the defaults of
text-generation pipelines (Transformers 5: 256 new tokens, sampling at temperature 0.7).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import ModelConfig

GENERATION = frozenset(
    {
        *("max_length", "max_new_tokens", "do_sample", "temperature", "top_k", "top_p", "min_p"),
        *("repetition_penalty", "num_return_sequences", "stop_strings", "eos_token_id", "seed"),
        *("generation_config", "num_beams", "use_cache", "pad_token_id", "bos_token_id"),
    }
)
"""What a call may say of generation; ``seed`` is ours. The last four change nothing here."""

MAX_SEED = (1 << 32) - 1
DEFAULT_NEW_TOKENS = 256
DEFAULT_TEMPERATURE = 0.7
DEFAULT_TOP_K = 50
BOTH = (
    "Both `max_new_tokens` (={new}) and `max_length` (={both}) are set: `max_new_tokens` takes "
    "precedence"
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """How answers are generated.

    At most one of ``max_new_tokens`` (the answer alone) and ``max_length`` (prompt and answer) is
    given; neither: DEFAULT_NEW_TOKENS, or fewer where the context ends before.
    ``temperature`` 0 takes the likeliest token. ``ends``: tokens that end an answer in the place of
    the model's own, where there are some.
    """

    max_new_tokens: int | None
    max_length: int | None
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    repetition_penalty: float
    sequences: int
    stop: tuple[str, ...]
    ends: frozenset[int]
    seed: int | None


def parameters_of(
    of_model: Mapping[str, Any], of_pipeline: Mapping[str, Any], of_call: Mapping[str, Any]
) -> Parameters:
    """The parameters of one call. InvalidRequestError names what is wrong."""
    given = of_call if "generation_config" in of_call else {**of_pipeline, **of_call}
    config = config_values(given.get("generation_config"))
    values = {**of_model, **config, **given}
    values = {key: value for key, value in values.items() if value is not None}
    check_beams(values)
    sampling = values.get("do_sample", True)
    sequences = values.get("num_return_sequences", 1)
    if not isinstance(sequences, int) or sequences < 1 or (sequences > 1 and not sampling):
        allowed = "a whole number from 1 on; more than 1 with do_sample alone"
        raise InvalidRequestError("num_return_sequences", sequences, allowed)
    new, both = lengths(values)
    return Parameters(
        max_new_tokens=new,
        max_length=both,
        temperature=values.get("temperature", DEFAULT_TEMPERATURE) if sampling else 0.0,
        top_k=values.get("top_k", DEFAULT_TOP_K),
        top_p=values.get("top_p", 1.0),
        min_p=values.get("min_p", 0.0),
        repetition_penalty=values.get("repetition_penalty", 1.0),
        sequences=sequences,
        stop=stop_strings(values.get("stop_strings", ())),
        ends=end_tokens(values.get("eos_token_id")),
        seed=seed_of(values.get("seed")),
    )


def lengths(values: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Tokens of the answer alone, or else of prompt and answer together."""
    new, both = values.get("max_new_tokens"), values.get("max_length")
    for name, value in (("max_new_tokens", new), ("max_length", both)):
        if value is not None and (type(value) is not int or value < 1):
            raise InvalidRequestError(name, value, "a whole number from 1 on")
    if new is not None and both is not None:
        warnings.warn(BOTH.format(new=new, both=both), UserWarning, stacklevel=5)
        both = None
    return new, both


def config_values(config: object) -> dict[str, Any]:
    """What a ``generation_config`` says otherwise than by default: Transformers' own, or a mapping.

    What cannot be done here is refused, unless it says nothing.
    """
    if config is None:
        return {}
    told = config.to_diff_dict() if hasattr(config, "to_diff_dict") else config
    if not isinstance(told, Mapping):
        raise InvalidRequestError("generation_config", config, "a GenerationConfig or a mapping")
    ignored = {"transformers_version", "_from_model_config", "generation_config"}
    said = {key: value for key, value in told.items() if value is not None and key not in ignored}
    check_names("generation_config.", said, GENERATION)
    return said


def check_names(where: str, values: Mapping[str, object], known: frozenset[str]) -> None:
    """InvalidRequestError names the first argument that would have no effect."""
    for name in values:
        if name not in known:
            raise InvalidRequestError.unknown(f"{where}{name}", ", ".join(sorted(known)))


def check_beams(values: Mapping[str, Any]) -> None:
    """One beam: the search for better answers is not done here."""
    if values.get("num_beams", 1) != 1:
        raise InvalidRequestError("num_beams", values["num_beams"], "1")


def stop_strings(value: object) -> tuple[str, ...]:
    """One text, or several."""
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequestError("stop_strings", value, "a text, or a list of texts")
    return tuple(texts)


def end_tokens(value: object) -> frozenset[int]:
    """The tokens that end an answer, where somebody names them; else the engine knows some."""
    tokens = [] if value is None else [value] if isinstance(value, int) else value
    if not isinstance(tokens, list | tuple) or not all(type(token) is int for token in tokens):
        raise InvalidRequestError("eos_token_id", value, "the id of a token, or a list of them")
    return frozenset(tokens)


def seed_of(value: Any) -> int | None:  # noqa: ANN401 - of the caller
    """What numbers are drawn from; ``None`` leaves it to chance."""
    if value is not None and (type(value) is not int or not 0 <= value <= MAX_SEED):
        raise InvalidRequestError("seed", value, f"a whole number from 0 to {MAX_SEED}")
    return value


def said_by_model(config: ModelConfig) -> dict[str, Any]:
    """The parameters of a model's record; a temperature of 0 is the likeliest token."""
    values = {
        "temperature": config.temperature or None,
        "do_sample": False if config.temperature == 0 else None,
        "top_k": config.top_k,
        "top_p": config.top_p,
        "min_p": config.min_p,
        "repetition_penalty": config.repeat_penalty,
        "max_new_tokens": config.max_tokens,
    }
    return {key: value for key, value in values.items() if value is not None}
