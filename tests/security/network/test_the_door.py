"""`client.http` behind the whole chain: declared, granted by name, granted by address, on record, closed at the end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_server import ClientContext, Module, Permission, PermissionType
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.testing.client_for import client_for
from tests.support.loopback_server import LoopbackServer, ok, redirect

CONNECT = PermissionType.NETWORK_CONNECT
ANY = Permission(CONNECT, "*")
BOUND = Permission(CONNECT, "*", argument="url")
SCHEMA = {
    "type": "object",
    "properties": {"url": {"type": "string"}, "path": {"type": "string"}},
    "required": ["url"],
    "additionalProperties": False,
}


def fetcher(*permissions: Permission, kept: list[ClientContext] | None = None) -> Module:
    """Return a module whose tool gets what is at an address, or at another path."""
    module = Module("fetcher")

    async def fetch(client: ClientContext, arguments: dict[str, Any]) -> str:
        if kept is not None:
            kept.append(client)
        reply = await client.http.get(arguments.get("path") or arguments["url"])
        return reply.text()

    module.register_tool(
        name="fetch", description="Fetch.", input_schema=SCHEMA, handler=fetch, permissions=permissions,
        plain=["url", "path"],
    )  # fmt: skip
    return module


def fetch(
    url: str, permission: Permission, *, allow: list[str], path: str = "", **rules: list[str]
) -> tuple[str, list[list[str]]]:
    """Return the text, or the refusal, and the decisions on record; `PORT` stands for the server's port throughout."""

    async def use() -> tuple[str, list[list[str]]]:
        async with LoopbackServer(ok(b"the page")) as server:
            port = str(server.port)
            policy = {name: [rule.replace("PORT", port) for rule in each] for name, each in rules.items()}
            granted = [rule.replace("PORT", port) for rule in allow]
            async with client_for(fetcher(permission), allow=granted, **policy) as client:
                arguments = {"url": url.replace("PORT", port), "path": path.replace("PORT", port)}
                try:
                    result = await client.result("fetch", **arguments)
                    text = result["content"][0]["text"]
                except ProtocolError as error:
                    text = error.message
                needs = [need for record in client.audit for need in record.fields.get("need", ())]
            return text.replace(port, "PORT"), [[part.replace(port, "PORT") for part in need] for need in needs]

    return asyncio.run(use())


def test_what_is_declared_and_granted_is_had_and_on_record() -> None:
    text, needs = fetch("http://127.0.0.1:PORT/", ANY, allow=["NETWORK_CONNECT 127.0.0.1:PORT"])
    assert text == "the page"
    assert needs == [["NETWORK_CONNECT", "127.0.0.1:PORT", "local.allow[0]"]]


def test_a_name_does_not_grant_the_address_behind_it() -> None:
    url = "http://localhost:PORT/"
    for rules in (["NETWORK_CONNECT localhost:PORT"], ["NETWORK_CONNECT *"], ["NETWORK_CONNECT"]):
        text, needs = fetch(url, ANY, allow=rules)
        assert "for the address behind 'localhost:PORT', which is not public" in text
        assert "127.0.0.1" not in text
        assert "::1" not in text
        # The operator can see which address it was.
        assert needs[-1] in (["NETWORK_CONNECT", f"{each}:PORT", "none"] for each in ("127.0.0.1", "[::1]"))
    granted = ["NETWORK_CONNECT localhost:PORT", "NETWORK_CONNECT 127.0.0.0/8:PORT", "NETWORK_CONNECT [::1]:*"]
    assert fetch(url, ANY, allow=granted)[0] == "the page"


def test_an_address_does_not_grant_the_names_that_lead_to_it() -> None:
    text, _ = fetch("http://localhost:PORT/", ANY, allow=["NETWORK_CONNECT 127.0.0.0/8:*", "NETWORK_CONNECT [::1]:*"])
    assert "missing permission: NETWORK_CONNECT 'localhost:PORT'" in text


def test_a_wildcard_does_not_grant_an_address_that_is_written_out() -> None:
    for written in ("127.0.0.1", "127.0.0.1.", "[::ffff:127.0.0.1]"):
        text, _ = fetch(f"http://{written}:PORT/", ANY, allow=["NETWORK_CONNECT *"])
        assert "missing permission: NETWORK_CONNECT '127.0.0.1:PORT'" in text


def test_a_denied_address_is_refused_whatever_name_leads_to_it() -> None:
    granted = ["NETWORK_CONNECT *", "NETWORK_CONNECT 127.0.0.0/8:*", "NETWORK_CONNECT [::/0]:*"]
    denied = ["NETWORK_CONNECT 127.0.0.1:*", "NETWORK_CONNECT [::1]:*"]
    text, needs = fetch("http://localhost:PORT/", ANY, allow=granted, deny=denied)
    assert "an address that a rule of the policy denies" in text
    assert needs[-1][2].startswith("local.deny[")
    assert fetch("http://localhost:PORT/", ANY, allow=granted)[0] == "the page"


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200"])
def test_the_metadata_of_clouds_cannot_be_granted(host: str) -> None:
    rules = ["NETWORK_CONNECT *", "NETWORK_CONNECT 0.0.0.0/0:*", "NETWORK_CONNECT [::/0]:*"]
    text, needs = fetch(f"http://{host}:PORT/", ANY, allow=rules)
    assert "missing permission" in text
    assert needs[-1][2].startswith("default_deny.shipped[")


def test_what_the_tool_did_not_declare_is_refused() -> None:
    rules = ["NETWORK_CONNECT 127.0.0.1:*"]
    text, needs = fetch("http://127.0.0.1:PORT/", Permission(CONNECT, "127.0.0.1:1"), allow=rules)
    assert "not declared to use NETWORK_CONNECT '127.0.0.1:PORT'" in text
    assert needs[-1][2] == "undeclared"
    assert fetch("http://127.0.0.1:PORT/", Permission(CONNECT, "127.0.0.1:*"), allow=rules)[0] == "the page"


def test_a_tool_that_declares_nothing_opens_no_door() -> None:
    async def use() -> str:
        async with client_for(fetcher(), allow=["NETWORK_CONNECT 127.0.0.1:*"]) as client:
            return (await client.denied("fetch", url="http://127.0.0.1:9/")).message

    assert "not declared" in asyncio.run(use())


def test_a_bound_argument_opens_its_own_host_and_no_other() -> None:
    rules = ["NETWORK_CONNECT 127.0.0.1:*", "NETWORK_CONNECT 127.0.0.2:*"]
    assert fetch("http://127.0.0.1:PORT/a", BOUND, allow=rules)[0] == "the page"
    text, _ = fetch("http://127.0.0.1:PORT/", BOUND, allow=rules, path="http://127.0.0.2:PORT/")
    assert "not declared to use NETWORK_CONNECT '127.0.0.2:PORT'" in text


def test_a_bound_argument_is_decided_before_the_handler_runs() -> None:
    kept: list[ClientContext] = []

    async def use(url: str) -> str:
        async with client_for(fetcher(BOUND, kept=kept), allow=["NETWORK_CONNECT api.example:443"]) as client:
            return (await client.denied("fetch", url=url)).message

    assert "missing permission: NETWORK_CONNECT 'evil.example:443'" in asyncio.run(use("https://EVIL.example/"))
    assert "names a user" in asyncio.run(use("https://api.example@evil.example/"))
    assert "is no port" in asyncio.run(use("[::1]443"))
    assert "number that is no address" in asyncio.run(use("http://2130706433/"))
    assert kept == []


def test_a_redirect_needs_its_own_permission() -> None:
    async def use(*allow: str) -> tuple[str, int]:
        async with LoopbackServer(ok(b"inner")) as inner, LoopbackServer(b"") as outer:
            outer._answer = redirect(f"http://127.0.0.1:{inner.port}/")
            ports = {"OUTER": str(outer.port), "INNER": str(inner.port)}
            rules = [f"NETWORK_CONNECT 127.0.0.1:{ports[each]}" for each in allow]
            async with client_for(fetcher(ANY), allow=rules) as client:
                result = await client.result("fetch", url=f"http://127.0.0.1:{outer.port}/")
            return result["content"][0]["text"], len(inner.requests)

    text, count = asyncio.run(use("OUTER"))
    assert "missing permission" in text
    assert count == 0
    assert asyncio.run(use("OUTER", "INNER")) == ("inner", 1)


def test_a_context_that_was_kept_opens_nothing_after_the_call() -> None:
    async def use() -> tuple[str, int]:
        kept: list[ClientContext] = []
        async with LoopbackServer(ok(b"the page")) as server:
            rule = f"NETWORK_CONNECT 127.0.0.1:{server.port}"
            async with client_for(fetcher(ANY, kept=kept), allow=[rule]) as client:
                url = f"http://127.0.0.1:{server.port}/"
                text = await client.call("fetch", url=url)
                with pytest.raises(PermissionDeniedError, match="the call has ended"):
                    await kept[0].http.get(url)
            return text, len(server.requests)

    assert asyncio.run(use()) == ("the page", 1)


def test_an_answer_that_comes_after_the_call_is_not_handed_out() -> None:
    async def use() -> int:
        asked, released = asyncio.Event(), asyncio.Event()

        async def late(request: bytes, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await released.wait()
            writer.write(ok(b"too late"))

        tasks: list[asyncio.Task[Any]] = []
        module = Module("leaver")

        async def leave(client: ClientContext, arguments: dict[str, Any]) -> str:
            tasks.append(asyncio.get_running_loop().create_task(client.http.get(arguments["url"])))
            await asked.wait()
            return "gone"

        module.register_tool(
            name="leave",
            description="Leave.",
            input_schema=SCHEMA,
            handler=leave,
            permissions=[ANY],
            plain=["url", "path"],
        )
        async with LoopbackServer(late) as server:
            async with client_for(module, allow=[f"NETWORK_CONNECT 127.0.0.1:{server.port}"]) as client:
                assert await client.call("leave", url=f"http://127.0.0.1:{server.port}/") == "gone"
                released.set()
                with pytest.raises(PermissionDeniedError, match="the call has ended"):
                    await tasks[0]
            return len(server.requests)

    assert asyncio.run(use()) == 1


def test_a_human_is_asked_for_a_name_and_not_for_the_address_behind_it() -> None:
    questions: list[str] = []

    async def yes(method: str, params: Any) -> dict[str, Any]:
        questions.append(str(params))
        return {"action": "accept", "content": {"allow": True, "agree": True, "decision": "allow"}}

    async def use(host: str) -> str:
        async with LoopbackServer(ok(b"the page")) as server:
            ask = [
                f"NETWORK_CONNECT localhost:{server.port}",
                "NETWORK_CONNECT 127.0.0.0/8:*",
                "NETWORK_CONNECT [::1]:*",
            ]
            async with client_for(fetcher(ANY), ask=ask, answer=yes) as client:
                result = await client.result("fetch", url=f"http://{host}:{server.port}/")
            return str(result["content"][0]["text"])

    text = asyncio.run(use("localhost"))
    assert "not public" in text
    assert len(questions) == 1
    assert "127.0.0.1" not in questions[0]


def test_a_refusal_of_the_world_is_an_error_that_a_handler_can_catch() -> None:
    async def use() -> str:
        module = Module("careful")

        @module.tool(permissions=[ANY])
        async def probe(client: ClientContext) -> str:
            """Try."""
            try:
                await client.http.post("http://127.0.0.1:1/", json={"a": 1}, timeout_seconds=5)
            except MCPServerError as error:
                return str(error)
            return "connected"

        async with client_for(module, allow=["NETWORK_CONNECT 127.0.0.1:1"]) as client:
            return str(await client.call("probe"))

    assert asyncio.run(use()) == "nobody answers at '127.0.0.1:1'"
