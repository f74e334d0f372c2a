from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mcp_server.resources.kernel import landlock
from mcp_server.resources.kernel.landlock import Landlock
from tests.support.bare_child import run_bare

FS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16, 6: 16, 7: 16, 8: 16, 9: 17, 10: 17, 11: 17}
NET = {3: 0, 4: 2, 9: 2, 10: 4, 11: 4}

RESTRICTED = """
import errno, os
from mcp_server.resources.kernel.landlock import *
from mcp_server.resources.kernel.prctl import Prctl

folder, restricted = sys.argv[1], sys.argv[2] == "restricted"
inside, outside = folder + "/inside/a", folder + "/outside/a"
landlock = Landlock()
if restricted:
    everything = Landlock.fs_rights(landlock.abi)
    rules = landlock.create_ruleset(handled_fs=everything)
    assert not os.get_inheritable(rules)
    directory = os.open(folder + "/inside", os.O_PATH)
    landlock.add_path(rules, directory, everything & ~ACCESS_FS_MAKE_SYM)
    file = os.open(folder + "/readable", os.O_PATH)
    landlock.add_path(rules, file, ACCESS_FS_READ_FILE)
    Prctl().set_no_new_privs()
    landlock.restrict_self(rules)

def attempt(name, function, *arguments):
    try:
        function(*arguments)
        print(name, "done", flush=True)
    except OSError as error:
        print(name, errno.errorcode[error.errno])

attempt("read-inside", os.open, inside, os.O_RDONLY)
attempt("write-inside", os.open, inside, os.O_RDWR | os.O_TRUNC)
attempt("create-inside", os.open, folder + "/inside/new", os.O_CREAT | os.O_WRONLY)
attempt("link-inside", os.symlink, "a", folder + "/inside/link")
attempt("read-file", os.open, folder + "/readable", os.O_RDONLY)
attempt("write-file", os.open, folder + "/readable", os.O_WRONLY)
attempt("read-outside", os.open, outside, os.O_RDONLY)
attempt("list-outside", os.listdir, folder)
attempt("dots", os.open, folder + "/inside/../outside/a", os.O_RDONLY)
attempt("proc", os.open, "/proc/self/root" + outside, os.O_RDONLY)
attempt("create-outside", os.mkdir, folder + "/outside/new")
attempt("remove-outside", os.unlink, folder + "/outside/b")
attempt("execute-outside", os.execv, "/bin/true", ["true"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
        for file in ("a", "b"):
            (tmp_path / name / file).touch()
    (tmp_path / "readable").touch()
    return tmp_path


def outcomes(folder: Path, how: str) -> dict[str, str]:
    return dict(line.split() for line in run_bare(RESTRICTED, folder, how).splitlines())


def test_outside_is_denied_and_inside_is_not(folder: Path) -> None:
    assert outcomes(folder, "restricted") == {
        "read-inside": "done",
        "write-inside": "done",
        "create-inside": "done",
        "link-inside": "EACCES",
        "read-file": "done",
        "write-file": "EACCES",
        "read-outside": "EACCES",
        "list-outside": "EACCES",
        "dots": "EACCES",
        "proc": "EACCES",
        "create-outside": "EACCES",
        "remove-outside": "EACCES",
        "execute-outside": "EACCES",
    }


def test_without_a_ruleset_all_of_it_is_allowed(folder: Path) -> None:
    # The last becomes another program, and so says nothing.
    found = outcomes(folder, "free")
    assert len(found) == 12
    assert set(found.values()) == {"done"}


PORTS = """
import errno, socket
from mcp_server.resources.kernel.landlock import *
from mcp_server.resources.kernel.prctl import Prctl

restricted = sys.argv[1] == "restricted"
landlock = Landlock()
# Bound here, and kept, so that nobody else has these ports.
mine, other = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
if restricted:
    rules = landlock.create_ruleset(handled_fs=0, handled_net=Landlock.net_rights(landlock.abi))
    landlock.add_port(rules, mine.getsockname()[1], ACCESS_NET_CONNECT_TCP)
    Prctl().set_no_new_privs()
    landlock.restrict_self(rules)
for server in (mine, other):
    with server, socket.socket() as client:
        print(client.connect_ex(server.getsockname()))
"""

SIGNALS = """
import os, signal
from mcp_server.resources.kernel.landlock import *
from mcp_server.resources.kernel.prctl import Prctl

landlock = Landlock()
if sys.argv[1] == "restricted":
    Prctl().set_no_new_privs()
    landlock.restrict_self(landlock.create_ruleset(handled_fs=0, scoped=Landlock.scopes(landlock.abi)))
try:
    os.kill(os.getppid(), 0)
    print("done")
except PermissionError:
    print("denied")
"""


def test_ports_and_signals_are_denied_as_far_as_the_kernel_knows_them() -> None:
    abi = Landlock().abi
    assert run_bare(PORTS, "free").split() == ["0", "0"]
    assert run_bare(SIGNALS, "free").split() == ["done"]
    # A kernel that does not know them is asked for nothing it would refuse: it accepts no empty ruleset.
    if abi >= 4:
        assert run_bare(PORTS, "restricted").split() == ["0", str(errno.EACCES)]
    if abi >= 6:
        assert run_bare(SIGNALS, "restricted").split() == ["denied"]
    assert abi >= 1


def test_rights_are_those_of_the_abi() -> None:
    assert {abi: Landlock.fs_rights(abi).bit_count() for abi in FS} == FS
    assert {abi: Landlock.net_rights(abi).bit_count() for abi in NET} == NET
    assert [Landlock.scopes(abi) for abi in (5, 6, 7)] == [0, 3, 3]
    assert Landlock.fs_rights(0) == Landlock.net_rights(0) == Landlock.scopes(0) == 0
    for abi in range(12):
        assert Landlock.fs_rights(abi) & ~Landlock.fs_rights(abi + 1) == 0
    known = {value for name, value in vars(landlock).items() if name.startswith("ACCESS_FS_")}
    assert Landlock.fs_rights(99) == sum(known)


def test_rights_of_a_file_are_accepted_for_a_file_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    door = Landlock()
    everything = Landlock.fs_rights(door.abi)
    ruleset = door.create_ruleset(handled_fs=everything)
    file = os.open(tmp_path / "a", os.O_PATH)
    door.add_path(ruleset, file, Landlock.file_rights(door.abi))
    for bit in range(everything.bit_length()):
        if not 1 << bit & Landlock.file_rights(door.abi):
            with pytest.raises(OSError, match="Invalid argument"):
                door.add_path(ruleset, file, 1 << bit)
    os.close(file)
    os.close(ruleset)


def test_rights_that_the_kernel_does_not_know_are_refused() -> None:
    door = Landlock()
    for unknown in (
        {"handled_fs": 1 << 60},
        {"handled_fs": 1, "handled_net": 1 << 60},
        {"handled_fs": 1, "scoped": 1 << 60},
    ):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number says which
            door.create_ruleset(**unknown)
        # Too big says a kernel that knows not even the field.
        assert caught.value.errno in (errno.EINVAL, errno.E2BIG)


def test_refusals_arrive() -> None:
    door = Landlock()
    ruleset = door.create_ruleset(handled_fs=landlock.ACCESS_FS_READ_FILE)
    with pytest.raises(OSError, match="Bad file descriptor"):
        door.add_path(ruleset, -1, landlock.ACCESS_FS_READ_FILE)
    with pytest.raises(OSError, match="Invalid argument"):
        door.add_port(ruleset, 80, landlock.ACCESS_NET_BIND_TCP)
    with pytest.raises(OverflowError):
        door.add_port(ruleset, -1, landlock.ACCESS_NET_BIND_TCP)
    os.close(ruleset)
    # Which of the two is looked at first depends on whether it is root who asks.
    with pytest.raises(OSError, match=r"Bad file descriptor|Operation not permitted"):
        door.restrict_self(-1)


ABSENT = """
from mcp_server.resources.isolation.bpf_assembler import BPFAssembler
from mcp_server.resources.kernel.landlock import Landlock
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.seccomp import Seccomp

assembler = BPFAssembler()
assembler.ld(0)
assembler.jeq(444, None, "allow")
assembler.ret(0x50000 | int(sys.argv[1]))
assembler.label("allow")
assembler.ret(0x7FFF0000)
Prctl().set_no_new_privs()
Seccomp().install(assembler.assemble())
landlock = Landlock()
print(landlock.abi)
try:
    landlock.create_ruleset(handled_fs=1)
except OSError as error:
    print(error.errno)
"""


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM])
def test_where_there_is_none_the_abi_is_0(number: int) -> None:
    # Too old, disabled at boot, or hidden by the filter of a container.
    assert run_bare(ABSENT, number).split() == ["0", str(number)]
