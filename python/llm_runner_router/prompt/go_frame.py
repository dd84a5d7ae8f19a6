"""The Jinja around a translated Go template: what Ollama does before and between renderings."""

from __future__ import annotations

# v.runs: where each run of messages of one role begins, as text.
_MESSAGES = r"""
{%- set v = namespace(role='', prompt='', response='') -%}
{%- set starts -%}
{%- for message in messages -%}
{%- if message.role != v.role or message.role == 'tool' -%}{{- loop.index0 ~ ' ' -}}{%- endif -%}
{%- set v.role = message.role -%}
{%- endfor -%}
{%- endset -%}
{%- set v.runs = starts.split() -%}
{%- set v.count = v.runs|length -%}
{%- macro content(start) -%}
{%- set first = messages[start|int] -%}
{{- first.content -}}
{%- for message in messages[start|int + 1:] -%}
{%- if message.role != first.role or message.role == 'tool' -%}{%- break -%}{%- endif -%}
{{- '\n\n' ~ message.content -}}
{%- endfor -%}
{%- endmacro -%}
"""
_SYSTEM = r"""
{%- set system = messages|selectattr('role', 'equalto', 'system')|map(attribute='content') -%}
{%- set v.system = system|join('\n\n') -%}
"""
_TURNS = """
{{%- macro turn() -%}}
{turn}
{{%- endmacro -%}}
{{%- set v.system = '' -%}}
{{%- for start in v.runs -%}}
{{%- set role = messages[start|int].role -%}}
{{%- if v.response and role in ['system', 'user'] or v.prompt and role == 'system' -%}}
{{{{- turn() -}}}}
{{%- set v.system = '' -%}}{{%- set v.prompt = '' -%}}{{%- set v.response = '' -%}}
{{%- endif -%}}
{{%- if role == 'system' -%}}{{%- set v.system = content(start) -%}}
{{%- elif role == 'user' -%}}{{%- set v.prompt = content(start) -%}}
{{%- elif role == 'assistant' -%}}{{%- set v.response = content(start) -%}}
{{%- endif -%}}
{{%- endfor -%}}
{{%- if add_generation_prompt -%}}
{last_turn}
{{%- else -%}}
{{{{- turn() -}}}}
{{%- endif -%}}
"""
_MACROS = {
    "at(": """
{%- macro at(items, place) -%}
{%- if place < 0 or items[place] is undefined -%}
{{- raise_exception('it asks for a message that is not there') -}}
{%- endif -%}
{{- items[place] -}}
{%- endmacro -%}
""",
    "printed(": """
{%- macro printed(value) -%}
{%- if value is boolean -%}{{- 'true' if value else 'false' -}}
{%- elif value is none -%}{{- '<no value>' -}}
{%- elif value is float -%}{{- (value|string).removesuffix('.0') -}}
{%- else -%}{{- value -}}
{%- endif -%}
{%- endmacro -%}
""",
    "yesterday(": """
{%- macro yesterday() -%}
{%- set year = strftime_now('%Y')|int -%}
{%- set month = strftime_now('%m')|int -%}
{%- set day = strftime_now('%d')|int -%}
{%- set leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) -%}
{%- set lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] -%}
{%- if day > 1 -%}{{- year ~ '-' ~ ('0' ~ month)[-2:] ~ '-' ~ ('0' ~ (day - 1))[-2:] -}}
{%- elif month > 1 -%}{{- year ~ '-' ~ ('0' ~ (month - 1))[-2:] ~ '-' ~ lengths[month - 2] -}}
{%- else -%}{{- (year - 1) ~ '-12-31' -}}
{%- endif -%}
{%- endmacro -%}
""",
}


def conversation_frame(body: str) -> str:
    """The whole of a template that goes through the messages itself."""
    return _with_macros(_SYSTEM + body)


def turns_frame(turn: str, last_turn: str) -> str:
    """The whole of a template that is rendered once for each turn.

    Args:
        turn: the statements for a turn that is complete.
        last_turn: those for the turn whose answer is to come.
    """
    return _with_macros(_TURNS.format(turn=turn, last_turn=last_turn))


def _with_macros(written: str) -> str:
    macros = [macro for call, macro in _MACROS.items() if call in written]
    return "".join([_MESSAGES, *macros, written])
