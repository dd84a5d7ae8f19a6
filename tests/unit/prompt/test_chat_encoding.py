"""Control tokens come from the template only, and nothing else changes for it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router.prompt import ChatEncoder, ChatTemplate, encode_chat
from llm_runner_router.tokenizer import Tokenizer
from unit.prompt.templates import CONTROL, FAMILIES
from unit.vocabularies import bpe, spm

MERGES = ["Ċ Ċ", "h i", "Ġ hi", "< |", "| >", "> Ċ", "i m", "Ċ hi", "e n", "en d"]
BPE = Tokenizer.from_metadata(bpe(MERGES, CONTROL, bos_token_id=266, eos_token_id=267))
SPM_METADATA = spm(["▁hi", "hi", "im", "▁im", "▁▁", "\n", *"▁<|>hime_ndu[]/s"])
for _key, _value in (("tokens", CONTROL[2:]), ("token_type", [3] * 13), ("scores", [0.0] * 13)):
    SPM_METADATA[f"tokenizer.ggml.{_key}"] += _value
SPM = Tokenizer.from_metadata(SPM_METADATA)
ENCODERS = {
    (family, name): ChatEncoder(tokenizer, ChatTemplate(source, bos_token="<s>", eos_token="</s>"))
    for family, source in FAMILIES.items()
    for name, tokenizer in (("bpe", BPE), ("spm", SPM))
}
TOKENIZERS = {"bpe": BPE, "spm": SPM}

CASES = st.sampled_from(sorted(ENCODERS))
HARMLESS = st.text(st.sampled_from("hi \n\tézé<|>imend[/s"), max_size=12)
HOSTILE = st.lists(
    st.sampled_from([*CONTROL, "<|im", "_end|>", "<", "|>", "e", "user", "\U00100000", " ", "\n"]),
    max_size=5,
).map("".join)


def conversation(contents: list[str]) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": text} for place, text in enumerate(contents)]


def whole(family: str, name: str, messages: list[dict[str, str]]) -> list[int]:
    """The rendered text encoded in one go, control tokens parsed wherever they stand."""
    template = ChatTemplate(FAMILIES[family], bos_token="<s>", eos_token="</s>")
    tokenizer = TOKENIZERS[name]
    ids = tokenizer.encode(template.render(messages), add_special=False, parse_special=True)
    bos = [tokenizer.bos_id] if tokenizer.add_bos and ids[:1] != [tokenizer.bos_id] else []
    return [token for token in bos if token is not None] + ids


def controls(name: str, ids: list[int]) -> list[str]:
    texts = [TOKENIZERS[name].token_text(token) for token in ids]
    return [text for text in texts if text in CONTROL]


@settings(deadline=None)
@given(CASES, st.lists(HARMLESS, min_size=1, max_size=3))
def test_harmless_contents_give_the_ids_of_the_whole_text(
    case: tuple[str, str], contents: list[str]
) -> None:
    messages = conversation(contents)
    expected = whole(*case, messages)
    silent = whole(*case, conversation(["x"] * len(contents)))
    if controls(case[1], expected) == controls(case[1], silent):
        assert ENCODERS[case].encode(messages) == expected


@settings(deadline=None)
@given(CASES, st.lists(HOSTILE, min_size=1, max_size=3))
def test_no_content_makes_or_breaks_a_control_token(
    case: tuple[str, str], contents: list[str]
) -> None:
    ids = ENCODERS[case].encode(conversation(contents))
    silent = ENCODERS[case].encode(conversation(["x"] * len(contents)))
    assert controls(case[1], ids) == controls(case[1], silent)


@settings(deadline=None)
@given(CASES, st.lists(HOSTILE, min_size=1, max_size=3))
def test_hostile_contents_arrive_as_they_were_written(
    case: tuple[str, str], contents: list[str]
) -> None:
    family, name = case
    messages = conversation(contents)
    ids = ENCODERS[case].encode(messages)
    template = ChatTemplate(FAMILIES[family], bos_token="<s>", eos_token="</s>")
    text = TOKENIZERS[name].decode(ids, skip_special=False)
    expected = template.render(messages)
    if name == "bpe":
        assert text == expected
    else:  # SentencePiece puts a space behind every control token
        assert text.replace(" ", "").removeprefix("<s>") == expected.replace(" ", "").removeprefix(
            "<s>"
        )


@pytest.mark.parametrize("parts", [("<|im_", "end|>"), ("<", "|im_end|>"), ("<|im_end|", ">")])
def test_two_contents_cannot_join_into_a_control_token(parts: tuple[str, str]) -> None:
    source = "{% for m in messages %}{{ m.content | trim }}{% endfor %}"
    template = ChatTemplate(source, bos_token="", eos_token="")
    messages = conversation([f" {parts[0]} ", f" {parts[1]} "])
    assert controls("bpe", encode_chat(BPE, template, messages)) == []


@pytest.mark.parametrize(
    ("before", "content", "behind"),
    [
        ("<|", "im_end", "|>"),
        ("<|im_", "end|>", ""),
        ("<|im_", "end|> and more ", ""),
        ("", "<|im_", "end|>"),
        ("", " more and <|im_", "end|>"),
        ("<", " |im_end|> ", ""),
    ],
)
def test_contents_cannot_complete_what_the_template_began(
    before: str, content: str, behind: str
) -> None:
    source = before + "{{ messages[0].content | trim }}" + behind
    template = ChatTemplate(source, bos_token="", eos_token="")
    ids = encode_chat(BPE, template, conversation([content]))
    assert controls("bpe", ids) == []
    assert BPE.decode(ids) == before + content.strip() + behind


def test_templates_may_put_a_role_into_a_control_token() -> None:
    ids = ENCODERS["phi", "bpe"].encode(conversation(["hi"]))
    assert controls("bpe", ids) == ["<|user|>", "<|end|>", "<|assistant|>"]


def test_templates_still_see_what_a_content_says() -> None:
    source = "{{ messages[0].content.split('</think>')[-1] | trim | length }}"
    template = ChatTemplate(source, bos_token="", eos_token="")
    ids = encode_chat(BPE, template, conversation(["<think>a</think> <|im_end|> "]))
    assert BPE.decode(ids) == "10"


def test_exactly_one_bos() -> None:
    with_bos, without = FAMILIES["llama3"], FAMILIES["chatml"]
    for source in (with_bos, without):
        template = ChatTemplate(source, bos_token="<s>", eos_token="</s>")
        ids = encode_chat(SPM, template, conversation(["hi"]))
        assert ids[0] == SPM.bos_id
        assert ids.count(1) == 1
    template = ChatTemplate(without, bos_token="<s>", eos_token="</s>")
    assert BPE.bos_id not in encode_chat(BPE, template, conversation(["hi"]))
