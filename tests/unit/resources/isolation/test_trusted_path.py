from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.resources.isolation.trusted_path import path_problem


@pytest.fixture
def look(tmp_path: Path) -> Callable[[Path], str | None]:
    """Look at paths below a directory as if all above it were root's."""

    def lstat(path: str) -> os.stat_result:
        found = list(os.lstat(path))
        if not path.startswith(f"{tmp_path}/"):
            found[stat.ST_MODE] = stat.S_IFDIR | 0o755
            found[stat.ST_UID] = os.getuid()
        return os.stat_result(found)

    return lambda path: path_problem(str(path), owner=os.getuid(), lstat=lstat)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir(mode=0o755)
    file = tmp_path / "bin" / "tool"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_what_only_its_owner_can_change_is_trusted(look: Callable[[Path], str | None], program: Path) -> None:
    assert look(program) is None


@pytest.mark.parametrize(
    ("which", "mode"), [("file", 0o775), ("file", 0o757), ("directory", 0o775), ("directory", 0o1777)]
)
def test_what_others_can_write_is_not(look: Callable[[Path], str | None], program: Path, which: str, mode: int) -> None:
    place = program if which == "file" else program.parent
    place.chmod(mode)
    assert look(program) == f"{place} can be written by others than root"


def test_what_belongs_to_somebody_else_is_not(program: Path) -> None:
    found = path_problem(str(program), owner=os.getuid() + 1)
    assert found is not None
    assert "belongs to somebody else" in found


def test_a_link_is_followed_and_every_directory_on_the_way_is_looked_at(
    look: Callable[[Path], str | None], program: Path, tmp_path: Path
) -> None:
    open_directory = tmp_path / "open"
    open_directory.mkdir()
    (open_directory / "tool").symlink_to("../bin/tool")
    (tmp_path / "link").symlink_to("open/./tool")
    (tmp_path / "straight").symlink_to(program)
    assert look(tmp_path / "link") is None
    assert look(tmp_path / "straight") is None
    open_directory.chmod(0o777)
    assert look(tmp_path / "straight") is None
    assert look(tmp_path / "link") == f"{open_directory} can be written by others than root"


def test_a_linked_directory_is_looked_at_where_it_is(
    look: Callable[[Path], str | None], program: Path, tmp_path: Path
) -> None:
    (tmp_path / "sbin").symlink_to("bin")
    assert look(tmp_path / "sbin" / "tool") is None
    program.parent.chmod(0o777)
    assert look(tmp_path / "sbin" / "tool") == f"{program.parent} can be written by others than root"


def test_what_is_no_program_is_told(look: Callable[[Path], str | None], program: Path, tmp_path: Path) -> None:
    assert look(tmp_path / "bin") == f"{tmp_path / 'bin'} is no program"
    assert look(program / "x") == f"{program} is no directory"
    assert look(tmp_path / "missing" / "x") == f"{tmp_path / 'missing'} is not there"
    program.chmod(0o644)
    assert look(program) == f"{program} is no program"
    (tmp_path / "loop").symlink_to("loop")
    assert look(tmp_path / "loop") == f"{tmp_path / 'loop'} has too many links"


@pytest.mark.parametrize("path", ["usr/bin/true", "./true", "/usr/bin/../bin/true", "/usr//bin/true", ""])
def test_a_path_is_written_in_one_way(path: str) -> None:
    assert path_problem(path) == f"{path!r} is no absolute path"
