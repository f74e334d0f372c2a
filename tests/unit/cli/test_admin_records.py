from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mcp_server.cli.admin_records import record_action
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit_logger import AuditLogger


def test_actions_are_one_log_that_verifies(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for number in range(2):
        record_action(state, "key.next", {"issuer": f"i{number}"})
    log = state / "audit" / "_admin"
    kinds = [record["kind"] for record in AuditReader(log).tail(20)]
    assert kinds == ["log.open", "key.next", "log.close"] * 2
    assert AuditVerifier().verify(log).is_intact
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_two_commands_at_once_have_a_log_each(tmp_path: Path) -> None:
    other = AuditLogger(directory=tmp_path / "audit" / "_admin", stream="_admin")
    other.open()
    try:
        record_action(tmp_path, "key.next", {"issuer": "i"})
    finally:
        other.close()
    assert (tmp_path / "audit" / "_admin.2").is_dir()


def test_without_a_log_nothing_may_be_done(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(ConfigurationError, match="--state"):
        record_action(tmp_path / "state", "key.next", {})
