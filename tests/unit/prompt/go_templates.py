"""Go templates in the shapes of well-known families, and what each makes of four conversations."""

from __future__ import annotations

from typing import Any, NamedTuple

from llm_runner_router.prompt import ChatTemplate
from llm_runner_router.prompt.go_template import jinja_of


def conversation(*texts: str) -> list[dict[str, str]]:
    """Messages from ``role: content``."""
    return [dict(zip(("role", "content"), text.split(": ", 1), strict=True)) for text in texts]


ONE = conversation("user: Hi")
SYSTEM = conversation("system: Be brief.", "user: Hi")
TURNS = conversation("user: Hi", "assistant: Hello.", "user: Bye")
MIDDLE = conversation("user: Hi", "assistant: Hello.", "system: Be brief.", "user: Bye")
CONVERSATIONS = (ONE, SYSTEM, TURNS, MIDDLE)


class Family(NamedTuple):
    """A template and what it makes of CONVERSATIONS."""

    source: str
    expected: tuple[str, str, str, str]


PLAIN = Family("{{ .Prompt }}", ("Hi", "Hi", "HiHello.Bye", "HiHello.Bye"))

CHATML = Family(
    """\
{{ if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}{{ if .Prompt }}<|im_start|>user
{{ .Prompt }}<|im_end|>
{{ end }}<|im_start|>assistant
{{ .Response }}<|im_end|>
""",
    (
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        (
            "<|im_start|>system\nBe brief.<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
        ),
        (
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
        ),
        (
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
            "<|im_start|>system\nBe brief.<|im_end|>\n"
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
        ),
    ),
)

LLAMA2 = Family(
    "[INST] {{ with .System }}<<SYS>>{{ . }}<</SYS>>\n\n{{ end }}{{ .Prompt }} [/INST] ",
    (
        "[INST] Hi [/INST] ",
        "[INST] <<SYS>>Be brief.<</SYS>>\n\nHi [/INST] ",
        "[INST] Hi [/INST] Hello.[INST] Bye [/INST] ",
        "[INST] Hi [/INST] Hello.[INST] <<SYS>>Be brief.<</SYS>>\n\nBye [/INST] ",
    ),
)

LLAMA3 = Family(
    """\
{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>

{{ .Content }}<|eot_id|>
{{- end }}<|start_header_id|>assistant<|end_header_id|>

""",
    (
        (
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n"
        ),
        (
            "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n"
        ),
        (
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n"
        ),
        (
            "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>"
            "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n"
        ),
    ),
)

MISTRAL = Family(
    """\
{{- range $i, $_ := .Messages }}
{{- if eq .Role "user" }}
{{- if and $.Tools (le (len (slice $.Messages $i)) 2) }}[TOOLS] {{ $.Tools }}[/TOOLS]
{{- end }}[INST] {{ if and $.System (eq (len (slice $.Messages $i)) 1) }}{{ $.System }}

{{ end }}{{ .Content }}[/INST]
{{- else if eq .Role "assistant" }}
{{- if .Content }} {{ .Content }}</s>
{{- else if .ToolCalls }}{{ range .ToolCalls }}{{ .Function.Name }}{{ end }}
{{- end }}
{{- else if eq .Role "tool" }}[RESULT] {"content": {{ json .Content }}}[/RESULT]
{{- end }}
{{- end }}""",
    (
        "[INST] Hi[/INST]",
        "[INST] Be brief.\n\nHi[/INST]",
        "[INST] Hi[/INST] Hello.</s>[INST] Bye[/INST]",
        "[INST] Hi[/INST] Hello.</s>[INST] Be brief.\n\nBye[/INST]",
    ),
)

GEMMA = Family(
    """\
{{- $first := "" }}
{{- range .Messages }}
{{- if eq .Role "system" }}
{{- $first = printf "%s%s\\n\\n" $first .Content }}
{{- continue }}
{{- end }}
{{- $who := .Role }}
{{- if eq $who "assistant" }}{{ $who = "model" }}{{ end -}}
<start_of_turn>{{ $who }}
{{ $first }}{{ .Content }}<end_of_turn>
{{ $first = "" }}
{{- end }}<start_of_turn>model
""",
    (
        "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
        "<start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n",
        (
            "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n"
            "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n"
        ),
        (
            "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n"
            "<start_of_turn>user\nBe brief.\n\nBye<end_of_turn>\n<start_of_turn>model\n"
        ),
    ),
)

PHI3 = Family(
    "{{ range .Messages }}<|{{ .Role }}|>\n{{ .Content }}<|end|>\n{{ end }}<|assistant|>\n",
    (
        "<|user|>\nHi<|end|>\n<|assistant|>\n",
        "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\n",
        "<|user|>\nHi<|end|>\n<|assistant|>\nHello.<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n",
        (
            "<|user|>\nHi<|end|>\n<|assistant|>\nHello.<|end|>\n<|system|>\nBe brief.<|end|>\n"
            "<|user|>\nBye<|end|>\n<|assistant|>\n"
        ),
    ),
)

ALPACA = Family(
    """\
{{ if .System }}{{ .System }}

{{ end }}{{ if .Prompt }}### Instruction:
{{ .Prompt }}

{{ end }}### Response:
{{ .Response }}

""",
    (
        "### Instruction:\nHi\n\n### Response:\n",
        "Be brief.\n\n### Instruction:\nHi\n\n### Response:\n",
        "### Instruction:\nHi\n\n### Response:\nHello.\n\n### Instruction:\nBye\n\n### Response:\n",
        (
            "### Instruction:\nHi\n\n### Response:\nHello.\n\n"
            "Be brief.\n\n### Instruction:\nBye\n\n### Response:\n"
        ),
    ),
)

VICUNA = Family(
    "{{ .System }}\nUSER: {{ .Prompt }}\nASSISTANT: {{ .Response }}</s>",
    (
        "\nUSER: Hi\nASSISTANT: ",
        "Be brief.\nUSER: Hi\nASSISTANT: ",
        "\nUSER: Hi\nASSISTANT: Hello.</s>\nUSER: Bye\nASSISTANT: ",
        "\nUSER: Hi\nASSISTANT: Hello.</s>Be brief.\nUSER: Bye\nASSISTANT: ",
    ),
)

ZEPHYR = Family(
    "{{ with .System }}<|system|>\n{{ . }}</s>\n{{ end }}"
    "{{ with $question := .Prompt }}<|user|>\n{{ $question }}</s>\n{{ end }}<|assistant|>\n",
    (
        "<|user|>\nHi</s>\n<|assistant|>\n",
        "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\n",
        "<|user|>\nHi</s>\n<|assistant|>\nHello.<|user|>\nBye</s>\n<|assistant|>\n",
        (
            "<|user|>\nHi</s>\n<|assistant|>\nHello."
            "<|system|>\nBe brief.</s>\n<|user|>\nBye</s>\n<|assistant|>\n"
        ),
    ),
)

COMMAND_R = Family(
    """\
{{- if or .Tools .System }}<|START|><|SYSTEM|>
{{- if .Tools }}# Tools
{{ range .Tools }}def {{ .Function.Name }}(
{{- range $name, $kind := .Function.Parameters.Properties }}{{ $name }}: {{ $kind.Type }}{{ end }})
{{ end }}
{{- else if .System }}{{ .System }}
{{- end }}<|END|>
{{- end }}
{{- range .Messages }}
{{- if eq .Role "system" }}
{{- continue }}
{{- end }}<|START|>
{{- if eq .Role "user" }}<|USER|>{{ .Content }}
{{- else if eq .Role "assistant" }}<|CHATBOT|>{{ .Content }}
{{- end }}<|END|>
{{- end }}<|START|><|CHATBOT|>""",
    (
        "<|START|><|USER|>Hi<|END|><|START|><|CHATBOT|>",
        "<|START|><|SYSTEM|>Be brief.<|END|><|START|><|USER|>Hi<|END|><|START|><|CHATBOT|>",
        (
            "<|START|><|USER|>Hi<|END|><|START|><|CHATBOT|>Hello.<|END|>"
            "<|START|><|USER|>Bye<|END|><|START|><|CHATBOT|>"
        ),
        (
            "<|START|><|SYSTEM|>Be brief.<|END|>"
            "<|START|><|USER|>Hi<|END|><|START|><|CHATBOT|>Hello.<|END|>"
            "<|START|><|USER|>Bye<|END|><|START|><|CHATBOT|>"
        ),
    ),
)

DEEPSEEK = Family(
    """\
{{- if .System }}{{ .System }}{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<|User|>{{ .Content }}
{{- else if eq .Role "assistant" }}<|Assistant|>{{ .Content }}
{{- if not $last }}<|end|>{{ end }}
{{- end }}
{{- if and $last (ne .Role "assistant") }}<|Assistant|>{{ end }}
{{- end }}""",
    (
        "<|User|>Hi<|Assistant|>",
        "Be brief.<|User|>Hi<|Assistant|>",
        "<|User|>Hi<|Assistant|>Hello.<|end|><|User|>Bye<|Assistant|>",
        "Be brief.<|User|>Hi<|Assistant|>Hello.<|end|><|User|>Bye<|Assistant|>",
    ),
)

# With a way for tools and one for requests that are no conversations.
QWEN = Family(
    """\
{{- if .Messages }}
{{- if or .System .Tools }}<|im_start|>system
{{- if .System }}
{{ .System }}
{{- end }}
{{- if .Tools }}

# Tools
{{- range .Tools }}
{"type": "function", "function": {{ .Function }}}
{{- end }}
{{- end }}<|im_end|>
{{ end }}
{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 -}}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ if .Content }}{{ .Content }}
{{- else if .ToolCalls }}<tool_call>
{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
{{ end }}</tool_call>
{{- end }}{{ if not $last }}<|im_end|>
{{ end }}
{{- else if eq .Role "tool" }}<|im_start|>user
<tool_response>
{{ .Content }}
</tool_response><|im_end|>
{{ end }}
{{- if and (ne .Role "assistant") $last }}<|im_start|>assistant
{{ end }}
{{- end }}
{{- else }}
{{- if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}<|im_start|>user
{{ .Prompt }}<|im_end|>
<|im_start|>assistant
{{ end }}{{ .Response }}{{ if .Response }}<|im_end|>{{ end }}""",
    (
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        (
            "<|im_start|>system\nBe brief.<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
        ),
        (
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
        ),
        (
            "<|im_start|>system\nBe brief.<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
        ),
    ),
)

FAMILIES = {
    "plain": PLAIN,
    "chatml": CHATML,
    "llama2": LLAMA2,
    "llama3": LLAMA3,
    "mistral": MISTRAL,
    "gemma": GEMMA,
    "phi3": PHI3,
    "alpaca": ALPACA,
    "vicuna": VICUNA,
    "zephyr": ZEPHYR,
    "command-r": COMMAND_R,
    "deepseek": DEEPSEEK,
    "qwen": QWEN,
}


def render(source: str, messages: Any = ONE, **options: Any) -> str:
    template = ChatTemplate(jinja_of(source), bos_token="<s>", eos_token="</s>")
    return template.render(messages, **options)
