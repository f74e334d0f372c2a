"""B22: when a barrier cannot be put in place, nothing is run, and the error says which one it was."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation import sandbox_worker
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from tests.security.isolation.sandbox_rig import RUNNER, SandboxRig, in_loop, opened, request, rig_with

MARK = "open('/workspace/ran', 'w').close()"


def unknown_path(job: dict[str, Any]) -> None:
    job["landlock"]["rules"].append(("/nosuch", 1))


def unknown_right(job: dict[str, Any]) -> None:
    job["landlock"]["handled_fs"] |= 1 << 62


def right_of_another_kind(job: dict[str, Any]) -> None:
    job["landlock"]["rules"].append(("/etc/passwd", 1 << 3))


def landlock_without_a_word(job: dict[str, Any]) -> None:
    del job["landlock"]["scoped"]


def no_filter(job: dict[str, Any]) -> None:
    job["filters"] = ["00" * 8]


def half_a_filter(job: dict[str, Any]) -> None:
    job["filters"][0] = job["filters"][0][:-2]


def no_hexadecimal(job: dict[str, Any]) -> None:
    job["filters"] = ["filter"]


def above_the_hard_limit(job: dict[str, Any]) -> None:
    job["limits"] = {"open_files": 1 << 40}


def unknown_limit(job: dict[str, Any]) -> None:
    job["limits"]["patience"] = 1


def nowhere(job: dict[str, Any]) -> None:
    job["directory"] = "/nosuch"


def missing(job: dict[str, Any]) -> None:
    del job["landlock"]


BROKEN: dict[Callable[[dict[str, Any]], None], str] = {
    unknown_path: "FileNotFoundError.*/nosuch",
    unknown_right: "OSError.*Invalid argument",
    right_of_another_kind: "OSError",
    landlock_without_a_word: "TypeError.*scoped",
    no_filter: "OSError.*Invalid argument",
    half_a_filter: "ValueError.*filter",
    no_hexadecimal: "ValueError.*fromhex",
    above_the_hard_limit: "ValueError|PermissionError",
    unknown_limit: "KeyError.*patience",
    nowhere: "FileNotFoundError.*/nosuch",
    missing: "KeyError.*landlock",
}


@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.__name__)
def test_b22_nothing_is_run_when_the_runner_cannot_restrict_it(
    fault: Callable[[dict[str, Any]], None], folder: Path
) -> None:
    with rig_with(job=fault) as rig, opened(folder) as workspace:
        for what in ({"code": MARK}, {"program": "/bin/touch", "arguments": ("/workspace/ran",), "may_execute": True}):
            if "filter" in BROKEN[fault] and "program" in what:
                # What may execute has no filter that could be cut short.
                continue
            with pytest.raises(ResourceUnavailableError, match="nothing was run") as caught:
                in_loop(rig.run(request(workspace=workspace, may_write=True, **what)))
            assert re.search(BROKEN[fault], caught.value.__notes__[0]), caught.value.__notes__
            # Whoever reads the message itself learns nothing of the host.
            assert "/nosuch" not in str(caught.value)
        assert list(folder.iterdir()) == []


def test_b22_the_same_job_without_the_fault_runs(rig: SandboxRig, folder: Path) -> None:
    with opened(folder) as workspace:
        assert rig.run_python(MARK, workspace=workspace, may_write=True).is_success
    assert [each.name for each in folder.iterdir()] == ["ran"]


RUNNER_FAULTS = {
    "prctl": ("def serve(self)", "def serve(self):\n        raise OSError(1, 'prctl')\n\n    def _never(self)"),
    "landlock": ("self._landlock.restrict_self(ruleset)", "raise OSError(1, 'restrict_self')"),
    "no_new_privs": ("self._prctl.set_no_new_privs()", "raise OSError(1, 'no_new_privs')"),
    "setsid": ("os.setsid()", "raise OSError(1, 'setsid')"),
    "close_range": ("self._close_range.close(3)", "raise OSError(1, 'close_range')"),
    "memory": ("os.umask(0o077)", "raise MemoryError"),
    "killed": ("os.umask(0o077)", "os.kill(os.getpid(), 9)"),
    "left": ("os.umask(0o077)", "os._exit(0)"),
}


@pytest.mark.parametrize("fault", RUNNER_FAULTS)
def test_b22_nothing_is_run_when_a_step_of_the_runner_fails(fault: str, folder: Path) -> None:
    before, after = RUNNER_FAULTS[fault]

    def broken(text: str) -> str:
        assert before in text
        return text.replace(before, after)

    with rig_with(runner=broken) as rig, opened(folder) as workspace:
        work = rig.run(request(code=MARK, workspace=workspace, may_write=True))
        if fault in ("killed", "left"):
            # A child that vanishes cannot be told from a program that does so; what counts is that nothing ran.
            in_loop(work)
        else:
            with pytest.raises(ResourceUnavailableError):
                in_loop(work)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "filter_program", [b"\0", bytes(8), bytes(8 * 5000), b"\x06\0\0\0\0\0\xff"], ids=["byte", "empty", "long", "half"]
)
def test_b22_a_filter_that_is_none_stops_the_sandbox(filter_program: bytes, folder: Path) -> None:
    with rig_with(base_filter=filter_program) as rig, opened(folder) as workspace:
        with pytest.raises(ResourceUnavailableError, match="could not be made") as caught:
            in_loop(rig.run(request(code=MARK, workspace=workspace, may_write=True)))
        assert re.search("(?i)seccomp", caught.value.__notes__[0])
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "extra",
    [("--bind", "/nosuch", "/mnt"), ("--no-such-option",), ("--userns", "99"), ("--ro-bind-data", "99", "/etc/x")],
)
def test_b22_a_sandbox_that_cannot_be_made_runs_nothing(extra: tuple[str, ...], folder: Path) -> None:
    with rig_with(extra=extra) as rig, opened(folder) as workspace:
        with pytest.raises(ResourceUnavailableError, match="doctor") as caught:
            in_loop(rig.run(request(code=MARK, workspace=workspace, may_write=True)))
        assert caught.value.__notes__[0].startswith("bwrap: ")
        assert "bwrap" not in str(caught.value)
    assert list(folder.iterdir()) == []


def test_b22_a_workspace_that_is_no_directory_runs_nothing(rig: SandboxRig, folder: Path) -> None:
    (folder / "file").touch()
    descriptor = os.open(folder / "file", os.O_PATH)
    try:
        with pytest.raises(ResourceUnavailableError):
            rig.run_python("print(1)", workspace=descriptor)
    finally:
        os.close(descriptor)
    with pytest.raises(ResourceUnavailableError):
        rig.run_python("print(1)", workspace=1 << 20)


def test_b22_a_program_that_is_missing_runs_nothing(folder: Path) -> None:
    with rig_with(program="/nosuch/bwrap") as rig, pytest.raises(ResourceUnavailableError, match="doctor"):
        rig.run_python("print(1)")


def test_b22_a_program_that_only_seems_to_be_bubblewrap_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It makes no namespaces, and runs the command as it is: the runner's code is not there for it.
    fake = folder / "bwrap"
    fake.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
    fake.chmod(0o755)
    with rig_with(program=str(fake)) as rig:
        with pytest.raises(ResourceUnavailableError) as caught:
            rig.run_python("print(1)")
        assert "mcp_server" in caught.value.__notes__[0]
    fake.write_text("#!/bin/sh\nexec sleep 1000\n")
    monkeypatch.setattr(sandbox_worker, "START_SECONDS", 0.2)
    monkeypatch.setattr(sandbox_worker, "END_SECONDS", 0.2)
    with rig_with(program=str(fake)) as rig, pytest.raises(ResourceUnavailableError):
        rig.run_python("print(1)")


def test_b22_a_program_that_others_could_have_changed_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = folder / "bwrap"
    assert Bubblewrap(str(fake)).problem() == f"{fake} is not installed; install the package 'bubblewrap'"
    fake.mkdir()
    assert "no program" in str(Bubblewrap(str(fake)).problem())
    fake.rmdir()
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o644)
    assert "no program" in str(Bubblewrap(str(fake)).problem())

    real = os.stat

    def owned(mode: int, user: int) -> None:
        def told(path: Any, **options: Any) -> os.stat_result:
            found = real(path, **options)
            if path != str(fake):
                return found
            return os.stat_result((mode, *found[1:4], user, *found[5:]))

        monkeypatch.setattr(os, "stat", told)

    program = stat.S_IFREG | 0o755
    owned(program, 0)
    assert Bubblewrap(str(fake)).problem() is None
    owned(program, 1000)
    assert "changed by others" in str(Bubblewrap(str(fake)).problem())
    for bits in (0o020, 0o002):
        owned(program | bits, 0)
        assert "changed by others" in str(Bubblewrap(str(fake)).problem())
    for bits in (stat.S_ISUID, stat.S_ISGID):
        owned(program | bits, 0)
        assert "setuid" in str(Bubblewrap(str(fake)).problem())


def test_b22_a_report_that_is_nonsense_is_no_success(folder: Path) -> None:
    def lies(text: str) -> str:
        assert "os.write(self._control, json.dumps(end)" in text
        return text.replace(
            "os.write(self._control, json.dumps(end)", "os.write(self._control, b'nonsense' + json.dumps(end)"
        )

    with rig_with(runner=lies) as rig:
        result = rig.run_python("print(1)")
        assert (result.exit_code, result.is_success) == (None, False)


def test_b22_the_runner_goes_when_the_server_closes_its_socket(rig: SandboxRig) -> None:
    async def run() -> None:
        from mcp_server.resources.isolation.sandbox_shape import SandboxShape

        worker = await rig.factory.make(SandboxShape(1 << 20, owner=rig.owner))
        try:
            worker.control.shutdown(socket.SHUT_RDWR)
            async with asyncio.timeout(10):
                await worker.ended()
            assert worker.process.returncode is not None
        finally:
            worker.close()

    in_loop(run())


def test_the_faults_are_put_into_the_file_that_runs() -> None:
    with rig_with() as rig:
        assert RUNNER in dict(rig.factory._files)
