"""A10, A11, A12, A17: names that are no plain file of the folder."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager

REPOSITORY = Path(__file__).parents[3]

# In a namespace of its own an ordinary user may mount: a directory of the same file system, and a tmpfs.
MOUNTS = """
import json, os, subprocess, sys
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.filesystem.openat2_opener import Openat2Opener
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem_manager import FileSystemManager, choose_opener
folder, outside = sys.argv[1:]
for name in ("bound", "memory"):
    os.mkdir(os.path.join(folder, name))
subprocess.run(["mount", "--bind", outside, os.path.join(folder, "bound")], check=True)
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", os.path.join(folder, "memory")], check=True)
open(os.path.join(folder, "memory", "file"), "w").close()
found = []
brokers = BrokerFactory()
ways = [
    lambda config: FileSystemManager(roots=[config], opener=choose_opener()),
    lambda config: FileSystemManager(roots=[config], opener=WalkingOpener()),
]
if BrokerFactory.problem() is None:
    ways.append(lambda config: BrokeredFiles(roots=[config], start=brokers.start))
for way in ways:
    files = way(RootConfig(folder))
    for path in ("bound/file", "memory/file", "bound", "memory"):
        for act in (files.pin, lambda where: files.write(where.child("new"), b""), files.list_directory):
            try:
                act(files.locate(path))
                found.append(path + " opened")
            except MCPServerError as error:
                found.append(error.reason)
    cut = [entry.location.relative for entry in files.walk(files.locate(".")) if entry.is_cut]
    found.append(",".join(cut))
    try:
        files.delete(files.locate("."), recursive=True)
    except MCPServerError as error:
        found.append(error.reason)
    allowed = way(RootConfig(folder, cross_mounts=True))
    found.append(allowed.read(allowed.locate("bound/file")).data.decode())
overlap = 0
try:
    FileSystemManager(roots=[RootConfig(os.path.join(folder, "bound"))], forbidden=[outside])
except Exception as error:
    found.append(type(error).__name__)
with open(os.path.join(folder, "bound", "file")) as stream:
    naive = stream.read()
brokers.close()
print(json.dumps({"found": found, "naive": naive, "ways": len(ways)}))
"""


def refused(files: ClientFiles, path: str) -> str:
    with pytest.raises(SandboxViolationError) as caught:
        files.read(files.locate(path))
    return caught.value.reason


def test_a10_hard_link_to_a_file_outside(files: ClientFiles, folder: Path, secret: Path, naive: Any) -> None:
    os.link(secret, folder / "hard.txt")
    assert refused(files, "hard.txt") == "hardlink"
    with pytest.raises(SandboxViolationError):
        files.write(files.locate("hard.txt"), b"x", if_match="0" * 64)
    assert naive.read_realpath_checked("hard.txt") == secret.read_bytes()
    # A write replaces this name only; the fixture looks at the inode outside.
    files.write(files.locate("hard.txt"), b"new")
    assert files.read(files.locate("hard.txt")).data == b"new"


def test_a10_the_operator_may_allow_them(make_files: Callable[..., ClientFiles], folder: Path, secret: Path) -> None:
    os.link(secret, folder / "hard.txt")
    files = make_files(first=RootConfig(folder, allow_hardlinks=True))
    assert files.read(files.locate("hard.txt")).data == secret.read_bytes()


def test_a11_pipe_is_not_opened(files: ClientFiles, folder: Path) -> None:
    os.mkfifo(folder / "data.txt")
    # Opening a pipe that nobody writes to waits for ever, so that this returns is the test.
    assert refused(files, "data.txt") == "special"
    with pytest.raises(SandboxViolationError):
        files.write(files.locate("data.txt"), b"x")
    assert stat.S_ISFIFO((folder / "data.txt").stat().st_mode)


def test_a11_control_a_plain_open_would_wait(folder: Path) -> None:
    os.mkfifo(folder / "data.txt")
    command = [sys.executable, "-c", f"print('opening', flush=True); open({str(folder / 'data.txt')!r})"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "opening\n"
        # A writer that may not wait finds a reader only while that reader hangs in its open.
        for _ in range(10_000_000):
            try:
                os.close(os.open(folder / "data.txt", os.O_WRONLY | os.O_NONBLOCK))
                break
            except OSError:
                os.sched_yield()
        assert process.wait(timeout=30) == 0


def test_a12_socket_and_device(files: ClientFiles, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock")
        listener.listen()
        assert refused(files, "sock") == "special"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    # The one device number everybody may make a node of; a real open of it fails with ENXIO, which would be `io`.
    os.mknod(folder / "dev", stat.S_IFCHR | 0o600, os.makedev(0, 0))
    assert refused(files, "dev") == "special"
    with pytest.raises(OSError, match="No such device"):
        (folder / "dev").open("rb")


def test_a17_another_mount_is_not_entered(opener: PathOpener) -> None:
    root = os.open("/", os.O_PATH)
    try:
        with pytest.raises(OSError, match="cross-device"):
            opener.open(root, ("proc", "version"), os.O_PATH)
        os.close(opener.open(root, ("proc", "version"), os.O_PATH, cross_mounts=True))
    finally:
        os.close(root)


def may_mount() -> bool:
    unshare = shutil.which("unshare")
    command = [unshare or "false", "-rm", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a17_mounts_below_the_folder(folder: Path, tmp_path: Path) -> None:
    if not may_mount():
        # Where namespaces are forbidden the test above, which needs no mount of its own, stands for both.
        return
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("canary")
    result = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", MOUNTS, str(folder), str(outside)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    once = ["mount"] * 12 + ["bound,memory", "protected", "canary"]
    assert answer["found"] == [*once * answer["ways"], "ConfigurationError"]
    assert answer["naive"] == "canary"
    assert sorted(os.listdir(outside)) == ["file"]


@pytest.mark.parametrize("path", ["/proc", "/proc/self", "/sys", "/dev", "/", "/dev/pts"])
def test_a17_roots_of_the_kernel_are_refused(path: str) -> None:
    with pytest.raises(ConfigurationError):
        FileSystemManager(roots=[RootConfig(path)])


@pytest.mark.parametrize("inner", [".", "state", "state/deep"])
def test_roots_that_meet_the_state_are_refused(inner: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (tmp_path / inner, tmp_path / "link" / inner):
        with pytest.raises(ConfigurationError, match="state"):
            FileSystemManager(roots=[RootConfig(path)], forbidden=[state])
    # Also before the state exists.
    with pytest.raises(ConfigurationError, match="state"):
        FileSystemManager(roots=[RootConfig(tmp_path)], forbidden=[tmp_path / "later" / "state"])
    (tmp_path / "beside").mkdir()
    FileSystemManager(roots=[RootConfig(tmp_path / "beside")], forbidden=[state]).close()
