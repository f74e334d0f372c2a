"""What holds for every conformance test."""

from __future__ import annotations

from functools import cache

import pytest

from mcp_server.security.audit.file_writer import FileWriter
from mcp_server.security.permissions import policy_loader
from mcp_server.security.permissions.default_denies import default_denies

DENIES = cache(default_denies)


@pytest.fixture(autouse=True)
def unhurried_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk: the records are real and read back, but no test here pulls a plug."""
    monkeypatch.setattr(FileWriter, "fsync", staticmethod(lambda fd: None))
    monkeypatch.setattr(FileWriter, "fdatasync", staticmethod(lambda fd: None))


@pytest.fixture(autouse=True)
def denies_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile the shipped denials once, not twice a test: they are values and the same for all."""
    monkeypatch.setattr(policy_loader, "default_denies", DENIES)
