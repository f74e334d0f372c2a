from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.launcher import Launcher

ABOUT_ITSELF = """
import json, os
print(json.dumps({"environment": [*os.environ], "directory": os.getcwd(), "leads": os.getsid(0) == os.getpid(),
                  "ids": [os.getuid(), os.getgid(), os.getgroups()], "descriptors": [n for n in range(3, 200)
                  if os.path.exists(f"/proc/self/fd/{n}") and "/fd" not in os.readlink(f"/proc/self/fd/{n}")]}))
"""


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    launcher = Launcher()
    yield launcher
    launcher.close()


def told(launcher: Launcher, **options: object) -> dict[str, object]:
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe:
        program = "/usr/bin/python3" if options.get("owner") else sys.executable
        command = [program, "-I", "-S", "-B", "-c", ABOUT_ITSELF]
        process = launcher.start(command, stdout=writing, **options).result()  # type: ignore[arg-type]
        os.close(writing)
        found: dict[str, object] = json.loads(pipe.read())
    assert process.wait() == 0
    return found


def test_a_process_has_nothing_that_it_was_not_given(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    leaked, given = os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(leaked, True)
    try:
        found = told(launcher, descriptors=(given,))
    finally:
        os.close(leaked)
        os.close(given)
    # The interpreter itself may set this one for its own start.
    assert set(found["environment"]) <= {"LC_CTYPE"}  # type: ignore[call-overload]
    assert (found["directory"], found["leads"], found["descriptors"]) == ("/", True, [given])


# Only root starts processes of others.
@pytest.mark.parametrize("owner", [(210_001, 210_002)] if os.getuid() == 0 else [])
def test_a_process_of_another_account_has_its_groups_alone(launcher: Launcher, owner: tuple[int, int]) -> None:
    assert told(launcher, owner=owner)["ids"] in ([210_001, 210_002, [210_002]], [210_001, 210_002, []])


def test_all_are_started_by_one_thread(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    real, threads = subprocess.Popen, []

    def noting(*arguments: object, **options: object) -> object:
        threads.append(threading.current_thread().name)
        return real(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", noting)
    starters = [threading.Thread(target=lambda: launcher.start(["/bin/true"]).result().wait()) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert threads == ["mcp-server-launcher"] * 4


def test_what_cannot_be_started_is_told_to_who_waits(launcher: Launcher) -> None:
    with pytest.raises(FileNotFoundError):
        launcher.start(["/nosuch"]).result()
    assert launcher.start(["/bin/true"]).result().wait() == 0


def test_what_nobody_waits_for_any_more_is_not_started(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, started = threading.Event(), []
    real = subprocess.Popen

    def waiting(command: list[str], **options: object) -> object:
        assert gate.wait(30)
        started.append(command)
        return real(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", waiting)
    first = launcher.start(["/bin/true"])
    second = launcher.start(["/bin/false"])
    assert second.cancel()
    gate.set()
    assert first.result().wait() == 0
    assert launcher.start(["/bin/true", "last"]).result().wait() == 0
    assert started == [["/bin/true"], ["/bin/true", "last"]]


def test_a_closed_one_starts_nothing_and_may_be_closed_again() -> None:
    launcher = Launcher()
    launcher.close()
    with pytest.raises(ResourceUnavailableError, match="stopping"):
        launcher.start(["/bin/true"])
    launcher.close()
    used = Launcher()
    assert used.start(["/bin/true"]).result().wait() == 0
    before = {thread.name for thread in threading.enumerate()}
    used.close()
    assert "mcp-server-launcher" in before
    assert "mcp-server-launcher" not in {thread.name for thread in threading.enumerate()}


def test_an_environment_is_what_it_is_given(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    # An interpreter adds what it takes the locale for.
    assert {"PATH"} <= set(told(launcher, environment={"PATH": "/usr/bin"})["environment"]) <= {"PATH", "LC_CTYPE"}  # type: ignore[call-overload]
