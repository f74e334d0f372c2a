from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli.local_session import with_client
from mcp_server.client.memory_client import MemoryClient
from mcp_server.core.mcp_server import MCPServer
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.record_filter import RecordFilter
from mcp_server.tools.modules.filesystem_module import FilesystemModule


@pytest.mark.parametrize(
    ("call", "code", "needs", "missing"),
    [
        (("read_text_file", "path=plan.md"), 0, [("FILE_READ", "plan.md", "allow", None)], []),
        (("read_text_file", "path=photo.jpg"), 1, [("FILE_READ", "photo.jpg", "deny", "FILE_READ photo.jpg")], ["0"]),
        (("read_text_file", "path=secret.md"), 1, [("FILE_READ", "secret.md", "deny", "")], ["0"]),
        (("read_text_file", "path=.ssh/a.md"), 1, [("FILE_READ", ".ssh/a.md", "deny", "")], ["0"]),
        (
            ("move_file", "source=plan.md", "destination=drafts/plan.md"),
            1,
            [
                ("FILE_WRITE", "plan.md", "deny", "FILE_WRITE plan.md"),
                ("FILE_WRITE", "drafts/plan.md", "ask", None),
            ],
            ["0"],
        ),
        (
            ("move_file", "source=drafts/a.md", "destination=drafts/b.md"),
            1,
            [("FILE_WRITE", "drafts/a.md", "ask", None), ("FILE_WRITE", "drafts/b.md", "ask", None)],
            [],
        ),
        (("list_directory", "path=."), 0, [("DIRECTORY_LIST", ".", "allow", None)], []),
    ],
)
def test_every_need_of_a_call_is_told_with_what_is_missing(
    run: Any,
    server: tuple[str, ...],
    desk: Path,
    call: tuple[str, ...],
    code: int,
    needs: list[tuple[str, str, str, str | None]],
    missing: list[str],
) -> None:
    done = run("policy", "explain", "local", *call, *server, "--json")
    assert done.code == code
    told = done.data["needs"]
    folder = (desk / "Desk").resolve()
    assert [(each["type"], each["resource"], each["effect"], each["smallest_grant"]) for each in told] == [
        (kind, str(folder / name), effect, grant) for kind, name, effect, grant in needs
    ]
    assert done.data["missing"] == [f"{told[int(at)]['type']} {told[int(at)]['resource']}" for at in missing]
    assert all({"default_deny", "ceiling", "client"} == {each["layer"] for each in need["layers"]} for need in told)
    people = run("policy", "explain", "local", *call, *server)
    assert people.code == code
    assert f"the call, before it runs: {done.data['effect']}" in people.out
    for need in told:
        assert f"decision: {need['effect']}" in people.out


def test_the_smallest_grant_passes_and_grants_nothing_else(run: Any, server: tuple[str, ...], desk: Path) -> None:
    explain = ("policy", "explain", "local", "read_text_file")
    grant = run(*explain, "path=a b.txt", *server, "--json").data["needs"][0]["smallest_grant"]
    policy = desk / "desk.toml"
    policy.write_text(policy.read_text().replace('"FILE_READ **/*.md"', f'"FILE_READ **/*.md", "{grant}"'))
    assert run(*explain, "path=a b.txt", *server).code == 0
    assert run(*explain, "path=a c.txt", *server).code == 1
    assert run(*explain, "path=sub/a b.txt", *server).code == 1


@pytest.mark.parametrize("path", ["../desk.toml", "/etc/passwd", "a/../../b", "a\x00b"])
def test_a_text_that_names_nothing_inside_is_missing_for_good(run: Any, server: tuple[str, ...], path: str) -> None:
    done = run("policy", "explain", "local", "read_text_file", f"path={path}", *server, "--json")
    assert done.code == 1
    (need,) = done.data["needs"]
    assert (need["resource"], need["effect"], need["smallest_grant"], need["missing"]) == ("", "deny", "", True)
    assert need["layers"][0]["layer"] == "tool"
    assert need["layers"][0]["reason"]


def test_what_is_needed_while_it_runs_is_told_apart(run: Any, server: tuple[str, ...]) -> None:
    done = run("policy", "explain", "local", "read_multiple_files", 'paths=["plan.md"]', *server, "--json")
    assert (done.code, done.data["needs"]) == (0, [])
    assert done.data["later"] == [{"permission": "FILE_READ **", "possible": True}]
    assert "decided on when it asks" in run("policy", "explain", "local", "read_multiple_files", *server).out


def test_a_tool_that_the_client_does_not_see_is_no(run: Any, server: tuple[str, ...], desk: Path) -> None:
    policy = desk / "desk.toml"
    policy.write_text(policy.read_text() + 'tools = ["list_*"]\n')
    done = run("policy", "explain", "local", "read_text_file", "path=plan.md", *server)
    assert done.code == 1
    assert "does not see this tool" in done.out
    assert run("policy", "explain", "local", "list_directory", "path=.", *server).code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("local", "read_txt", "path=a"), "there is no tool 'read_txt'; there are"),
        (("local", "read_text_file", "a"), "write key=value"),
        (("local", "read_text_file", "path=a", "--client", "eve"), "two clients"),
        (("eve", "read_text_file", "path=a"), "'eve' is no permission type and no client; the policy names local"),
        (("FILE_READ", "a", "b"), "a resource is one word"),
    ],
)
def test_what_cannot_be_explained_is_2_and_says_what_to_do(
    run: Any, server: tuple[str, ...], words: tuple[str, ...], message: str
) -> None:
    done = run("policy", "explain", *words, *server)
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("read_text_file", {"path": "plan.md"}),
        ("read_text_file", {"path": "secret.md"}),
        ("read_text_file", {"path": "photo.jpg"}),
        ("list_directory", {"path": "."}),
        ("move_file", {"source": "plan.md", "destination": "x/plan.md"}),
    ],
)
def test_what_is_explained_is_what_the_audit_says_of_the_call(
    run: Any, server: tuple[str, ...], desk: Path, tool: str, arguments: dict[str, str]
) -> None:
    words = [f"{name}={value}" for name, value in arguments.items()]
    told = run("policy", "explain", "local", tool, *words, *server, "--json").data["needs"]
    running = MCPServer("desk", policy=desk / "desk.toml", state=desk / "state")
    running.register_module(FilesystemModule())

    async def call(client: MemoryClient) -> object:
        return await client.request("tools/call", {"name": tool, "arguments": arguments})

    with_client(running, call)
    (*_, record) = AuditReader(desk / "state" / "audit" / "local").records(RecordFilter(kind="call", tool=tool))
    assert record["need"][: len(told)] == [[each["type"], each["resource"], each["rule"] or "none"] for each in told]
