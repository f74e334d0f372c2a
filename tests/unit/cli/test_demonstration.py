from __future__ import annotations

import io
from pathlib import Path

import pytest

from mcp_server.cli.demonstration import FILES, POLICY, SECRET, Demonstration
from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output
from mcp_server.core.mcp_server import MCPServer
from mcp_server.security.permissions.policy_loader import PolicyLoader


def demonstration() -> tuple[Demonstration, io.StringIO]:
    stream = io.StringIO()
    return Demonstration(output=Output(as_json=False, stream=stream, errors=io.StringIO())), stream


def test_a_broken_promise_is_shown_and_is_1() -> None:
    shown, stream = demonstration()
    shown._note("reads", "refused", "the secret", False)
    shown._note("writes", "allowed", "done", True)
    assert shown._conclude(1.0) is ExitCode.NO
    assert "✗ reads" in stream.getvalue()
    assert "1 of 2 promises kept" in stream.getvalue()


def test_a_file_that_is_not_as_promised_breaks_the_promise(tmp_path: Path) -> None:
    shown, _ = demonstration()
    (tmp_path / "a").write_text("one")
    shown._on_disk(tmp_path / "a", "one")
    shown._on_disk(tmp_path / "a", "two")
    shown._on_disk(tmp_path / "b", "one")
    assert [step.is_kept for step in shown._steps] == [True, False, False]


def test_the_place_is_prepared_with_a_secret_wherever_the_client_must_not_read(tmp_path: Path) -> None:
    shown, _ = demonstration()
    shown._prepare(tmp_path)
    secrets = {name for name, text in FILES.items() if SECRET in text}
    assert secrets == {"Desk/private/salary.md", "Desk/.ssh/id_ed25519.md", "outside.md"}
    assert SECRET in (tmp_path / "Desk" / "notes" / "shortcut.md").read_text()
    policy = PolicyLoader().load(tmp_path / "desk.toml")
    assert list(policy.clients) == ["assistant"]
    assert (tmp_path / "desk.toml").read_text() == POLICY


def test_an_altered_log_that_goes_unseen_would_break_the_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mcp_server.security.audit.audit_verifier import AuditVerifier

    (tmp_path / "Desk").mkdir()
    log = tmp_path / "log"
    log.mkdir()
    (log / "00000001.jsonl").write_bytes(b'{"path":"private/salary.md"}\n')
    intact = AuditVerifier().verify(_log_of(tmp_path))
    assert intact.is_intact
    monkeypatch.setattr(AuditVerifier, "verify", lambda self, directory, deep=False: intact)
    shown, _ = demonstration()
    shown._audit(log)
    assert [step.is_kept for step in shown._steps] == [True, False, True]


def _log_of(directory: Path) -> Path:
    from mcp_server.cli.local_session import with_client

    async def nothing(client: object) -> None:
        return None

    with_client(MCPServer("x", state=directory / "state"), nothing)
    return directory / "state" / "audit" / "local"
