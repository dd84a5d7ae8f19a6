"""Templates that want out, or want everything: each ends in an error, soon and in little memory."""

from __future__ import annotations

import tracemalloc

import pytest

from llm_runner_router.prompt import ChatTemplate, ChatTemplateError

MILLION = "{% set a = 'a' * 1000000 %}"


def growing(step: str, start: str = "'aaaa'", end: str = "") -> str:
    return (
        f"{{% set ns = namespace(x={start}) %}}{{% for i in range(60) %}}{step}{{% endfor %}}{end}"
    )


COSTLY = {
    "range": "{% for i in range(10**9) %}x{% endfor %}",
    "nested loops": "{% for i in range(9999) %}" * 4 + "{% endfor %}" * 4,
    "literal text in a loop": "{% for i in range(9999) %}" + "x" * 60_000 + "{% endfor %}",
    "literal text in a macro": "{% macro f() %}" + "x" * 30_000 + "{% endmacro %}"
    "{% for i in range(9999) %}{% set a = f() %}{% endfor %}",
    "text times": "{{ 'a' * 10**10 }}",
    "times text": "{{ 10**9 * 'a' }}",
    "list times": "{{ [1] * 10**9 }}",
    "power": "{{ 10 ** 10 ** 8 }}",
    "squares": growing("{% set ns.x = ns.x * ns.x %}", "3"),
    "doubling +": growing("{% set ns.x = ns.x + ns.x %}"),
    "doubling ~": growing("{% set ns.x = ns.x ~ ns.x %}"),
    "doubling by a block": growing("{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}"),
    "doubling lists": growing("{% set ns.x = [ns.x, ns.x] %}", "1", "{{ ns.x }}"),
    "doubling tuples": growing("{% set ns.x = (ns.x, ns.x) %}", "1", "{{ ns.x == ns.x }}"),
    "doubling mappings": growing("{% set ns.x = {'a': ns.x, 'b': ns.x} %}", "1"),
    "doubling calls": growing("{% set ns.x = dict(a=ns.x, b=ns.x) %}", "1"),
    "doubling namespaces": growing("{% set ns.x = namespace(a=ns.x, b=ns.x) %}", "1", "{{ ns.x }}"),
    "recursive macro": "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "branching macro": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}"
    "{{ f(40) }}",
    "recursive loop": "{% for m in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "replace": MILLION + "{{ a | replace('a', a) }}",
    "replace method": MILLION + "{{ a.replace('', a) }}",
    "join": MILLION + "{{ a | join(a) }}",
    "join method": MILLION + "{{ a.join(a) }}",
    "strip": MILLION + "{% set b = 'b' * 1000000 + 'a' %}{{ a.strip(b) }}",
    "trim": MILLION + "{% set b = 'b' * 1000000 + 'a' %}{{ a | trim(b) }}",
    "format": "{{ '{:9999999999}'.format(1) }}",
    "format of a value": MILLION + "{{ ('{0}' * 100).format(a) }}",
    "percent": "{{ '%9999999999d' % 1 }}",
    "indent": "{{ 'a' | indent(10**9) }}",
    "center": "{{ 'a' | center(10**9) }}",
    "ljust": "{{ 'a'.ljust(10**9) }}",
    "batch": "{{ [1] | batch(10**9, 0) | list }}",
    "tojson": "{{ [1] | tojson(indent=10**9) }}",
    "tojson separators": MILLION + "{{ [1, 2] | tojson(separators=(a, a)) }}",
    "lipsum": "{{ lipsum(n=99999) }}",
    "strftime": "{{ strftime_now('%9999999999Y') }}",
    "split": "{{ ('a ' * 4000000).split() | length }}",
    "sorting": "{% for i in range(9999) %}"
    "{% set _ = range(9999) | map('string') | sort %}{% endfor %}",
    "uncounted": MILLION + "{% set b = 'a' * 1000000 %}{% for i in range(9999) %}"
    "{% for j in range(9999) %}{% if a[1:] == b[1:] and a[2:] == b[2:] %}{% endif %}{% endfor %}"
    "{% endfor %}",
    "long source": "x" * 70_000,
    "deep source": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "many blocks": "{% if 1 %}" * 200 + "{% endif %}" * 200,
}  # fmt: skip
ESCAPES = {
    "class": "{{ ''.__class__.__mro__ }}",
    "item": "{{ ''['__class__'].mro }}",
    "attribute map": "{{ ([''] | map(attribute='__class__') | list | first).mro }}",
    "globals": "{{ raise_exception.__globals__.x }}",
    "loop": "{% for i in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "macro": "{% macro f() %}{% endmacro %}{{ f._environment.x }}",
    "namespace": "{% set n = namespace(__class__=1) %}",
    "namespace item": "{% set n = namespace() %}{% set n.__class__ = 1 %}",
    "format": "{{ '{0.__class__}'.format(1) }}",
    "format map": "{{ '{x}'.format_map({'x': 1}) }}",
    "include": "{% include 'x' %}",
    "import": "{% import 'x' as x %}",
    "extends": "{% extends 'x' %}",
    "mutation": "{{ messages.append(1) }}",
    "attr": "{{ '' | attr('__class__') }}",
    "encode": "{{ 'a'.encode('idna') }}",
}


def render(source: str) -> str:
    template = ChatTemplate(source, bos_token="", eos_token="")
    return template.render([{"role": "user", "content": "Hi"}])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", COSTLY)
def test_costly_templates_end_in_an_error(name: str) -> None:
    with pytest.raises(ChatTemplateError):
        render(COSTLY[name])


@pytest.mark.parametrize("name", ["text times", "doubling +", "doubling ~", "replace", "join"])
def test_costly_templates_are_stopped_before_they_fill_the_memory(name: str) -> None:
    template = ChatTemplate(COSTLY[name], bos_token="", eos_token="")
    tracemalloc.start()
    try:
        with pytest.raises(ChatTemplateError):
            template.render([{"role": "user", "content": "Hi"}])
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ESCAPES)
def test_there_is_no_way_out(name: str) -> None:
    with pytest.raises(ChatTemplateError):
        render(ESCAPES[name])


@pytest.mark.parametrize(
    "source", ["{% if %}", "{{ a b }}", "{{ 1 / 0 }}", "{{ x.y.z }}", "{{ 'a' + 1 }}"]
)
def test_broken_templates_are_chat_template_errors(source: str) -> None:
    with pytest.raises(ChatTemplateError, match="the chat template fails"):
        render(source)
