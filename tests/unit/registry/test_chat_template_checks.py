from __future__ import annotations

from dataclasses import replace

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.checks import checked_record
from llm_runner_router.registry.records import ModelConfig
from unit.echoes import model


@pytest.mark.parametrize("source", ["{% for %}", "{{ messages", "{% include 'x' %}"])
def test_what_is_no_template_is_refused(source: str) -> None:
    record = replace(model(), config=ModelConfig(chat_template=source))
    with pytest.raises(InvalidRequestError) as caught:
        checked_record(record)
    assert caught.value.field == "config.chat_template"


def test_a_template_is_kept_as_it_is() -> None:
    source = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    record = replace(model(), config=ModelConfig(chat_template=source))
    assert checked_record(record).config.chat_template == source
