"""The corpus of the demo model: complete, reproducible, and apart from the held-out questions."""

from itertools import islice
from random import Random

import pytest
from benchmarks.demo_model import grammar
from benchmarks.demo_model.corpus import Corpus
from benchmarks.demo_model.facts import load_facts, load_slots
from benchmarks.demo_model.questions import development, held_out, held_out_answers, normalised


def test_there_are_a_hundred_different_held_out_questions() -> None:
    assert len({normalised(question.text) for question in held_out()}) == len(held_out()) == 100


def test_every_fact_is_asked_for_in_the_held_out_questions() -> None:
    assert {question.fact for question in held_out()} == {fact.id for fact in load_facts()}


def test_held_out_answers_are_those_of_the_facts() -> None:
    answers = {fact.id: fact.answer for fact in load_facts()}
    expected = [(question.text, answers[question.fact]) for question in held_out()]
    assert held_out_answers() == expected


def test_development_questions_name_facts_and_are_not_held_out() -> None:
    assert {question.fact for question in development()} <= {fact.id for fact in load_facts()}
    measured = {normalised(question.text) for question in held_out()}
    assert not measured & {normalised(question.text) for question in development()}


def test_no_template_makes_a_held_out_question() -> None:
    slots = load_slots()
    templates = [text for fact in load_facts() for text in (*fact.keywords, *fact.templates)]
    patterns = [grammar.pattern(template, slots) for template in templates]
    made = [
        question.text
        for question in held_out()
        if any(pattern.fullmatch(normalised(question.text)) for pattern in patterns)
    ]
    assert made == []


def test_a_held_out_question_is_drawn_again() -> None:
    fact = load_facts()[0]
    fact.keywords = (held_out()[0].text, "another question")
    fact.templates = list(fact.keywords)
    corpus = Corpus([fact])
    texts = {turn.question for talk in islice(corpus.conversations(1), 200) for turn in talk.turns}
    assert texts
    assert normalised(held_out()[0].text) not in {normalised(text) for text in texts}


def test_the_same_seed_gives_the_same_corpus() -> None:
    first, second = (list(islice(Corpus().conversations(7), 50)) for _ in range(2))
    assert first == second
    assert first != list(islice(Corpus().conversations(8), 50))


def test_no_question_of_two_facts_is_the_same_keyword() -> None:
    owners: dict[str, set[str]] = {}
    for fact in load_facts():
        for keywords in fact.keywords:
            owners.setdefault(normalised(keywords), set()).add(fact.id)
    assert {text: ids for text, ids in owners.items() if len(ids) > 1} == {}


def test_answers_are_whole_sentences() -> None:
    for fact in load_facts():
        assert fact.answer[0].isupper(), fact.id
        assert fact.answer[-1] in ".!", fact.id
        assert fact.answer.isascii(), fact.id


def test_the_pattern_of_a_template_matches_all_that_it_makes() -> None:
    slots = load_slots()
    random = Random(3)
    for fact in load_facts():
        for template in fact.templates:
            made = grammar.expand_once(template, slots, random)
            assert grammar.pattern(template, slots).fullmatch(normalised(made)), (template, made)


def test_the_pattern_of_a_template_matches_nothing_else() -> None:
    pattern = grammar.pattern("<how> {load|unload} {a model|it} {|now}", {"how": ("how to",)})
    assert pattern.fullmatch("how to unload it now")
    assert not pattern.fullmatch("how to load")
    assert not pattern.fullmatch("how to load it later")


@pytest.mark.parametrize("template", ["{a|b", "a|b", "a}", "<nobody> asks"])
def test_a_malformed_template_is_refused(template: str) -> None:
    with pytest.raises(grammar.TemplateError):
        grammar.check(template, load_slots())
