from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli.local_session import with_client
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier


def test_the_work_gets_a_client_and_its_value_comes_back(tmp_path: Path) -> None:
    async def work(client: Any) -> list[Any]:
        return list((await client.request("tools/list"))["tools"])

    assert with_client(MCPServer("x", state=tmp_path / "state"), work) == []
    log = tmp_path / "state" / "audit" / "local"
    assert [each["reason"] for each in AuditReader(log).records() if each["kind"] == "server.stop"] == ["command ended"]


def test_everything_is_closed_when_the_work_fails(tmp_path: Path) -> None:
    async def work(client: Any) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        with_client(MCPServer("x", state=tmp_path / "state"), work)
    assert AuditVerifier().verify(tmp_path / "state" / "audit" / "local", deep=True).is_intact


def test_a_server_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    async def work(client: Any) -> None:
        raise AssertionError("must not run")

    with pytest.raises(ConfigurationError):
        with_client(MCPServer("x", state=tmp_path / "state"), work)
