from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.security.audit.audit_reader import AuditReader


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seen: list[float] = []
    monkeypatch.setattr("mcp_server.cli.keys_command.time.sleep", seen.append)
    return seen


def test_keys_are_made_replaced_and_listed(run: Any, tmp_path: Path, waits: list[float]) -> None:
    state = ("--state", tmp_path)
    first = run("keys", "generate", "home", *state, "--json")
    assert (first.code, first.data["what"]) == (0, "made")
    second = run("keys", "rotate", "home", *state, "--json")
    assert second.data["what"] == "rotated"
    assert waits == [2.0]
    listed = run("keys", "list", "home", *state, "--json").data
    assert [each["key"] for each in listed] == [first.data["key"], second.data["key"]]
    assert [each["replaced"] is None for each in listed] == [False, True]
    third = run("keys", "rotate", "home", "--compromised", *state)
    assert "from now on" in third.out
    assert len(run("keys", "list", "home", *state, "--json").data) == 1
    assert "EdDSA" in run("keys", "list", "home", *state).out


def test_each_is_on_record_before_it_is_done(run: Any, tmp_path: Path) -> None:
    run("keys", "generate", "home", "--state", tmp_path)
    run("keys", "rotate", "home", "--compromised", "--state", tmp_path)
    records = [each for each in AuditReader(tmp_path / "audit" / "_admin").tail(20) if each["kind"] == "key.next"]
    assert [(each["issuer"], each["reason"]) for each in records] == [("home", "first"), ("home", "compromised")]


def test_no_command_prints_a_private_key(run: Any, tmp_path: Path) -> None:
    outputs = [run("keys", verb, "home", "--state", tmp_path) for verb in ("generate", "list", "rotate", "list")]
    import json

    secret = json.loads((tmp_path / ".mcp-server-keys" / "home" / "signing.json").read_text())["d"]
    assert all(secret not in done.out + done.err for done in outputs)


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "a b"])
def test_a_name_that_is_a_path_is_wrong_use(run: Any, tmp_path: Path, name: str) -> None:
    done = run("keys", "generate", name, "--state", tmp_path)
    assert (done.code, "no issuer's name" in done.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_done_says_what_to_do(run: Any, tmp_path: Path) -> None:
    for verb in ("rotate", "list"):
        assert "mcp-server keys generate home" in run("keys", verb, "home", "--state", tmp_path).err
    run("keys", "generate", "home", "--state", tmp_path)
    assert run("keys", "generate", "home", "--state", tmp_path).code == 2
