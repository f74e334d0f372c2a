"""Who gets a network for what he runs: declared, granted by name, granted by address, asked for, on record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server import ClientContext, Module, Permission, PermissionType
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.testing import client_for
from mcp_server.tools.modules.execution_module import ExecutionModule
from tests.support.loopback_server import LoopbackServer, ok
from tests.support.sandboxes import sandbox_table

CODE = """
import sys, urllib.error, urllib.request
for url in sys.stdin.read().split():
    try:
        print(urllib.request.urlopen(url, timeout=20).read().decode())
    except urllib.error.HTTPError as error:
        print(error.code)
"""
# A command is a line.
LINE = "import sys, urllib.request as u; [print(u.urlopen(url).read().decode()) for url in sys.stdin.read().split()]"
PROGRAMS = {"python": {"path": "/usr/bin/python3", "arguments": ["-c {script:text}"]}}
RUN = ["CODE_EXECUTION python", "SYSTEM_COMMAND *"]
THERE = "http://127.0.0.1:PORT/"


class Answered:
    """What a call came to."""

    def __init__(self, text: str, needs: list[list[str]], questions: list[Mapping[str, Any]], requests: int) -> None:
        self.text = text
        self.needs = needs
        self.questions = questions
        self.requests = requests


def run(
    folder: Path,
    network: list[str] | None,
    *,
    urls: str = THERE,
    allow: tuple[str, ...] = (),
    module: Module | None = None,
    tool: str = "run_python",
    agrees: bool = True,
    **rules: list[str],
) -> Answered:
    """Call a tool; `PORT` stands for the server's port throughout."""
    questions: list[Mapping[str, Any]] = []

    async def answer(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        questions.append(params)
        return {"action": "accept", "content": {"allow": agrees}}

    async def use() -> Answered:
        async with LoopbackServer(ok(b"the page")) as server:
            port = str(server.port)
            policy: dict[str, Any] = {
                name: [rule.replace("PORT", port) for rule in each] for name, each in rules.items()
            }
            async with client_for(
                module or ExecutionModule(),
                allow=[rule.replace("PORT", port) for rule in (*RUN, *allow)],
                sandbox=sandbox_table(folder.parent),
                programs=PROGRAMS,
                answer=answer,
                **policy,
            ) as client:
                arguments: dict[str, Any] = {"stdin": urls.replace("PORT", port)}
                arguments |= {"code": CODE} if tool != "run_command" else {"program": "python", "args": ["-c", LINE]}
                if network is not None:
                    arguments["network"] = [each.replace("PORT", port) for each in network]
                try:
                    result = await client.result(tool, **arguments)
                    text = result["content"][0]["text"]
                except ProtocolError as error:
                    text = error.message
                needs = [need for record in client.audit for need in record.fields.get("need", ())]
            needs = [[part.replace(port, "PORT") for part in need] for need in needs]
            return Answered(text.replace(port, "PORT"), needs, questions, len(server.requests))

    return asyncio.run(use())


@pytest.mark.parametrize("tool", ["run_python", "run_command"])
def test_what_is_named_and_granted_is_had_and_on_record(folder: Path, tool: str) -> None:
    answered = run(folder, ["127.0.0.1:PORT"], allow=("NETWORK_CONNECT 127.0.0.1:PORT",), tool=tool)
    assert answered.text.startswith("the page")
    assert ["NETWORK_CONNECT", "127.0.0.1:PORT", "local.allow[2]"] in answered.needs
    assert ["NETWORK_CONNECT", "127.0.0.1:PORT", "proxy 200"] in answered.needs


@pytest.mark.parametrize("tool", ["run_python", "run_command"])
def test_what_is_granted_and_not_named_is_not_had(folder: Path, tool: str) -> None:
    nothing: tuple[list[str] | None, ...] = (None, [])
    for network in nothing:
        answered = run(folder, network, allow=("NETWORK_CONNECT 127.0.0.1:PORT",), tool=tool)
        assert "Operation not permitted" in answered.text
        assert answered.requests == 0


def test_what_is_named_and_not_granted_runs_nothing(folder: Path) -> None:
    for allow in ((), ("NETWORK_CONNECT 127.0.0.1:1",), ("NETWORK_CONNECT *",), ("NETWORK_CONNECT localhost:PORT",)):
        answered = run(folder, ["127.0.0.1:PORT"], allow=allow)
        assert "missing permission: NETWORK_CONNECT '127.0.0.1:PORT'" in answered.text
        assert answered.requests == 0


def test_all_of_them_must_be_granted(folder: Path) -> None:
    answered = run(folder, ["127.0.0.1:PORT", "evil.example:443"], allow=("NETWORK_CONNECT 127.0.0.1:PORT",))
    assert "missing permission: NETWORK_CONNECT 'evil.example:443'" in answered.text
    assert answered.requests == 0


def test_a_denial_is_stronger(folder: Path) -> None:
    allow = ("NETWORK_CONNECT 127.0.0.0/8:*",)
    assert run(folder, ["127.0.0.1:PORT"], allow=allow).text.startswith("the page")
    denied = run(folder, ["127.0.0.1:PORT"], allow=allow, deny=["NETWORK_CONNECT 127.0.0.1:PORT"])
    assert "missing permission" in denied.text
    assert denied.requests == 0


def test_the_rest_of_what_is_granted_is_not_had_by_the_way(folder: Path) -> None:
    urls = f"{THERE} http://localhost:PORT/ http://evil.example/ http://evil.example/again"
    answered = run(folder, ["127.0.0.1:PORT"], urls=urls, allow=("NETWORK_CONNECT 127.0.0.1:PORT", "NETWORK_CONNECT *"))
    assert answered.text.startswith("the page\n403\n403\n403\n")
    assert answered.requests == 1
    # Each refusal is on record once.
    assert answered.needs.count(["NETWORK_CONNECT", "evil.example:80", "proxy 403"]) == 1
    assert ["NETWORK_CONNECT", "localhost:PORT", "proxy 403"] in answered.needs


def test_a_name_does_not_grant_the_address_behind_it(folder: Path) -> None:
    urls, named = "http://localhost:PORT/", "NETWORK_CONNECT localhost:PORT"
    answered = run(folder, ["localhost:PORT"], urls=urls, allow=(named,))
    assert answered.text.startswith("403")
    assert answered.requests == 0
    # The operator can see which address it was.
    assert any(need[1].endswith(("127.0.0.1:PORT", "[::1]:PORT")) and need[2] == "none" for need in answered.needs)
    granted = (named, "NETWORK_CONNECT 127.0.0.1:PORT", "NETWORK_CONNECT [::1]:PORT")
    assert run(folder, ["localhost:PORT"], urls=urls, allow=granted).text.startswith("the page")


def test_a_human_is_asked_where_the_policy_says_so(folder: Path) -> None:
    ask = ["NETWORK_CONNECT 127.0.0.1:PORT"]
    answered = run(folder, ["127.0.0.1:PORT"], ask=ask)
    assert answered.text.startswith("the page")
    assert len(answered.questions) == 1
    refused = run(folder, ["127.0.0.1:PORT"], ask=ask, agrees=False)
    assert refused.requests == 0
    assert len(refused.questions) == 1
    assert not run(folder, None, ask=ask).questions


@pytest.mark.parametrize("text", ["127.0.0.1", "", "no host:80", "0x7f.1:80", "127.0.0.1:99999"])
def test_what_is_no_host_and_port_runs_nothing(folder: Path, text: str) -> None:
    answered = run(folder, [text], allow=("NETWORK_CONNECT *",))
    assert "names no host and port" in answered.text
    assert answered.needs[-1][2] == "name"


def test_there_are_not_too_many(folder: Path) -> None:
    answered = run(folder, [f"127.0.0.1:{port}" for port in range(1, 18)], allow=("NETWORK_CONNECT 127.0.0.1:*",))
    assert "17" in answered.text or "16" in answered.text
    assert answered.requests == 0


def test_a_run_that_knocks_everywhere_fills_no_audit(folder: Path) -> None:
    urls = " ".join(f"http://{number}.evil.example/" for number in range(200))
    answered = run(folder, ["127.0.0.1:PORT"], urls=urls, allow=("NETWORK_CONNECT 127.0.0.1:PORT",))
    told = [need for need in answered.needs if need[2].startswith("proxy")]
    assert len(told) == 17
    assert told[-1] == ["NETWORK_CONNECT", "and more", "proxy 403"]


def wrapping(*permissions: Permission) -> Module:
    """Return a module whose tool runs a program with a network that its own arguments do not name."""
    module = Module("wrapping", isolation="inline")

    async def wrap(client: ClientContext, arguments: dict[str, Any]) -> str:
        result = await client.code.run_python(
            arguments["code"], stdin=arguments["stdin"], network=arguments.get("network", ())
        )
        return result.stdout.text()

    module.register_tool(
        name="wrap",
        description="Wrap.",
        input_schema={
            "type": "object",
            "properties": {"code": {"type": "string"}, "stdin": {"type": "string"}, "network": {"type": "array"}},
        },
        handler=wrap,
        permissions=[Permission(PermissionType.CODE_EXECUTION, "python"), *permissions],
        plain=["code", "network"],
    )
    return module


def test_a_tool_of_ones_own_declares_what_it_reaches(folder: Path) -> None:
    allow = ("NETWORK_CONNECT 127.0.0.1:PORT",)
    for permissions in ((), (Permission(PermissionType.NETWORK_CONNECT, "api.example.org:443"),)):
        module = wrapping(*permissions)
        answered = run(folder, ["127.0.0.1:PORT"], allow=(*allow, "NETWORK_CONNECT *"), module=module, tool="wrap")
        assert "not declared to use NETWORK_CONNECT '127.0.0.1:PORT'" in answered.text
        assert answered.requests == 0
    module = wrapping(Permission(PermissionType.NETWORK_CONNECT, "127.0.0.1:*"))
    # Twice the same, and in another spelling, is one.
    network = ["127.0.0.1:PORT", "http://127.0.0.1:PORT/", "[::ffff:127.0.0.1]:PORT"]
    answered = run(folder, network, allow=allow, module=module, tool="wrap")
    assert answered.text.startswith("the page")
