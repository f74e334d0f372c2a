from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.bubblewrap import PACKAGE
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from tests.security.isolation.sandbox_rig import OWNER, SandboxRig, in_loop, rig_with


def test_all_of_this_package_that_is_inside_is_what_the_runner_imports() -> None:
    with rig_with() as rig:
        files = {path: content for path, content in rig.factory._files if path.startswith(PACKAGE)}
    modules = {path.removeprefix(f"{PACKAGE}/").removesuffix(".py").replace("/", ".") for path in files}
    needed = set()
    for content in files.values():
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.ImportFrom):
                needed.add(node.module or "")
            elif isinstance(node, ast.Import):
                needed |= {each.name for each in node.names}
    own = {name for name in needed if name.startswith("mcp_server")}
    assert own <= modules
    # And nothing that is not needed is shown to what runs there.
    assert {name for name in modules if not name.endswith("__init__")} == own | {
        "mcp_server.resources.isolation.runner"
    }
    assert {name.split(".")[0] for name in needed - own} <= sys.stdlib_module_names
    assert all(content == b"" for path, content in files.items() if path.endswith("__init__.py"))


def test_nothing_of_the_host_is_in_what_is_made_inside() -> None:
    with rig_with() as rig:
        made = dict(rig.factory._files)
    assert {path for path in made if path.startswith("/etc/")} <= {
        "/etc/passwd",
        "/etc/group",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/ld.so.cache",
    }
    user = os.environ.get("USER", "root").encode()
    assert user not in made["/etc/passwd"] or user == b"user"
    assert str(Path(__file__).parents[4]).encode() not in b"".join(made.values())


@pytest.fixture
def count() -> int:
    return len(os.listdir("/proc/self/fd"))


async def made_and_ended(rig: SandboxRig, workspace: int | None = None) -> None:
    worker = await rig.factory.make(SandboxShape(1 << 20, workspace, False, OWNER))
    try:
        assert not worker.has_ended
        assert len(worker.processes) == 3
        assert worker.processes == worker.processes
    finally:
        await worker.end()
    assert worker.has_ended


def test_every_descriptor_is_closed_whether_it_stands_or_not() -> None:
    with rig_with() as rig:
        in_loop(made_and_ended(rig))
        before = len(os.listdir("/proc/self/fd"))
        in_loop(made_and_ended(rig))
        assert len(os.listdir("/proc/self/fd")) == before
        with pytest.raises(ResourceUnavailableError):
            in_loop(made_and_ended(rig, 1 << 20))
        assert len(os.listdir("/proc/self/fd")) == before
    with rig_with(program="/nosuch") as rig:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(ResourceUnavailableError):
            in_loop(made_and_ended(rig))
        assert len(os.listdir("/proc/self/fd")) == before
    with rig_with(base_filter=b"\0" * 8) as rig:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(ResourceUnavailableError):
            in_loop(made_and_ended(rig))
        assert len(os.listdir("/proc/self/fd")) == before


def test_after_the_launcher_was_closed_none_is_made(count: int) -> None:
    rig = SandboxRig()
    rig.close()
    with pytest.raises(ResourceUnavailableError, match="stopping"):
        in_loop(made_and_ended(rig))
    rig.close()
    assert len(os.listdir("/proc/self/fd")) == count
