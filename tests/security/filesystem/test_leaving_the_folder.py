"""A01 to A07, A24, A25: paths and links that lead out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.root_config import RootConfig

Attempts = dict[str, Callable[[str], object]]


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def reasons(attempts: Attempts, path: str) -> dict[str, str]:
    """Try `path` in every way and return why each was refused."""
    found = {}
    for name, attempt in attempts.items():
        with pytest.raises((SandboxViolationError, ResourceUnavailableError)) as caught:
            attempt(path)
        found[name] = caught.value.reason
    return found


@pytest.mark.parametrize("path", ["../SECRET", "sub/../../SECRET", "./../SECRET", "sub/.././../SECRET", ".."])
def test_a01_dotdot_is_refused_everywhere(
    path: str, attempts: Attempts, naive: Any, secret: Path, folder: Path
) -> None:
    before = tree(folder.parent)
    assert set(reasons(attempts, path).values()) == {"escape"}
    assert tree(folder.parent) == before
    assert naive.read("../SECRET") == secret.read_bytes()


def test_a01_the_barrier_is_not_the_text(files: ClientFiles, secret: Path) -> None:
    location = files.locate("sub")
    forged = type(location)(location.root, ("..", "SECRET"))
    with pytest.raises(MCPServerError):
        files.read(forged)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "~/x", "~root", "file:///etc/passwd", "$HOME/x", "//etc/passwd", "/W/note.txt", "/"]
)
def test_a02_nothing_is_expanded(path: str, files: ClientFiles) -> None:
    with pytest.raises((SandboxViolationError, ResourceUnavailableError)) as caught:
        files.read(files.locate(path))
    assert caught.value.reason == ("escape" if path.startswith("/") else "missing")


def test_a02_control_expansion_leads_out(naive: Any) -> None:
    assert os.path.expanduser("~root") == "/root"
    assert naive.joined("/etc/passwd") == "/etc/passwd"


def test_a02_absolute_below_the_folder_is_accepted(files: ClientFiles, folder: Path) -> None:
    assert files.read(files.locate(f"{folder}/note.txt")).data == b"inside"
    assert files.locate(str(folder)).relative == "."


def test_a03_sibling_with_the_same_prefix(files: ClientFiles, folder: Path, naive: Any) -> None:
    evil = folder.parent / "W-evil"
    evil.mkdir()
    (evil / "x").write_bytes(b"evil")
    for path in ("../W-evil/x", str(evil / "x")):
        with pytest.raises(SandboxViolationError) as caught:
            files.read(files.locate(path))
        assert caught.value.reason == "escape"
    assert naive.read_prefix_checked("../W-evil/x") == b"evil"


@pytest.mark.parametrize("target", ["absolute", "relative"])
def test_a04_link_to_a_file_outside(
    target: str, attempts: Attempts, files: ClientFiles, folder: Path, secret: Path, naive: Any
) -> None:
    link = folder / "link.txt"
    link.symlink_to(secret if target == "absolute" else Path("../SECRET"))
    for name in ("read", "pin", "list", "walk", "write"):
        with pytest.raises(MCPServerError):
            attempts[name]("link.txt")
    with pytest.raises(SandboxViolationError) as caught:
        attempts["read"]("link.txt")
    assert caught.value.reason == "symlink"
    assert files.stat(files.locate("link.txt")).kind == "symlink"
    assert naive.read_prefix_checked("link.txt") == secret.read_bytes()
    files.delete(files.locate("link.txt"))
    assert not link.is_symlink()


def test_a05_link_to_a_directory_outside(
    attempts: Attempts, folder: Path, tmp_path: Path, secret: Path, naive: Any
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "old").write_bytes(b"old")
    (folder / "link").symlink_to(outside)
    for path in ("link/new", "link/old", "link/new/deep"):
        found = reasons(attempts, path)
        assert set(found.values()) <= {"symlink", "not_a_directory"}
    assert tree(outside) == {"old"}
    naive.write("link/new", b"x")
    assert tree(outside) == {"old", "new"}


def test_a05_recursive_removal_takes_the_link_only(files: ClientFiles, folder: Path, secret: Path) -> None:
    (folder / "sub" / "link").symlink_to(secret.parent)
    (folder / "sub" / "file").write_bytes(b"x")
    files.delete(files.locate("sub"), recursive=True)
    assert not (folder / "sub").exists()
    assert secret.exists()


def test_a06_chains_and_loops_end(attempts: Attempts, folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    (folder / "c0").symlink_to("note.txt")
    for number in range(1, 42):
        (folder / f"c{number}").symlink_to(f"c{number - 1}")
    for path in ("loop", "loop/x", "c0", "c41", "c41/x"):
        with pytest.raises((SandboxViolationError, ResourceUnavailableError)):
            attempts["read"](path)
    with pytest.raises(OSError, match="Too many levels"):
        (folder / "loop").read_bytes()


@pytest.mark.parametrize("target", ["/proc/self/root", "/proc/self/cwd", "/proc/self/fd/{}", "/dev/fd/{}"])
def test_a07_magic_links(target: str, attempts: Attempts, folder: Path, secret: Path, naive: Any) -> None:
    descriptor = os.open(secret, os.O_RDONLY)
    try:
        (folder / "magic").symlink_to(target.format(descriptor))
        suffix = "" if "{}" in target else "/etc/passwd"
        with pytest.raises((SandboxViolationError, ResourceUnavailableError)):
            attempts["read"]("magic" + suffix)
        if "{}" in target:
            assert naive.read("magic") == secret.read_bytes()
    finally:
        os.close(descriptor)


def test_a24_names_are_exact(files: ClientFiles, folder: Path) -> None:
    (folder / "x.key").write_bytes(b"key")
    (folder / "x.txt").write_bytes(b"text")
    with pytest.raises(SandboxViolationError):
        files.locate("x.txt/../x.key")
    with pytest.raises(ResourceUnavailableError):
        files.read(files.locate("X.TXT"))
    # The name that permissions are decided on is the one that is opened, however it was spelt.
    assert files.locate(f"{folder}//./x.key").relative == "x.key"


def test_a25_the_further_folder_is_told_apart(make_files: Callable[..., ClientFiles], tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    files = make_files(RootConfig(shared, is_global=True))
    assert files.locate(str(shared / "a")).root.is_global
    assert not files.locate("a").root.is_global


def test_a25_a_read_only_folder_is_not_written(
    make_files: Callable[..., ClientFiles], folder: Path, naive: Any
) -> None:
    files = make_files(first=RootConfig(folder, writable=False))
    for change in (
        lambda: files.write(files.locate("new"), b""),
        lambda: files.make_directory(files.locate("new")),
        lambda: files.delete(files.locate("note.txt")),
        lambda: files.move(files.locate("note.txt"), files.locate("new")),
    ):
        with pytest.raises(SandboxViolationError) as caught:
            change()
        assert caught.value.reason == "protected"
    assert files.read(files.locate("note.txt")).data == b"inside"
