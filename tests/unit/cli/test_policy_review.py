from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli.local_session import with_client
from mcp_server.client.memory_client import MemoryClient
from mcp_server.core.mcp_server import MCPServer
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.tools.modules.filesystem_module import FilesystemModule

CALLS = [
    ("read_text_file", {"path": "plan.md"}),
    ("list_directory", {"path": "."}),
    ("read_text_file", {"path": "secret.md"}),
    ("read_text_file", {"path": "photo.jpg"}),
]


def play(policy: Path, state: Path) -> list[bool]:
    """Make the calls under a policy, and return which of them went well."""
    server = MCPServer("desk", policy=policy, state=state)
    server.register_module(FilesystemModule())

    async def calls(client: MemoryClient) -> list[bool]:
        return [
            not (await client.request("tools/call", {"name": name, "arguments": arguments})).get("isError")
            for name, arguments in CALLS
        ]

    return with_client(server, calls)


@pytest.fixture
def log(desk: Path) -> Path:
    """An audit log of calls that were allowed, and of calls that were refused."""
    assert play(desk / "desk.toml", desk / "state") == [True, True, False, False]
    return desk / "state" / "audit" / "local"


def test_a_policy_that_widens_is_1_and_named(run: Any, desk: Path) -> None:
    wider = desk / "wider.toml"
    wider.write_text((desk / "desk.toml").read_text().replace("**/*.md", "**"))
    wider.chmod(0o600)
    assert run("policy", "diff", desk / "desk.toml", desk / "desk.toml").code == 0
    done = run("policy", "diff", desk / "desk.toml", wider)
    assert done.code == 1
    assert "local.allow[0]" in done.out
    assert "widening: 1, narrowing: 0" in done.out
    machine = run("policy", "diff", desk / "desk.toml", wider, "--json")
    assert (machine.code, machine.data[0]["change"], machine.data[0]["line"]) == (1, "widens", 4)
    back = run("policy", "diff", wider, desk / "desk.toml")
    assert (back.code, "widening: 0, narrowing: 1" in back.out) == (0, True)


def test_a_policy_that_cannot_be_loaded_is_compared_with_none(run: Any, desk: Path) -> None:
    (desk / "bad.toml").write_text("version = 2\n")
    (desk / "bad.toml").chmod(0o600)
    assert run("policy", "diff", desk / "desk.toml", desk / "bad.toml").code == 2


def test_expectations_that_hold_are_0_and_one_that_does_not_is_1_with_its_line(run: Any, desk: Path) -> None:
    file = desk / "desk.test.toml"
    one = '[[expect]]\nclient = "local"\ntype = "FILE_READ"\nresource = "{}"\neffect = "{}"\n'
    good = 'policy = "desk.toml"\n' + one.format("plan.md", "allow") + one.format("secret.md", "deny")
    file.write_text(good)
    done = run("policy", "test", file)
    assert (done.code, "2 of 2 decisions are as expected" in done.out) == (0, True)
    file.write_text(good + one.format("photo.jpg", "allow"))
    done = run("policy", "test", file)
    assert done.code == 1
    assert f"{file}:12: local: FILE_READ" in done.out
    machine = run("policy", "test", file, "--json")
    assert (machine.data["ok"], [each["line"] for each in machine.data["mismatches"]]) == (False, [12])
    other = desk / "other.toml"
    other.write_text((desk / "desk.toml").read_text().replace("**/*.md", "**"))
    other.chmod(0o600)
    assert run("policy", "test", file, "--policy", other).code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [("x", "is no TOML"), ('[[expect]]\nclient="a"\ntype="ADMIN"\nresource="a"\neffect="deny"\n', "names no policy")],
)
def test_a_file_of_expectations_that_is_none_is_2(run: Any, desk: Path, text: str, message: str) -> None:
    (desk / "t.toml").write_text(text)
    done = run("policy", "test", desk / "t.toml")
    assert done.code == 2
    assert message in done.err
    assert run("policy", "test", desk / "nowhere.toml").code == 2


def test_what_a_log_teaches_replays_it_and_no_more(run: Any, desk: Path, log: Path) -> None:
    done = run("policy", "learn", log)
    assert done.code == 0
    learned = desk / "learned.toml"
    learned.write_text(done.out)
    learned.chmod(0o600)
    assert play(learned, desk / "second") == [True, True, False, False]
    # It was never read, and is not granted, though the policy under which the log was recorded grants it.
    (desk / "Desk" / "other.md").write_text("x")
    explain = ("policy", "explain", "FILE_READ", str((desk / "Desk").resolve() / "other.md"), "--state", desk / "state")
    assert run(*explain, "--policy", desk / "desk.toml").code == 0
    assert run(*explain, "--policy", learned).code == 1
    assert run("policy", "diff", desk / "desk.toml", learned).code == 0


def test_what_a_log_teaches_is_told_with_what_is_left_out(run: Any, desk: Path, log: Path) -> None:
    policy = desk / "desk.toml"
    policy.write_text(policy.read_text().replace("plan", "x").replace('deny = ["', 'deny = ["FILE_READ plan.md", "'))
    play(policy, desk / "state")
    done = run("policy", "learn", log, "--policy", policy)
    assert done.code == 1
    assert "# left out: local: FILE_READ" in done.out
    assert "plan.md" not in done.out.split("#")[0]
    machine = run("policy", "learn", log, "--policy", policy, "--json")
    assert len(machine.data["left_out"]) == 1
    assert PolicyLoader().parse(machine.data["policy"]).clients["local"].folders == (str((desk / "Desk").resolve()),)


def test_rules_that_decided_nothing_are_listed(run: Any, desk: Path, log: Path) -> None:
    done = run("policy", "unused", log, "--policy", desk / "desk.toml")
    assert done.code == 1
    assert "local.ask[0]" in done.out
    assert "rules that decided nothing that the log tells of: 1" in done.out
    policy = desk / "desk.toml"
    policy.write_text(policy.read_text().replace('ask = ["FILE_WRITE drafts/**"]\n', ""))
    assert run("policy", "unused", log, "--policy", policy).code == 0
    assert run("policy", "unused", log, "--policy", policy, "--json").data == []


@pytest.mark.parametrize("words", [("learn",), ("learn", "--by-directory", "1"), ("unused", "--policy", "x")])
def test_what_is_no_log_is_2(run: Any, desk: Path, words: tuple[str, ...]) -> None:
    verb, *options = words
    assert run("policy", verb, desk / "nowhere", *options).code == 2
