"""The engine on a model that is a hash of its KV cache: every token seen decides the answer."""

from __future__ import annotations

import gc
import math
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core.engine_client import Client, client_of
from llm_runner_router import _core

LETTERS = [bytes([97 + i]) for i in range(26)]
END = 25  # "z"


@contextmanager
def hash_client(control: Any = None, **config: Any) -> Iterator[Client]:
    control = control or _core.testing.Control()
    tokens = config.pop("token_bytes", LETTERS)
    engine = _core.testing.hash_engine(control, tokens, config.pop("end_tokens", []), **config)
    with client_of(engine) as client:
        try:
            yield client
        finally:
            control.unhold()


def prompts(count: int, seed: int = 0) -> list[list[int]]:
    """Some share beginnings, all differ."""
    chance = random.Random(seed)
    shared = [[chance.randrange(26) for _ in range(40)] for _ in range(3)]
    return [
        shared[i % 3][: chance.randrange(40)] + [i % 26, i // 26] + [chance.randrange(26)] * (i % 7)
        for i in range(count)
    ]


def settings_of(i: int) -> dict[str, Any]:
    return {
        "max_tokens": 5 + i % 20,
        "temperature": (0.0, 0.7, 1.5)[i % 3],
        "top_k": (0, 5)[i % 2],
        "seed": i,
        "repeat_penalty": (1.0, 1.3)[i % 2],
        "logprobs": 2,
        "caller": i % 5,
    }


def alone(questions: list[list[int]]) -> list[tuple[object, ...]]:
    with hash_client(max_sequences=1, prefix_cache=False) as client:
        return [client.answer(client.ask(q, **settings_of(i))) for i, q in enumerate(questions)]


# --- same answers whatever else runs


def test_64_at_once_answer_as_one_by_one() -> None:
    questions = prompts(64)
    with hash_client(blocks=1024, max_sequences=64) as client:
        ids = [client.submit(q, **settings_of(i)) for i, q in enumerate(questions)]
        client.finish(*ids)
        assert [client.answer(i) for i in ids] == alone(questions)
        assert client.engine.stats().blocks_held == 0


def test_preempted_sequences_answer_the_same() -> None:
    questions = prompts(24)
    with hash_client(blocks=24, context_length=96, max_sequences=12) as client:
        ids = [client.submit(q, **settings_of(i)) for i, q in enumerate(questions)]
        client.finish(*ids)
        assert client.engine.stats().preemptions > 0
        assert [client.answer(i) for i in ids] == alone(questions)
        assert client.engine.stats().blocks_held == 0


def test_cancelling_half_leaves_the_others_untouched() -> None:
    questions = prompts(64)
    control = _core.testing.Control()
    with hash_client(control, blocks=1024, max_sequences=64) as client:
        control.hold()
        ids = [client.submit(q, **settings_of(i)) for i, q in enumerate(questions)]
        for step in range(32):  # one after another, at every stage of its life
            control.allow(1)
            control.await_batches(step + 2)
            client.engine.cancel(ids[2 * step])
        control.unhold()
        client.finish(*ids)
        expected = alone(questions)
        for i in range(1, 64, 2):
            assert client.answer(ids[i]) == expected[i]
        reasons = [client.last(i).finish_reason for i in ids[::2]]
        assert reasons.count("cancelled") >= 20
        assert client.engine.stats().blocks_held == 0


def test_a_shared_prefix_is_computed_once() -> None:
    prefix = [i % 26 for i in range(512)]
    with hash_client(blocks=256, block_size=16, context_length=1024) as client:
        first = client.ask([*prefix, 1], max_tokens=1)
        computed = client.engine.stats().computed_tokens
        second = client.ask([*prefix, 2], max_tokens=1)
        assert client.last(first).cached_tokens == 0
        assert client.last(second).cached_tokens == 512
        assert client.engine.stats().computed_tokens - computed == 1


def test_held_conversations_keep_their_blocks_until_released() -> None:
    with hash_client(blocks=16) as client:
        first = client.ask([1] * 12, max_tokens=5, hold=True)
        assert client.engine.stats().blocks_held == 4
        client.ask([2] * 30, max_tokens=1)  # needs most of the rest
        second = client.ask([1] * 12 + client.tokens(first) + [3], max_tokens=1)
        assert client.last(second).cached_tokens == 16
        client.engine.release(first)
        client.ask([5], max_tokens=1)
        assert client.engine.stats().blocks_held == 0


# --- text


def test_the_answer_ends_at_an_end_token_which_is_not_part_of_it() -> None:
    with hash_client(end_tokens=list(range(26))) as client:
        i = client.ask([1, 2, 3], max_tokens=5, logprobs=0)
        last = client.last(i)
        assert (client.tokens(i), client.text(i), last.finish_reason) == ([], "", "stop")
        assert 0 <= last.stop_token < 26
        assert (last.completion_tokens, last.logprobs, last.started) == (0, [], True)


def test_end_tokens_can_be_ignored_and_have_no_text() -> None:
    with hash_client(end_tokens=list(range(26))) as client:
        i = client.ask([1, 2, 3], max_tokens=5, ignore_eos=True)
        last = client.last(i)
        assert (len(client.tokens(i)), client.text(i)) == (5, "")
        assert (last.finish_reason, last.stop_token, last.completion_tokens) == ("length", -1, 5)


def test_a_stop_string_across_tokens_is_held_back_and_removed() -> None:
    with hash_client() as client:
        whole = client.text(client.ask([1, 2, 3], max_tokens=12, temperature=0.0))
        stop = whole[4:7]
        i = client.ask([1, 2, 3], max_tokens=12, temperature=0.0, stop=["nope", stop])
        end = whole.index(stop)
        assert client.text(i) == whole[:end]
        assert client.last(i).finish_reason == "stop"
        assert len(client.tokens(i)) == end + 3  # the stop string's own tokens are there
        assert client.last(i).completion_tokens == end + 3


def test_characters_are_whole_in_every_event() -> None:
    halves = ["é".encode()[:1], "é".encode()[1:]]
    with hash_client(token_bytes=halves * 13) as client:
        i = client.ask([1, 2, 3], max_tokens=40)
        expected = b"".join((halves * 13)[t] for t in client.tokens(i)).decode(errors="replace")
        assert client.text(i) == expected
        assert "\ufffd" in expected


def test_prompt_logprobs_do_not_depend_on_chunks_or_preemption() -> None:
    question = list(range(26)) + [7] * 14
    wide: list[object] = []
    for config in ({"batch_tokens": 64, "max_outputs": 64}, {"batch_tokens": 8, "max_outputs": 3}):
        with hash_client(**config) as client:
            client.ask(question, max_tokens=1)  # in the cache, yet every position is scored
            i = client.ask(question, max_tokens=2, prompt_logprobs=1)
            event = client.events[i][0]
            assert event.started
            assert event.prompt_logprobs[0] is None
            scored = event.prompt_logprobs[1:]
            assert [s.token_id for s in scored] == question[1:]
            assert all(s.logprob <= s.top[0][1] for s in scored)
            assert client.events[i][1].prompt_logprobs == []
            wide.append([(s.logprob, s.top) for s in scored])
    assert wide[0] == wide[1]


# --- limits


def test_a_request_pauses_at_unacknowledged_events_and_slows_nobody() -> None:
    control = _core.testing.Control()
    with hash_client(control, max_undelivered=4, max_sequences=2) as client:
        client.acknowledging = False
        slow = client.submit([1], max_tokens=50)
        client.until(lambda: len(client.events[slow]) == 4)
        others = []
        for n in range(6):
            other = client.submit([2, n], max_tokens=20)
            while not client.finished(other):
                for event in client.take():
                    if event.id == other:
                        client.engine.acknowledge(other, 1)
            others.append(other)
        steps = control.batches()
        assert sum(slow in batch for batch in steps) == 4
        assert all(sum(other in batch for batch in steps) == 20 for other in others)
        assert client.engine.stats().running == 1
        client.engine.acknowledge(slow, 4)
        client.until(lambda: len(client.events[slow]) == 8)
        client.acknowledging = True
        client.engine.acknowledge(slow, 4)
        client.finish(slow)
        assert len(client.tokens(slow)) == 50


def test_a_passed_deadline_ends_a_request_even_when_the_engine_sleeps() -> None:
    with hash_client(max_undelivered=1) as client:
        client.acknowledging = False
        asleep = client.submit([1], max_tokens=50, deadline=0.05)  # pauses after one event
        client.finish(asleep)
        last = client.last(asleep)
        assert (last.finish_reason, last.error_code) == ("failed", "DEADLINE_EXCEEDED")
        past = client.ask([1], max_tokens=5, deadline=-1.0)
        assert client.last(past).error_reason == "DEADLINE_EXCEEDED"
        assert not client.last(past).started
        assert client.engine.stats().blocks_held == 0


def test_at_most_one_event_a_request_and_step() -> None:
    control = _core.testing.Control()
    with hash_client(control) as client:
        ids = [client.submit([n], max_tokens=10, stop=["q"]) for n in range(4)]
        client.finish(*ids)
        for i in ids:
            steps = sum(i in batch for batch in control.batches())
            assert len(client.events[i]) == steps
            assert [e.started for e in client.events[i]] == [True] + [False] * (steps - 1)


def test_cancel_takes_effect_within_one_step() -> None:
    control = _core.testing.Control()
    with hash_client(control) as client:
        control.hold()
        i = client.submit([1], max_tokens=50)
        control.allow(3)
        control.await_batches(4)  # the fourth step is under way
        client.engine.cancel(i)
        client.engine.cancel(i)
        client.engine.cancel(12345)
        control.unhold()
        client.finish(i)
        assert client.last(i).finish_reason == "cancelled"
        assert len(control.batches()) == 4
        assert client.engine.stats().blocks_held == 0


def test_statistics_count_what_waits() -> None:
    control = _core.testing.Control()
    with hash_client(control, max_sequences=2) as client:
        control.hold()
        ids = [client.submit([n] * 9, max_tokens=3) for n in range(5)]
        control.allow(1)
        control.await_batches(2)
        stats = client.engine.stats()
        assert stats.running + stats.waiting == 5
        assert stats.blocks_total == stats.blocks_held + stats.blocks_free == 64
        control.unhold()
        client.finish(*ids)
        stats = client.engine.stats()
        assert (stats.running, stats.waiting, stats.blocks_held) == (0, 0, 0)
        assert stats.computed_tokens == 5 * (9 + 2)
        assert stats.steps == len(control.batches())


# --- failures


def test_logits_that_are_no_numbers_end_that_sequence_only() -> None:
    with hash_client(nan_token=24) as client:
        good = client.submit([1, 2], max_tokens=20, logit_bias={24: -100.0})
        bad = client.submit([1, 24], max_tokens=20)
        scored = client.submit([24, 1, 2], max_tokens=20, prompt_logprobs=0)
        client.finish(good, bad, scored)
        assert client.last(good).finish_reason == "length"
        for i in (bad, scored):
            last = client.last(i)
            assert (last.finish_reason, last.error_code) == ("failed", "FAILED_PRECONDITION")
            assert last.error_reason == "MODEL_NUMERICS"
        assert client.engine.stats().blocks_held == 0


def test_a_batch_that_fails_ends_its_sequences_and_the_engine_lives() -> None:
    control = _core.testing.Control()
    with hash_client(control, failing_token=24, max_sequences=1) as client:
        control.hold()
        bad = client.submit([1, 24], max_tokens=5)
        good = client.submit([1, 2], max_tokens=5, logit_bias={24: -100.0})
        control.unhold()
        client.finish(bad, good)
        assert (client.last(bad).error_code, client.last(bad).error_reason) == (
            "INTERNAL",
            "TRAPPED",
        )
        assert client.last(good).finish_reason == "length"
        assert client.engine.stats().blocks_held == 0


def test_a_lost_model_ends_everything_and_refuses_more() -> None:
    control = _core.testing.Control()
    with hash_client(control, data_loss_token=24, max_sequences=2) as client:
        control.hold()
        ids = [client.submit([1, n], max_tokens=50) for n in range(3)]
        ids.append(client.submit([1, 24], max_tokens=5))
        control.unhold()
        client.finish(*ids)
        failed = [i for i in ids if client.last(i).error_code == "DATA_LOSS"]
        assert ids[-1] in failed
        assert client.engine.stats().blocks_held == 0
        with pytest.raises(_core.CoreError) as caught:
            client.submit([1], max_tokens=1)
        assert (caught.value.code, caught.value.reason) == ("DATA_LOSS", "TRAPPED")


@pytest.mark.parametrize(
    ("submission", "reason", "message"),
    [
        ({"tokens": []}, "EMPTY_PROMPT", "allowed: at least 1"),
        ({"tokens": [26]}, "INVALID_TOKEN", "token 0 of the prompt is 26; allowed: 0 to 25"),
        ({"tokens": [1, -1]}, "INVALID_TOKEN", "token 1 of the prompt is -1"),
        ({"tokens": [1] * 128}, "CONTEXT_LENGTH_EXCEEDED", "has 128 tokens; allowed: at most 127"),
        ({"tokens": [1], "max_tokens": -1}, "MAX_TOKENS", "max_tokens is -1"),
        ({"tokens": [1], "stop": [""]}, "STOP_STRINGS", "stop string 0 has 0 bytes"),
        ({"tokens": [1], "stop": ["a"] * 65}, "STOP_STRINGS", "65 strings; allowed: at most 64"),
        ({"tokens": [1], "stop": ["a" * 4097]}, "STOP_STRINGS", "4097 bytes"),
        ({"tokens": [1], "deadline": math.nan}, "DEADLINE", "deadline is nan"),
        ({"tokens": [1], "temperature": -1.0}, "SAMPLING_PARAMS", "temperature is -1"),
        ({"tokens": [1], "logit_bias": {99: 1.0}}, "SAMPLING_PARAMS", "token is 99"),
    ],
)
def test_bad_submissions_are_refused(submission: dict[str, Any], reason: str, message: str) -> None:
    with hash_client() as client:
        with pytest.raises(_core.CoreError, match=message) as caught:
            client.submit(**submission)
        assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", reason)
        assert client.tokens(client.ask([1], max_tokens=3)) != []


def test_a_request_that_can_never_fit_is_refused() -> None:
    with hash_client(blocks=8) as client:
        with pytest.raises(_core.CoreError, match="the whole cache has 32") as caught:
            client.submit([1] * 20, max_tokens=14)
        assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "KV_TOO_SMALL")


@pytest.mark.parametrize("argument", [{"max_tokens": 2**32 - 1}, {"seed": -1}, {"tokens": "ab"}])
def test_arguments_that_no_field_can_hold_are_refused(argument: dict[str, Any]) -> None:
    with pytest.raises(_core.CoreError, match=f"{next(iter(argument))} is ") as caught:
        _core.Submission(**argument)
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "ARGUMENT_TYPE")


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="temprature"):
        _core.Submission(temprature=1.0)  # type: ignore[call-arg]


# --- threads


def submit_until_refused(client: Client, ids: list[int]) -> _core.CoreError:
    while True:
        try:
            ids.append(client.submit([1], max_tokens=100))
        except _core.CoreError as error:
            return error


def test_closing_cancels_what_runs_and_refuses_more() -> None:
    control = _core.testing.Control()
    with hash_client(control, max_sequences=2) as client:
        control.hold()
        ids = [client.submit([n], max_tokens=100) for n in range(6)]
        control.allow(3)
        control.await_batches(4)
        closing = threading.Thread(target=client.engine.close)
        closing.start()
        refused = submit_until_refused(client, ids)
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "ENGINE_CLOSED")
        control.unhold()
        closing.join()
        client.engine.close()
        client.finish(*ids)
        assert {client.last(i).finish_reason for i in ids} == {"cancelled"}
        assert [len(client.tokens(i)) > 0 for i in ids[:3]] == [True, True, False]
        assert client.engine.stats().blocks_held == 0
        client.engine.cancel(1)
        client.engine.acknowledge(1, 1)
        client.engine.release(1)
        assert client.engine.drain() == []


def test_an_engine_that_is_dropped_while_running_ends() -> None:
    control = _core.testing.Control()
    engine = _core.testing.hash_engine(
        control, LETTERS, [], blocks=1 << 14, context_length=1 << 16, max_undelivered=1 << 20
    )
    engine.submit(_core.Submission(tokens=[1]))
    control.await_batches(3)
    del engine
    gc.collect()
    batches = len(control.batches())
    assert batches < 60_000
    for _ in range(1000):
        assert len(control.batches()) == batches


@pytest.mark.parametrize("max_tokens", [1, 5])  # one event wakes, and more do
def test_the_descriptor_is_readable_exactly_while_there_are_events(max_tokens: int) -> None:
    with hash_client() as client:
        assert client.selector.select(0) == []
        i = client.submit([1], max_tokens=max_tokens)
        while client.engine.stats().running or client.engine.stats().waiting:
            assert client.selector.select(60)
        assert client.selector.select(0)
        assert client.selector.select(0)  # level-triggered
        events = client.engine.drain()
        assert {e.id for e in events} == {i}
        assert client.selector.select(0) == []
        assert client.engine.drain() == []


def test_a_storm_of_submissions_and_cancellations_loses_nothing() -> None:
    """Four threads submit and cancel; each request gets exactly one last event."""
    with hash_client(blocks=64, max_sequences=8) as client:
        submitted: list[list[int]] = [[], [], [], []]

        def storm(which: int) -> None:
            chance = random.Random(which)
            for n in range(150):
                i = client.submit([which, n % 26], max_tokens=1 + n % 9, hold=n % 11 == 0)
                submitted[which].append(i)
                if chance.random() < 0.5:
                    client.engine.cancel(chance.choice(submitted[which]))
                client.engine.release(chance.choice(submitted[which]))

        threads = [threading.Thread(target=storm, args=(which,)) for which in range(4)]
        for thread in threads:
            thread.start()
        client.until(lambda: sum(client.finished(i) for i in list(client.events)) == 600)
        for thread in threads:
            thread.join()
        ids = sorted(i for part in submitted for i in part)
        assert ids == list(range(1, 601))
        for i in ids:
            client.engine.release(i)
        client.ask([1], max_tokens=1)
        stats = client.engine.stats()
        assert (stats.running, stats.waiting, stats.blocks_held) == (0, 0, 0)


def test_requests_that_come_while_the_engine_sleeps_wake_it() -> None:
    with hash_client() as client:
        for n in range(200):  # each time the engine has just gone to sleep, or is about to
            client.ask([n % 26], max_tokens=1 + n % 2)
