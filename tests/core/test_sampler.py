"""The sampler against the same steps written with numpy."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router import _core

testing = _core.testing

# Multiples of 1/8: sums and quotients below are exact in float, so ties are ties on both sides.
LOGITS = st.lists(st.integers(-40, 40).map(lambda n: n / 8), min_size=2, max_size=40)


def weights(logits: np.ndarray, temperature: float) -> np.ndarray:
    return np.exp((logits - logits.max()) / temperature)


def kept(logits: np.ndarray, temperature: float, top_k: int, top_p: float, min_p: float) -> list:
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    if top_k:
        order = order[:top_k]
    weight = weights(logits, temperature)
    total, result, mass = sum(weight[token] for token in order), [], 0.0
    for token in order:
        if weight[token] < min_p or (top_p < 1 and mass >= top_p * total):
            break
        result.append(token)
        mass += weight[token]
    return result


def expected_draw(
    logits: np.ndarray, position: int, seed: int, temperature: float, **filters: float
) -> int:
    order = (
        kept(logits, temperature, **filters)
        if filters != {"top_k": 0, "top_p": 1.0, "min_p": 0.0}
        else range(len(logits))
    )
    weight = weights(logits, temperature)
    target = testing.uniform_at(seed, position) * sum(weight[token] for token in order)
    mass = 0.0
    for token in order:
        mass += weight[token]
        if mass > target:
            return token
    raise AssertionError


@settings(max_examples=300, deadline=None)
@given(
    logits=LOGITS,
    seed=st.integers(0, 2**64 - 1),
    position=st.integers(0, 2**31 - 1),
    temperature=st.sampled_from([0.25, 0.5, 1.0, 2.0]),
    top_k=st.sampled_from([0, 1, 3, 39, 100]),
    top_p=st.sampled_from([0.05, 0.5, 0.875, 1.0]),
    min_p=st.sampled_from([0.0, 0.03125, 1.0]),
)
def test_draws_are_those_of_the_reference(
    logits: list[float], seed: int, position: int, **params: float
) -> None:
    sampler = testing.Sampler(vocabulary=len(logits), seed=seed, **params)
    token, _ = sampler.sample(logits, position)
    assert token == expected_draw(np.array(logits), position, seed, **params)


def test_greedy_takes_the_first_of_the_largest() -> None:
    sampler = testing.Sampler(vocabulary=5, temperature=0.0)
    assert sampler.sample([1, 7, 3, 7, 7], 0)[0] == 1


def test_the_draw_depends_on_seed_and_position_only() -> None:
    logits = [0.0] * 1000
    fresh = [testing.Sampler(vocabulary=1000, seed=5).sample(logits, p)[0] for p in range(20)]
    one = testing.Sampler(vocabulary=1000, seed=5)
    assert [one.sample(logits, p)[0] for p in reversed(range(20))] == fresh[::-1]
    assert len(set(fresh)) > 15
    other = testing.Sampler(vocabulary=1000, seed=6)
    assert [other.sample(logits, p)[0] for p in range(20)] != fresh


def test_draws_follow_the_probabilities() -> None:
    logits = np.log([0.5, 0.3, 0.15, 0.05])
    sampler = testing.Sampler(vocabulary=4, seed=11)
    counts = Counter(sampler.sample(logits, p)[0] for p in range(20_000))
    for token, probability in enumerate([0.5, 0.3, 0.15, 0.05]):
        deviation = math.sqrt(20_000 * probability * (1 - probability))
        assert abs(counts[token] - 20_000 * probability) < 5 * deviation


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # the known answers that Random123 publishes
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([2**32 - 1] * 4, [2**32 - 1] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_the_generator_is_philox(counter: list[int], key: list[int], expected: list[int]) -> None:
    assert testing.philox(counter, key) == expected


# --- penalties


def test_repeat_penalty_divides_positive_and_multiplies_negative_logits() -> None:
    sampler = testing.Sampler(vocabulary=3, prompt=[0], temperature=0.0, repeat_penalty=2.0)
    assert sampler.sample([1.9, 1.0, 0.0], 1)[0] == 1  # 0.95 < 1; 1 counts from here on
    assert sampler.sample([1.9, 1.9, 0.96], 2)[0] == 2
    sampler = testing.Sampler(vocabulary=2, prompt=[0], temperature=0.0, repeat_penalty=2.0)
    assert sampler.sample([-0.6, -1.0], 1)[0] == 1  # -1.2 < -1


def test_frequency_penalty_counts_the_answer_only() -> None:
    sampler = testing.Sampler(
        vocabulary=2, prompt=[0, 0, 0], temperature=0.0, frequency_penalty=1.0
    )
    assert [sampler.sample([2.5, 0.0], p)[0] for p in range(5)] == [0, 0, 0, 1, 0]


def test_presence_penalty_counts_once() -> None:
    sampler = testing.Sampler(vocabulary=2, temperature=0.0, presence_penalty=1.0)
    assert [sampler.sample([1.5, 0.0], p)[0] for p in range(4)] == [0] * 4
    assert sampler.sample([0.5, 0.0], 4)[0] == 1


def test_bias_comes_before_the_repeat_penalty() -> None:
    sampler = testing.Sampler(
        vocabulary=2, prompt=[0], temperature=0.0, repeat_penalty=2.0, logit_bias={0: 3.0}
    )
    assert sampler.sample([-1.0, 0.9], 1)[0] == 0  # (-1 + 3) / 2 = 1, not -2 + 3


def test_bias_can_ban_and_force() -> None:
    banned = testing.Sampler(vocabulary=3, temperature=0.0, logit_bias={0: -100.0})
    assert banned.sample([5, 1, 2], 0)[0] == 2
    forced = testing.Sampler(vocabulary=3, temperature=0.0, logit_bias={1: 100.0})
    assert forced.sample([5, 1, 2], 0)[0] == 1


# --- log-probabilities


@settings(deadline=None)
@given(logits=LOGITS, alternatives=st.integers(0, 6), bias=st.booleans())
def test_logprobs_are_of_the_raw_distribution(
    logits: list[float], alternatives: int, bias: bool
) -> None:
    sampler = testing.Sampler(
        vocabulary=len(logits),
        temperature=0.0 if bias else 0.5,
        repeat_penalty=1.5,
        prompt=[0],
        logit_bias={1: 50.0} if bias else {},
        logprobs=alternatives,
    )
    token, (logprob, top) = sampler.sample(logits, 0)
    assert token == 1 or not bias
    raw = np.array(logits) - np.logaddexp.reduce(logits)
    assert logprob == pytest.approx(raw[token], abs=1e-12)
    order = sorted(range(len(logits)), key=lambda t: (-logits[t], t))[:alternatives]
    assert [t for t, _ in top] == order
    assert [p for _, p in top] == pytest.approx(raw[order], abs=1e-12)


def test_impossible_tokens_have_minus_infinity() -> None:
    sampler = testing.Sampler(vocabulary=3, logprobs=3)
    token, (logprob, top) = sampler.sample([-math.inf, 0.0, -math.inf], 0)
    assert (token, logprob) == (1, 0.0)
    assert top == [(1, 0.0), (0, -math.inf), (2, -math.inf)]


# --- what is refused


@pytest.mark.parametrize(
    "logits", [[math.nan, 1, 1], [1, 1, math.nan], [-math.inf] * 3, [math.inf, 0, 0]]
)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_broken_logits_are_an_error(logits: list[float], temperature: float) -> None:
    sampler = testing.Sampler(vocabulary=3, temperature=temperature, frequency_penalty=1.0)
    with pytest.raises(_core.CoreError) as caught:
        sampler.sample(logits, 0)
    assert (caught.value.code, caught.value.reason) == ("FAILED_PRECONDITION", "MODEL_NUMERICS")


def test_an_overflowing_penalty_is_an_error() -> None:
    sampler = testing.Sampler(vocabulary=2, prompt=[0], temperature=0.0, repeat_penalty=0.001)
    with pytest.raises(_core.CoreError, match="largest logit is inf"):
        sampler.sample([3e38, 0], 0)


def test_the_number_of_logits_is_checked() -> None:
    with pytest.raises(_core.CoreError, match="2 logits; allowed: 3"):
        testing.Sampler(vocabulary=3).sample([1, 2], 0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"temperature": -0.1}, "temperature is -0.1; allowed: 0 to 100"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"top_k": -1}, "top_k is -1; allowed: 0"),
        ({"top_p": 0.0}, "top_p is 0; allowed: above 0, to 1"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"top_p": math.nan}, "top_p is nan"),
        ({"min_p": -0.5}, "min_p is -0.5; allowed: 0 to 1"),
        ({"min_p": 2.0}, "min_p is 2"),
        ({"repeat_penalty": 0.0}, "repeat_penalty is 0; allowed: above 0, to 100"),
        ({"frequency_penalty": math.nan}, "frequency_penalty is nan"),
        ({"presence_penalty": 101.0}, "presence_penalty is 101"),
        ({"logit_bias": {3: 1.0}}, "logit_bias token is 3; allowed: 0 to 2"),
        ({"logit_bias": {-1: 1.0}}, "logit_bias token is -1"),
        ({"logit_bias": {1: math.inf}}, "logit_bias of token 1 is inf; allowed: -100 to 100"),
        ({"logprobs": -2}, "logprobs is -2"),
        ({"logprobs": 101}, "logprobs is 101; allowed: -1"),
    ],
)
def test_params_are_checked(params: dict[str, object], message: str) -> None:
    with pytest.raises(_core.CoreError, match=message) as caught:
        testing.Sampler(vocabulary=3, **params)
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "SAMPLING_PARAMS")
