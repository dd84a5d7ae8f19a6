"""Which file of a repository is meant."""

from __future__ import annotations

import pytest

from llm_runner_router.errors import SourceError
from llm_runner_router.registry.sources.hub.files import (
    MAX_SHOWN,
    PREFERRED,
    HubFile,
    chosen,
    is_first,
    is_weights,
    tagged,
)
from llm_runner_router.registry.sources.source import HubSource, parse_source


def files(*names: str) -> list[HubFile]:
    return [HubFile(name, 1, "a" * 64) for name in names]


def choice(source: str, *names: str) -> list[str]:
    parsed = parse_source(source)
    assert isinstance(parsed, HubSource)
    return [file.name for file in chosen(files(*names), parsed)]


SEVERAL = ("m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "README.md", "mmproj-m-f16.gguf")


def test_the_only_model_is_meant_whatever_its_name() -> None:
    assert choice("hf://o/r", "README.md", "odd.GGUF") == ["odd.GGUF"]


@pytest.mark.parametrize("best", range(len(PREFERRED)))
def test_of_several_the_most_preferred_is_meant(best: int) -> None:
    names = [f"m-{tag}.gguf" for tag in reversed(PREFERRED[best:])]
    assert choice("hf://o/r", *names, "m-other.gguf") == [f"m-{PREFERRED[best]}.gguf"]


def test_several_without_a_known_tag_are_listed() -> None:
    with pytest.raises(SourceError, match=r"2 models are meant: 'a.gguf', 'b.gguf'; name one"):
        choice("hf://o/r", "b.gguf", "a.gguf")


def test_a_file_is_meant_as_it_is_written() -> None:
    assert choice("hf://o/r/sub/a.gguf", "a.gguf", "sub/a.gguf") == ["sub/a.gguf"]
    with pytest.raises(SourceError, match=r"no such model; there are: 'a.gguf'"):
        choice("hf://o/r/A.gguf", "a.gguf")


@pytest.mark.parametrize("tag", [":Q4_K_M", ":q4_k_m", "/Q4_K_M", "/q4_k_m"])
def test_a_tag_is_meant_in_whatever_case(tag: str) -> None:
    assert choice(f"hf://o/r{tag}", *SEVERAL) == ["m-Q4_K_M.gguf"]
    assert choice(f"hf://o/r{tag}", "m.q4_k_m.gguf", "m.q8_0.gguf") == ["m.q4_k_m.gguf"]


@pytest.mark.parametrize(
    ("tag", "name", "fits"),
    [
        ("Q4_K_M", "m_Q4_K_M.gguf", True),
        ("Q4_K_M", "Q4_K_M/part.gguf", True),
        ("Q4_K", "m-Q4_K_M.gguf", False),
        ("Q4_0", "m-IQ4_0.gguf", False),
        ("Q4_0", "m-Q4_0_4_4.gguf", False),
        ("Q8_0", "m-Q8_0x.gguf", False),
        ("F16", "m-BF16.gguf", False),
        ("F16", "m-fp16.gguf", True),
        ("FP16", "m.f16.gguf", True),
        ("BF16", "m.bf16.gguf", True),
    ],
)
def test_a_tag_is_a_word_of_its_own(tag: str, name: str, fits: bool) -> None:
    assert tagged([name], tag) == ([name] if fits else [])


def test_a_plain_tag_is_meant_before_a_dynamic_one() -> None:
    both = ("m-UD-Q4_K_XL.gguf", "m-Q4_K_XL.gguf")
    assert choice("hf://o/r:Q4_K_XL", *both) == ["m-Q4_K_XL.gguf"]
    assert choice("hf://o/r:Q4_K_XL", both[0]) == [both[0]]
    assert choice("hf://o/r:UD-Q4_K_XL", *both) == [both[0]]


def test_a_tag_that_fits_two_is_ambiguous() -> None:
    with pytest.raises(SourceError, match=r"2 models are meant"):
        choice("hf://o/r:Q8_0", "a-Q8_0.gguf", "b-Q8_0.gguf")


def test_a_set_counts_as_one_and_comes_in_order() -> None:
    names = [f"m-Q4_0-0000{index}-of-00003.gguf" for index in (2, 3, 1)]
    assert choice("hf://o/r", *names) == sorted(names)
    assert choice("hf://o/r:Q4_0", *names, "m-Q8_0.gguf") == sorted(names)
    assert choice(f"hf://o/r/{names[2]}", *names) == sorted(names)


def test_a_set_with_a_gap_names_what_it_lacks() -> None:
    with pytest.raises(SourceError, match=r"lacks 'm-00002-of-00003.gguf'"):
        choice("hf://o/r", "m-00001-of-00003.gguf", "m-00003-of-00003.gguf")


def test_a_repository_without_models_says_so() -> None:
    with pytest.raises(SourceError, match="no GGUF file"):
        choice("hf://o/r", "model.safetensors", "mmproj-f16.gguf")


@pytest.mark.parametrize(
    "name",
    [
        "mmproj-model-f16.gguf",
        "model.mmproj.gguf",
        "imatrix.gguf",
        "m-imatrix.gguf",
        "sub/m.imatrix.GGUF",
        "model.bin",
        "../a.gguf",
        "a/../b.gguf",
        "/a.gguf",
        "a//b.gguf",
        "./a.gguf",
        "a\\b.gguf",
        "a\n.gguf",
        f"{'a' * 251}.gguf",
    ],
)
def test_what_is_no_weights_or_no_name(name: str) -> None:
    assert not is_weights(name)


@pytest.mark.parametrize("name", ["a.gguf", "sub/a.GGUF", "mmprojector.gguf", f"{'a' * 250}.gguf"])
def test_what_is_weights(name: str) -> None:
    assert is_weights(name)


def test_the_first_of_a_set_stands_for_it() -> None:
    assert is_first("a.gguf")
    assert is_first("a-00001-of-00256.gguf")
    assert not is_first("a-00002-of-00003.gguf")
    assert not is_first("a-00001-of-00257.gguf")
    assert not is_first("a-00001-of-00000.gguf")


def test_long_lists_are_cut() -> None:
    names = [f"{index:03}.gguf" for index in range(MAX_SHOWN + 7)]
    with pytest.raises(SourceError, match=r"'023.gguf' and 7 more;"):
        choice("hf://o/r", *names)
