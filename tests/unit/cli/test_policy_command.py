from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources import sandbox_examiner
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.use_ledger import UseLedger
from tests.support.sandboxes import ACCOUNTS

RUNS = """
version = 1
[client.local]
folders = ["Desk"]
allow = ["CODE_EXECUTION python", "SYSTEM_COMMAND git *", "SYSTEM_COMMAND ls *"]
[sandbox]
{accounts}
[program.git]
preset = "git"
"""


def test_a_good_policy_is_0_with_its_clients_and_digest(run: Any, desk: Path) -> None:
    done = run("policy", "check", desk / "desk.toml")
    assert done.code == 0
    assert "good; clients: local" in done.out
    machine = run("policy", "check", desk / "desk.toml", "--json")
    assert (machine.code, machine.data["ok"], machine.data["clients"]) == (0, True, ["local"])
    assert machine.data["digest"] in done.out


def test_a_mistake_is_1_with_its_line(run: Any, desk: Path) -> None:
    policy = desk / "desk.toml"
    policy.write_text(policy.read_text().replace("FILE_READ secret.md", "FILE_REED secret.md"))
    done = run("policy", "check", policy)
    assert done.code == 1
    assert f"{policy}:6: " in done.err
    machine = run("policy", "check", policy, "--json")
    assert (machine.code, machine.data["ok"], machine.data["line"]) == (1, False, 6)
    assert "FILE_REED" in machine.data["error"]


@pytest.mark.parametrize("mode", [0o666, 0o622])
def test_a_policy_that_others_may_write_is_1(run: Any, desk: Path, mode: int) -> None:
    (desk / "desk.toml").chmod(mode)
    assert run("policy", "check", desk / "desk.toml").code == 1


def test_a_policy_that_is_missing_is_1(run: Any, desk: Path) -> None:
    assert run("policy", "check", desk / "nowhere.toml").code == 1


@pytest.mark.parametrize(
    ("kind", "resource", "code", "effect"),
    [
        ("FILE_READ", "plan.md", 0, "allow"),
        ("FILE_READ", "secret.md", 1, "deny"),
        ("FILE_READ", "photo.jpg", 1, "deny"),
        ("FILE_WRITE", "drafts/a.md", 1, "ask"),
        ("DIRECTORY_LIST", ".", 0, "allow"),
        ("FILE_READ", ".ssh/id.md", 1, "deny"),
        ("CODE_EXECUTION", "anything", 1, "deny"),
    ],
)
def test_explain_says_what_is_decided_and_why(
    run: Any, server: tuple[str, ...], desk: Path, kind: str, resource: str, code: int, effect: str
) -> None:
    done = run("policy", "explain", kind, resource, *server)
    assert done.code == code
    assert f"decision: {effect}" in done.out
    machine = run("policy", "explain", kind, resource, *server, "--json")
    assert machine.code == code
    data = machine.data
    assert (data["client"], data["type"], data["effect"]) == ("local", kind, effect)
    assert {each["layer"] for each in data["layers"]} >= {"client"}
    assert (data["smallest_grant"] is None) == (code == 0)
    # No grant helps against a denial, and what is said to pass does.
    if data["smallest_grant"] and effect == "deny" and not data["rule"]:
        assert data["smallest_grant"] in done.out


def test_explain_takes_absolute_names_and_folders_too(run: Any, desk: Path) -> None:
    done = run(
        *("policy", "explain", "FILE_READ", desk / "Desk" / "plan.md"),
        *("--folder", desk / "Desk", "--state", desk / "state", "--json"),
    )
    assert (done.code, done.data["resource"]) == (0, str(desk / "Desk" / "plan.md"))


@pytest.mark.parametrize("resource", ["../desk.toml", "x/../plan.md", "/etc/passwd"])
def test_explain_does_not_say_yes_to_what_leads_out(run: Any, server: tuple[str, ...], resource: str) -> None:
    assert run("policy", "explain", "FILE_READ", resource, *server).code in (1, 2)


def test_explain_wants_a_known_type_a_known_client_and_a_folder(run: Any, server: tuple[str, ...], desk: Path) -> None:
    assert run("policy", "explain", "FILE_REED", "x", *server).code == 2
    done = run("policy", "explain", "FILE_READ", "x", *server, "--client", "nobody")
    assert done.code == 2
    assert "it names local" in done.err
    done = run("policy", "explain", "FILE_READ", "x", "--state", desk / "state")
    assert done.code == 2
    assert "no folder" in done.err


@pytest.fixture
def running(desk: Path) -> tuple[str, ...]:
    """A server that runs code and git."""
    path = desk / "running.toml"
    accounts = f"accounts = {list(ACCOUNTS)}" if os.getuid() == 0 else ""
    path.write_text(RUNS.format(accounts=accounts))
    path.chmod(0o600)
    return ("--policy", str(path), "--state", str(desk / "state"))


def test_explain_shows_how_code_would_be_run(run: Any, running: tuple[str, ...]) -> None:
    done = run("policy", "explain", "CODE_EXECUTION", "python", *running)
    assert done.code == 0
    for word in ("It would run in tier", "--unshare-all", "Landlock, inside", "no execution", "limit cpu_seconds"):
        assert word in done.out
    plan = run("policy", "explain", "CODE_EXECUTION", "python", *running, "--json").data["run"]
    assert plan["arguments"] == ["python"]
    assert set(plan["environment"]) == {"HOME", "LANG", "PATH", "TMPDIR"}
    assert plan["limits"]["cpu_seconds"] == 20
    assert "execute" not in plan["landlock"]["/usr"]


def test_explain_shows_the_very_command_of_a_program(run: Any, running: tuple[str, ...]) -> None:
    plan = run("policy", "explain", "SYSTEM_COMMAND", "git status --short", *running, "--json").data["run"]
    assert plan["arguments"][0] == "/usr/bin/git"
    # With what the preset adds.
    assert len(plan["arguments"]) > 3
    assert ["--ro-bind-fd", "{workspace}", "/workspace"] in plan["sandbox"]
    assert "execute" in plan["landlock"]["/usr"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("ls -l", "no program 'ls' in the operator's list"),
        ("git push", "none of the forms"),
        ("git 'status", "No closing quotation"),
        ("", "no program ''"),
    ],
)
def test_explain_says_why_something_would_not_run(run: Any, running: tuple[str, ...], command: str, why: str) -> None:
    assert why in run("policy", "explain", "SYSTEM_COMMAND", command, *running, "--json").data["run"]


def test_explain_says_what_the_machine_lacks(
    run: Any, running: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bubblewrap, "problem", lambda self: "bubblewrap is not installed")
    monkeypatch.setattr(sandbox_examiner, "LSM_ABI", 10**6)
    told = run("policy", "explain", "CODE_EXECUTION", "python", *running)
    assert "it would not run" in told.out
    assert "bubblewrap is not installed" in " ".join(told.out.split())


@pytest.mark.parametrize("key", ["", "separate_process = true\n"])
def test_explain_says_where_files_are_opened(
    run: Any, server: tuple[str, ...], desk: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_server.resources.broker.broker_factory.BrokerFactory.problem", lambda: None)
    with open(desk / "desk.toml", "a", encoding="utf-8") as policy:
        policy.write(key)
    done = run("policy", "explain", "FILE_READ", "plan.md", *server)
    assert ("(separate_process)" in done.out) == bool(key)
    assert run("policy", "explain", "FILE_READ", "plan.md", *server, "--json").data["separate_process"] is bool(key)


def test_a_policy_that_the_kernel_cannot_keep_is_1(run: Any, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "this kernel has no Landlock"
    monkeypatch.setattr("mcp_server.resources.broker.broker_factory.BrokerFactory.problem", lambda: problem)
    with open(desk / "desk.toml", "a", encoding="utf-8") as policy:
        policy.write("separate_process = true\n")
    done = run("policy", "check", desk / "desk.toml")
    assert done.code == 1
    assert "desk.toml:7: 'separate_process' in [client.local]: this kernel has no Landlock; leave it out" in done.err


def test_a_grant_that_has_ended_is_1_with_its_line(run: Any, desk: Path) -> None:
    policy = desk / "desk.toml"
    grant = '[[client.local.grant]]\nallow = "FILE_READ b.txt"\nexpires = {}-01-01T00:00:00Z\n'
    policy.write_text(policy.read_text() + grant.format(9999))
    assert run("policy", "check", policy).code == 0
    policy.write_text(policy.read_text().replace("9999", "2020"))
    done = run("policy", "check", policy)
    assert done.code == 1
    assert f"{policy}:8: 'FILE_READ b.txt' expired at 2020-01-01T00:00:00Z" in done.err


def test_explain_counts_what_was_used(run: Any, server: tuple[str, ...], desk: Path) -> None:
    policy = desk / "desk.toml"
    policy.write_text(policy.read_text() + '[[client.local.grant]]\nallow = "FILE_READ b.txt"\nmax_uses = 1\n')
    done = run("policy", "explain", "FILE_READ", "b.txt", *server, "--json")
    assert (done.code, done.data["rule"]) == (0, "local.grant[0]")
    limits = PolicyLoader().load(policy).clients["local"].grants[0].limits
    assert UseLedger(directory=desk / "state" / "uses").spend([limits])
    done = run("policy", "explain", "FILE_READ", "b.txt", *server, "--json")
    assert done.code == 1
    assert "its uses (1) are used up" in done.data["layers"][-1]["reason"]
