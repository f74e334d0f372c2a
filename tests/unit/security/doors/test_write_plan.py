"""Many new files: what is told of them beforehand, and what is asked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.security.doors.write_plan import WritePlan
from mcp_server.security.permissions.permission_type import PermissionType


class Gate:
    """Allows all but names with `no` in them, and remembers what was asked at once."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[tuple[str, str | None]], str]] = []

    def could_allow(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        return "no" not in resource.rpartition("/")[2]

    async def require_all(self, wanted: list[tuple[Any, str, str | None, Any]], *, about: str = "") -> None:
        self.asked.append(([(str(kind), relative) for kind, _, relative, _ in wanted], about))
        if any("no" in str(relative) for _, _, relative, _ in wanted):
            raise PermissionDeniedError("no")


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def plan(tmp_path: Path, gate: Gate) -> Iterator[WritePlan]:
    for folder in ("F", "G"):
        (tmp_path / folder / "sub").mkdir(parents=True)
    (tmp_path / "F" / "there").write_text("x")
    (tmp_path / "F" / "not-for-you").write_text("x")
    os.symlink("/etc", tmp_path / "F" / "link")
    files = FileSystemManager(roots=[RootConfig(tmp_path / "F"), RootConfig(tmp_path / "G", is_global=True)])
    yield WritePlan(files=files, gate=gate)  # type: ignore[arg-type] # what of the gate is used
    files.close()


def told(plan: WritePlan, *paths: str, **options: bool) -> list[str]:
    return [str(each) for each in plan.refusals(paths, **options)]


def test_what_could_not_be_written_is_told(plan: WritePlan) -> None:
    paths = ["new", "sub/new", "missing/new", "there", "sub", "link", "link/new", "there/new", "../up", ".env", "no"]
    assert told(plan, *paths) == [
        *["None"] * 3,
        *["exists already"] * 3,
        "symbolic link",
        "a file and a directory of the same name",
        "unusable name",
        "protected name",
        "not permitted",
    ]


def test_of_directories_as_well(plan: WritePlan) -> None:
    paths = [".", "sub", "new", "new/er", "there", "link", "no", ".ssh"]
    assert told(plan, *paths, are_directories=True) == [
        *["exists already"] * 2,
        *["None"] * 2,
        "a file and a directory of the same name",
        "symbolic link",
        "not permitted",
        "protected name",
    ]


def test_whether_something_is_there_is_no_business_of_who_may_not_write(plan: WritePlan) -> None:
    assert told(plan, "not-for-you", "not-there") == ["not permitted"] * 2


def test_all_are_asked_for_at_once(plan: WritePlan, gate: Gate, tmp_path: Path) -> None:
    asyncio.run(plan.agree(["a", "sub/b", str(tmp_path / "G" / "c")], about="digest"))
    wanted = [("FILE_WRITE", "a"), ("FILE_WRITE", "sub/b"), ("FILE_WRITE_GLOBAL", "c")]
    assert gate.asked == [(wanted, "digest")]


def test_one_that_is_refused_refuses_all(plan: WritePlan, gate: Gate) -> None:
    with pytest.raises(PermissionDeniedError):
        asyncio.run(plan.agree(["a", "no"], about=""))
    with pytest.raises(SandboxViolationError):
        asyncio.run(plan.agree(["a", "../b"], about=""))
    assert len(gate.asked) == 1
