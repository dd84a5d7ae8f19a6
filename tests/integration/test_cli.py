"""The commands, as processes, against real services."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
from pathlib import Path

import grpc
import pytest

from integration.processes import Finished, llm_router, service_process
from integration.word_provider import Service, running
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.v1 import router_pb2, router_pb2_grpc

CLI = ("-m", "llm_runner_router.cli")


def assert_clear(done: Finished, code: int, *words: str) -> None:
    """An error in one line, with its words and exit code, without a traceback."""
    assert done.code == code, done
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err


async def test_models_from_adding_to_removing(service: Service, tmp_path: Path) -> None:
    target = ("--target", service.address)
    file = tmp_path / "my model.gguf"
    file.touch()
    added = await llm_router("models", "add", "mine", str(file), "--name", "Mine", *target)
    assert added.code == 0
    assert str(file) in added.out
    listed = await llm_router("models", "list", *target)
    assert "mine" in listed.out
    assert "words" in listed.out
    loaded = await llm_router("models", "load", "mine", *target)
    assert (loaded.code, loaded.out) == (0, "loaded mine\n")
    shown = await llm_router("models", "show", "mine", *target)
    assert re.search(r"architecture\s+words", shown.out)
    assert re.search(r"in memory\s+yes", shown.out)
    unloaded = await llm_router("models", "unload", "mine", *target)
    assert unloaded.out == "unloaded mine\n"
    removed = await llm_router("models", "remove", "mine", *target)
    assert removed.out == "removed mine\n"
    assert_clear(await llm_router("models", "show", "mine", *target), 1, "'mine'")


async def test_an_api_model_keeps_its_reference_and_its_prices(service: Service) -> None:
    environment = {"LLM_ROUTER_TARGET": service.address}
    options = ("--api-key", "env:NO_KEY_HERE", "--input-price", "1", "--output-price", "2.5")
    added = await llm_router(
        *("models", "add", "far", "gpt-x", "--provider", "openai", *options),
        environment=environment,
    )
    assert (added.code, added.out) == (0, "added far: gpt-x\n"), added.err
    shown = await llm_router("models", "show", "far", environment=environment)
    assert re.search(r"provider\s+openai\s", shown.out)
    assert re.search(r"api key\s+env:NO_KEY_HERE\s", shown.out)
    assert re.search(r"prices\s+1 in, 2\.5 out", shown.out)
    unknown = ("models", "add", "x", "y", "--provider", "nobody")
    assert_clear(await llm_router(*unknown, environment=environment), 1, "provider", "'nobody'")


async def test_an_alias_routes_until_it_is_removed(service: Service) -> None:
    environment = {"LLM_ROUTER_TARGET": service.address}
    alias = ("aliases", "set", "chat", "words=2", "--strategy", "weighted")
    done = await llm_router(*alias, environment=environment)
    assert (done.code, done.out) == (0, "set chat: words=2\n"), done.err
    changed = await llm_router(
        *("aliases", "set", "chat", "words=2", "--strategy", "weighted", "--rule", "a=b:words"),
        environment=environment,
    )
    assert changed.out == "set chat: words=2\nreplaced: words=2; by weighted\n", changed.err
    shown = await llm_router("aliases", "show", "chat", environment=environment)
    assert re.search(r"rules\s+a is b: words\n", shown.out)
    listed = await llm_router("aliases", "list", environment=environment)
    assert re.search(r"chat\s+│\s+words=2\s+│\s+weighted", listed.out)
    routed = await llm_router("route", "hello", "--model", "chat", environment=environment)
    assert routed.out.startswith("words, by weighted\n"), routed.err
    assert not service.provider.calls
    assert (await llm_router("aliases", "remove", "chat", environment=environment)).code == 0
    gone = await llm_router("route", "hello", "--model", "chat", environment=environment)
    assert_clear(gone, 1, "'chat'")


async def test_templates_from_setting_to_removing(service: Service, tmp_path: Path) -> None:
    environment = {"LLM_ROUTER_TARGET": service.address}
    file = tmp_path / "ask.json"
    file.write_text(json.dumps({"id": "ask", "format": "Q: {question}", "stopTokens": ["Q:"]}))
    done = await llm_router("templates", "set", str(file), environment=environment)
    assert (done.code, done.out) == (0, "set ask\n"), done.err
    listed = await llm_router("templates", "list", environment=environment)
    assert re.search(r'ask\s+│\s+ask\s+│\s+Q: {question}\s+│\s+"Q:"\s+│\s+all', listed.out)
    file.write_text(json.dumps({"id": "ask", "format": "Q: {question"}))
    assert_clear(
        await llm_router("templates", "set", str(file), environment=environment), 1, "format"
    )
    assert (await llm_router("templates", "remove", "ask", environment=environment)).code == 0
    gone = await llm_router("templates", "remove", "ask", environment=environment)
    assert_clear(gone, 1, "'ask'")


async def test_usage_counts_what_was_asked(service: Service) -> None:
    environment = {"LLM_ROUTER_TARGET": service.address}
    talk = await llm_router("chat", "words", stdin=b"one two\n", environment=environment)
    assert talk.code == 0, talk.err
    used = await llm_router("usage", "--model", "words", environment=environment)
    assert re.search(r"anonymous +words +1 +2 +2 ", used.out), used.out
    nothing = await llm_router("usage", "--caller", "nobody", environment=environment)
    assert "words" not in nothing.out


async def test_chat_goes_on_with_the_conversation(service: Service) -> None:
    lines = b"hello there\n\nsecond turn\n/exit\nnever\n"
    environment = {"LLM_ROUTER_TARGET": service.address}
    done = await llm_router("chat", "words", stdin=lines, environment=environment)
    assert done.code == 0, done.err
    assert done.out == "hello there \nsecond turn \n"
    last = service.provider.calls[-1].request.messages
    assert [message.content for message in last] == ["hello there", "hello there ", "second turn"]


async def test_chat_with_a_model_that_does_not_exist(service: Service) -> None:
    done = await llm_router("chat", "absent", "--target", service.address, stdin=b"hello\n")
    assert_clear(done, 1, "'absent'")


async def test_interrupt_ends_an_answer_and_then_the_conversation(service: Service) -> None:
    service.provider.gate.clear()
    arguments = (*CLI, "chat", "--target", service.address)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"one two\n")
    await service.provider.began.wait()
    process.send_signal(signal.SIGINT)
    assert await process.stdout.readline() == b" [cancelled]\n"
    service.provider.gate.set()
    process.stdin.write(b"three\n")
    assert await process.stdout.readline() == b"three \n"
    ended = asyncio.ensure_future(process.wait())
    while not ended.done():  # the first may still find the answer's end
        process.send_signal(signal.SIGINT)
        await asyncio.wait({ended}, timeout=0.2)
    assert ended.result() in {130, -signal.SIGINT}  # -SIGINT: it met the end of the process


async def test_no_service_is_a_clear_error() -> None:
    async with running() as service:
        address = service.address
    done = await llm_router("models", "list", "--target", address)
    assert_clear(done, 3, address)


async def test_taken_port_is_a_clear_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = await llm_router("serve", "--port", port, "--data", str(tmp_path))
    assert_clear(done, 2, port, "free")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "chat"], ["id=path.gguf"]),
        (["--model", "chat=/no/such.gguf"], ["no such file"]),
        (["--port", "70000"], ["70000"]),
        (["--config", "/no/such.json"], ["/no/such.json"]),
        (["--host", "no.such.host.invalid", "--port", "0"], ["no.such.host.invalid"]),
    ],
)
async def test_wrong_usage_stops_the_start(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    environment = {"COLUMNS": "200", "TERM": "dumb"}
    done = await llm_router("serve", "--data", str(tmp_path), *arguments, environment=environment)
    assert_clear(done, 2, *words)


async def test_wrong_configuration_names_key_value_and_what_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"performance": {"maxConcurrent": 0}}))
    done = await llm_router("serve", "--config", str(file), "--data", str(tmp_path))
    assert_clear(done, 2, "performance.maxConcurrent", "0", "1 to 100")


async def test_service_keeps_its_registry_and_ends_with_zero(tmp_path: Path) -> None:
    file = tmp_path / "a.gguf"
    file.write_bytes(b"not a model")
    arguments = (*CLI, "serve", "--port", "0", "--data", str(tmp_path / "data"))
    async with service_process(*arguments, "--model", f"a={file}") as service:
        async with grpc.aio.insecure_channel(service.address) as channel:
            router = router_pb2_grpc.RouterStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await router.Process(router_pb2.ProcessRequest(prompt="hello"))
            assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert (await router.CheckHealth(router_pb2.CheckHealthRequest())).ready
        service.process.send_signal(signal.SIGTERM)
        assert await service.exit_code() == 0
    async with service_process(*arguments) as service:
        remote = RemoteBackend(service.address)
        kept = await remote.get_model("a")
        await remote.close()
        assert kept.record.source == str(file)
        service.process.send_signal(signal.SIGINT)
        assert await service.exit_code() == 0


async def test_help_is_quick_and_complete() -> None:
    done = await llm_router("--help")
    assert done.code == 0
    found = set(re.findall(r"^│ (\w[\w-]*) ", done.out, re.MULTILINE))
    commands = {"serve", "demo", "pull", "chat", "route", "usage", "quantize"}
    commands |= {"models", "aliases", "templates"}
    commands |= {"migrate", "backups", "rollback", "validate-config"}
    assert found == commands, done.out
    program = "import sys, llm_runner_router.cli; print('grpc' in sys.modules)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out == b"False\n"
