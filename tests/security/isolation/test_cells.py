"""What is found on other machines: without namespaces, as containers filter, without Landlock, for ordinary users."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.isolation.bpf_assembler import BPFAssembler
from mcp_server.resources.isolation.interpreter import is_reachable
from mcp_server.resources.isolation.syscall_table import SyscallTable
from tests.support.sandboxes import ACCOUNTS

CHECKOUT = Path(__file__).parents[3]
IS_ROOT = os.getuid() == 0
NOBODY = 65_534

ENTER = """
import os, sys
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.seccomp import Seccomp
Prctl().set_no_new_privs()
Seccomp().install(bytes.fromhex(sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-m", "mcp_server", *sys.argv[2:]])
"""

RET_ALLOW = 0x7FFF_0000
RET_ERRNO = 0x0005_0000
CLONE_NEW = 0x7E02_0000


def answering(answers: Mapping[str, int], *, refuses_namespaces: bool = False) -> bytes:
    """Return a filter that answers some calls with an error and lets all others pass."""
    table = SyscallTable.of(platform.machine())
    program = BPFAssembler()
    program.ld(4)
    program.jeq(table.audit_arch, None, "allow")
    program.ld(0)
    for name in answers:
        program.jeq(table.numbers[name], f"answer {name}", None)
    if refuses_namespaces:
        program.jeq(table.numbers["clone"], None, "allow")
        program.ld(16)
        program.jset(CLONE_NEW, "refused", None)
    program.label("allow")
    program.ret(RET_ALLOW)
    if refuses_namespaces:
        program.label("refused")
        program.ret(RET_ERRNO | errno.EPERM)
    for name, number in answers.items():
        program.label(f"answer {name}")
        program.ret(RET_ERRNO | number)
    return program.assemble()


# As container engines filter by default: no namespaces, no mounts; `clone3` is unknown, so that its flags can be seen.
CONTAINER = answering(
    {
        "unshare": errno.EPERM,
        "setns": errno.EPERM,
        "mount": errno.EPERM,
        "umount2": errno.EPERM,
        "clone3": errno.ENOSYS,
    },
    refuses_namespaces=True,
)
NO_LANDLOCK = answering({"landlock_create_ruleset": errno.EOPNOTSUPP})
NEITHER = answering(
    {"unshare": errno.EPERM, "clone3": errno.ENOSYS, "landlock_create_ruleset": errno.ENOSYS}, refuses_namespaces=True
)
NOTHING = answering({})

Examine = Callable[..., Mapping[str, Any]]


@pytest.fixture
def examine(folder: Path) -> Examine:
    """Return what the doctor says under a filter."""

    def run(program: bytes, *, min_tier: str = "lsm", user: int | None = None) -> Mapping[str, Any]:
        policy = folder / "desk.toml"
        accounts = f"accounts = {list(ACCOUNTS)}\n" if IS_ROOT and user is None else ""
        staging = folder.parent / f"staging{user or ''}"
        if user is not None:
            staging.mkdir(mode=0o700, exist_ok=True)
            os.chown(staging, user, user)
        policy.write_text(f'version = 1\n[sandbox]\nmin_tier = "{min_tier}"\nstaging = "{staging}"\n{accounts}')
        policy.chmod(0o600)
        # A policy may belong to root, or to whoever reads it; and the folder around it to nobody else.
        folder.chmod(0o755)
        if user is not None:
            os.chown(policy, user, user)
        account: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        done = subprocess.run(
            [sys.executable, "-c", ENTER, program.hex(), "doctor", "--json", "--policy", str(policy)],
            capture_output=True,
            check=False,
            cwd=CHECKOUT,
            timeout=120,
            env={"PATH": "/usr/bin:/bin", "TMPDIR": str(folder.parent)} if user is None else {"PATH": "/usr/bin:/bin"},
            **account,
        )
        assert done.stdout, done.stderr.decode()
        found: Mapping[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if found["holds"] else 1)
        return found

    return run


def test_with_everything_there_it_holds(examine: Examine) -> None:
    found = examine(NOTHING, min_tier="ns")
    assert (found["holds"], found["tier"] in ("ns", "full")) == (True, True)


def test_where_namespaces_are_filtered_away_landlock_is_what_is_left(examine: Examine) -> None:
    found = examine(CONTAINER)
    assert (found["tier"], found["holds"]) == ("lsm", True), found["findings"]
    assert not any(each["inside"] for each in found["attacks"].values())
    assert any("cannot be had" in finding for finding in found["findings"])


def test_and_that_is_not_taken_for_more(examine: Examine) -> None:
    found = examine(CONTAINER, min_tier="ns")
    assert (found["tier"], found["holds"]) == ("lsm", False)
    assert any('min_tier = "lsm"' in finding for finding in found["findings"])


def test_without_landlock_the_rest_holds_and_says_so(examine: Examine) -> None:
    found = examine(NO_LANDLOCK, min_tier="ns")
    assert (found["holds"], found["features"]["landlock"]) == (True, "none")
    assert any("no Landlock" in finding for finding in found["findings"])


def test_with_neither_nothing_is_executed(examine: Examine) -> None:
    found = examine(NEITHER)
    assert (found["tier"], found["holds"], found["attacks"]) == ("none", False, {})


USERS = [NOBODY] if IS_ROOT and is_reachable(os.path.realpath(sys.executable)) else []


# Only root can become somebody else to try it; for an ordinary user all the others have tried it.
@pytest.mark.parametrize("user", USERS)
def test_an_ordinary_user_has_sandboxes_of_his_own(examine: Examine, user: int) -> None:
    found = examine(NOTHING, min_tier="ns", user=user)
    assert (found["holds"], found["tier"] in ("ns", "full")) == (True, True), found["findings"]
