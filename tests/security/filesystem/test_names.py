"""A13 to A16, A23, A27: names that are more, or other, than they seem."""

from __future__ import annotations

import fnmatch
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.kernel.openat2 import Openat2
from mcp_server.resources.kernel.renameat2 import Renameat2

Attempts = dict[str, Callable[[str], object]]

PROTECTED = [
    ".git/hooks/pre-commit",
    ".git/hooks",
    ".git/config",
    "deep/er/.git/config",
    ".bashrc",
    "home/.zshenv",
    ".mcp.json",
    ".env",
    "sub/.env",
    ".ENV",
    ".Git/Config",
    ".vscode/tasks.json",
    ".ssh/authorized_keys",
]


def test_a13_nul_in_every_argument(attempts: Attempts, naive: Any) -> None:
    for path in ("note.txt\0.png", "\0", "sub/\0", "note.txt\0"):
        for attempt in attempts.values():
            with pytest.raises(SandboxViolationError) as caught:
                attempt(path)
            assert caught.value.reason == "name"


def test_a13_the_system_calls_check_themselves(folder: Path) -> None:
    directory = os.open(folder, os.O_PATH)
    try:
        with pytest.raises(ValueError, match="null"):
            Renameat2().rename(directory, "note.txt\0x", directory, "b")
        try:
            openat2 = Openat2()
        except OSError:
            return
        with pytest.raises(ValueError, match="null"):
            openat2.open(directory, "note.txt\0.png", flags=os.O_PATH)
    finally:
        os.close(directory)


def test_a13_control_ctypes_cuts_at_the_nul(folder: Path) -> None:
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    assert library.access(os.fsencode(folder / "note.txt") + b"\0.png", os.R_OK) == 0


@pytest.mark.parametrize("path", ["a" * 256, "é" * 128, "x/" * 2000 + "y", "a" * 5000, "é/" * 1500])
def test_a14_too_long(path: str, attempts: Attempts) -> None:
    for attempt in attempts.values():
        with pytest.raises(SandboxViolationError) as caught:
            attempt(path)
        assert caught.value.reason == "name"
        assert len(str(caught.value)) < 500


def test_a14_the_longest_names_work(files: ClientFiles, folder: Path) -> None:
    files.write(files.locate("a" * 255), b"x")
    assert files.read(files.locate("a" * 255)).data == b"x"


@pytest.mark.parametrize(
    "name", ["a\nb", "\x1b[2Jx", "photo\u202egpj.exe", "a\u200bb", "tab\t", "\x7f", "\u2066a", "\U000e0041"]
)
def test_a15_hidden_characters(name: str, files: ClientFiles, folder: Path) -> None:
    for change in (
        lambda: files.write(files.locate(name), b""),
        lambda: files.make_directory(files.locate(name)),
        lambda: files.move(files.locate("note.txt"), files.locate(name)),
    ):
        with pytest.raises(SandboxViolationError) as caught:
            change()
        assert caught.value.reason == "name"
        assert name not in str(caught.value)
    # What is there already is read, and shown escaped.
    (folder / name).write_bytes(b"there")
    assert files.read(files.locate(name)).data == b"there"
    entry = next(entry for entry in files.list_directory(files.locate(".")).entries if entry.name == name)
    assert entry.display.isprintable()
    assert entry.display != name
    assert entry.raw_name is None


def test_a15_names_that_are_no_text(files: ClientFiles, folder: Path) -> None:
    with open(os.fsencode(folder) + b"/bad\xff.txt", "wb"):
        pass
    entry = files.list_directory(files.locate(".")).entries[0]
    assert entry.display == "bad\\xff.txt"
    assert entry.raw_name == "YmFk/y50eHQ="
    with pytest.raises(SandboxViolationError):
        files.locate("bad\udcff.txt")
    # The name as Python gives it cannot be sent to anybody.
    with pytest.raises(UnicodeEncodeError):
        entry.name.encode()


def test_a15_scripts_and_emoji_that_join_are_plain(files: ClientFiles) -> None:
    for name in ("\u0646\u0627\u0645\u0647\u200c\u0647\u0627.txt", "👨\u200d👩\u200d👧.png", "日本語.md", "é.txt"):
        files.write(files.locate(name), b"x")
        assert files.list_directory(files.locate(".")).entries
        files.delete(files.locate(name))


@pytest.mark.parametrize(
    "path",
    [
        "..\uff0fSECRET",
        "\uff0e\uff0e/SECRET",
        "%2e%2e/SECRET",
        "%2e%2e%2fSECRET",
        "..\\SECRET",
        "..%c0%afSECRET",
        "‥/SECRET",
    ],
)
def test_a16_nothing_is_decoded(path: str, files: ClientFiles, secret: Path, naive: Any) -> None:
    with pytest.raises(ResourceUnavailableError) as caught:
        files.read(files.locate(path))
    assert caught.value.reason == "missing"
    folded = unicodedata.normalize("NFKC", path).replace("\\", "/").replace("%2e", ".").replace("%2f", "/")
    if folded == "../SECRET":
        assert naive.read(folded) == secret.read_bytes()


def test_a16_spellings_are_different_names(files: ClientFiles) -> None:
    files.write(files.locate("é.txt"), b"composed")
    files.write(files.locate("e\u0301.txt"), b"decomposed")
    assert files.read(files.locate("é.txt")).data == b"composed"
    assert files.read(files.locate("e\u0301.txt")).data == b"decomposed"


def test_a16_protected_names_hold_in_every_spelling(make_files: Callable[..., ClientFiles]) -> None:
    files = make_files(protected=["café", "straße"])
    for spelling in ("cafe\u0301", "CAFÉ", "CAFE\u0301", "STRASSE"):
        with pytest.raises(SandboxViolationError) as caught:
            files.write(files.locate(spelling), b"")
        assert caught.value.reason == "protected"
    assert not fnmatch.fnmatchcase("CAFE\u0301", "café")


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize("exists", [True, False])
def test_a23_protected_names_are_not_written(path: str, exists: bool, files: ClientFiles, folder: Path) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if exists and not target.is_dir():
        target.write_bytes(b"old")
    location = files.locate(path)
    for change in (
        lambda: files.write(location, b"x"),
        lambda: files.move(files.locate("note.txt"), location),
        lambda: files.delete(location),
        lambda: files.move(location, files.locate("away")),
    ):
        with pytest.raises(SandboxViolationError) as caught:
            change()
        assert caught.value.reason == "protected"
    assert not exists or target.is_dir() or files.read(location).data == b"old"


def test_a23_protected_directories_are_not_made(files: ClientFiles) -> None:
    with pytest.raises(SandboxViolationError):
        files.make_directory(files.locate("a/.git/hooks/x"))
    with pytest.raises(SandboxViolationError):
        files.make_directory(files.locate(".ssh"))


def test_a23_not_by_moving_the_parent(files: ClientFiles, folder: Path, naive: Any) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_bytes(b"old")
    (folder / "repo" / "hooks").mkdir(parents=True)
    (folder / "repo" / "hooks" / "pre-commit").write_bytes(b"evil")
    for source, destination in (
        (".git", "x"),
        ("repo", "other/.git"),
        ("repo/hooks", "sub/.git/hooks"),
        ("repo", ".GIT"),
    ):
        with pytest.raises(MCPServerError) as caught:
            files.move(files.locate(source), files.locate(destination))
        assert getattr(caught.value, "reason", "") == "protected"
    with pytest.raises(SandboxViolationError):
        files.delete(files.locate(".git"), recursive=True)
    with pytest.raises(SandboxViolationError):
        files.write(files.locate("sub/.git"), b"gitdir: ../evil")
    assert (folder / ".git" / "config").read_bytes() == b"old"
    # A name check of both ends alone lets the parent move.
    assert not any(fnmatch.fnmatchcase(name, "*.git/config") for name in ("repo", "other/.git"))


def test_a23_a_tree_with_protected_names_is_not_removed(files: ClientFiles, folder: Path) -> None:
    (folder / "project" / ".git" / "hooks").mkdir(parents=True)
    (folder / "project" / "a").write_bytes(b"")
    with pytest.raises(SandboxViolationError):
        files.delete(files.locate("project"), recursive=True)
    assert (folder / "project" / "a").exists()
    # Moved as a whole it stays what it was.
    files.move(files.locate("project"), files.locate("renamed"))
    assert (folder / "renamed" / ".git" / "hooks").is_dir()


def test_a27_a_planted_temporary_name_is_not_followed(
    opener: PathOpener, folder: Path, secret: Path, naive: Any
) -> None:
    tokens = iter(["0" * 32, "1" * 32, "2" * 32])
    (folder / f".mcp-server-{'0' * 32}.tmp").symlink_to(secret)
    os.link(secret, folder / f".mcp-server-{'1' * 32}.tmp")
    # Here and not in a broker, which nobody tells what to call its files.
    files = FileSystemManager(roots=[RootConfig(folder)], opener=opener, token=lambda: next(tokens))
    files.write(files.locate("note.txt"), b"new")
    assert (folder / "note.txt").read_bytes() == b"new"
    assert not (folder / "note.txt").is_symlink()
    (folder / "note.txt.tmp").symlink_to(folder / "sub" / "planted")
    naive.write("note.txt.tmp", b"followed")
    assert (folder / "sub" / "planted").read_bytes() == b"followed"


def test_a27_clients_cannot_name_our_temporary_files(attempts: Attempts) -> None:
    for attempt in attempts.values():
        with pytest.raises(SandboxViolationError):
            attempt(f"sub/.mcp-server-{'0' * 32}.tmp")
