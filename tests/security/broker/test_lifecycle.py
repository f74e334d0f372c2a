"""How brokers begin and end: with the server, with the policy, by force, and never more often than is good."""

from __future__ import annotations

import gc
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.broker.broker_factory import MAIN, BrokerFactory
from mcp_server.resources.broker.broker_host import MAX_STARTS
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager

Make = Callable[..., BrokeredFiles]
REPOSITORY = Path(__file__).parents[3]
CONFINED = pytest.mark.parametrize((), [()] if BrokerFactory.problem() is None else [])

# Keeps files by a broker, says which process that is, and is told how to end.
SERVER = """
import os, sys
from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem.root_config import RootConfig
factory = BrokerFactory()
files = BrokeredFiles(roots=[RootConfig(sys.argv[1])], start=factory.start)
if sys.argv[2] == "standing":
    files.stat(files.locate("."))
while files.broker_pid is None:
    os.sched_yield()
print(files.broker_pid, flush=True)
word = sys.stdin.readline().strip()
if word == "close":
    files.close()
elif word == "factory":
    factory.close()
elif word == "exit":
    os._exit(0)
sys.stdin.readline()
"""


def ended(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(10_000))


@CONFINED
@pytest.mark.parametrize(
    ("end", "state"),
    [(end, state) for end in ("kill", "close", "exit", "terminate") for state in ("standing", "waiting")]
    # One that has only just been started cannot have asked yet to be told of the thread's end; of the server's it is.
    + [("factory", "standing")],
)
def test_a_broker_ends_with_whoever_started_it(end: str, state: str, folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), state],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        pidfd = os.pidfd_open(int(server.stdout.readline()))
        try:
            if end in ("kill", "terminate"):
                server.send_signal(signal.SIGKILL if end == "kill" else signal.SIGTERM)
            else:
                server.stdin.write(f"{end}\n")
                server.stdin.flush()
            assert ended(pidfd)
        finally:
            os.close(pidfd)
            server.kill()


@CONFINED
def test_control_a_process_that_nobody_ends_stays(folder: Path) -> None:
    # The same server starts another process as anybody would, and is killed.
    plain = SERVER.replace(
        "print(files.broker_pid", "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\nprint(child.pid"
    )
    with subprocess.Popen(
        [sys.executable, "-c", plain, str(folder), "standing"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout is not None
        pidfd = os.pidfd_open(int(server.stdout.readline()))
        server.kill()
        server.wait()
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        assert poll.poll(200) == []
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)


def killed(files: BrokeredFiles) -> None:
    """Kill the broker and return when it is dead, though nobody has waited for it."""
    pid = files.broker_pid
    assert pid is not None
    pidfd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert ended(pidfd)
    os.close(pidfd)


@CONFINED
def test_one_that_dies_while_nobody_asks_is_replaced_unseen(make: Make) -> None:
    ends: list[str] = []
    files = make(on_end=ends.append)
    location = files.locate("note.txt")
    with files.pin(location, kind="file") as pinned:
        first = files.broker_pid
        killed(files)
        # What was opened is open.
        assert files.read(pinned).data == b"inside"
    assert files.read(location).data == b"inside"
    assert files.broker_pid not in (None, first)
    assert ends == ["died"]


@CONFINED
def test_one_that_dies_while_it_is_asked_is_told_and_replaced(make: Make) -> None:
    ends: list[str] = []
    files = make("from tests.security.broker.captured_broker import stuck; stuck()", on_end=ends.append)
    files.stat(files.locate("."))
    caught: list[ResourceUnavailableError] = []

    def ask() -> None:
        with pytest.raises(ResourceUnavailableError) as found:
            files.sweep()
        caught.append(found.value)

    thread = threading.Thread(target=ask)
    thread.start()
    # Other questions are answered meanwhile, as many as anybody likes.
    for _ in range(50):
        assert files.read(files.locate("note.txt")).data == b"inside"
    killed(files)
    thread.join(10)
    assert [error.reason for error in caught] == ["io"]
    assert files.read(files.locate("note.txt")).data == b"inside"
    assert ends == ["died"]


@CONFINED
def test_one_question_that_is_never_answered_ends_by_time(make: Make) -> None:
    ends: list[str] = []
    files = make(
        "from tests.security.broker.captured_broker import stuck; stuck()", on_end=ends.append, operation_seconds=1.0
    )
    with pytest.raises(ResourceUnavailableError):
        files.sweep()
    assert ends == ["late"]
    assert files.read(files.locate("note.txt")).data == b"inside"


@CONFINED
def test_one_that_dies_again_and_again_is_not_started_for_ever(make: Make) -> None:
    ends: list[str] = []
    files = make("import os; os._exit(3)", on_end=ends.append)
    found = []
    for _ in range(3 * MAX_STARTS):
        with pytest.raises(ResourceUnavailableError) as caught:
            files.stat(files.locate("."))
        found.append(caught.value.reason)
    assert set(found[-MAX_STARTS:]) == {"busy"}
    assert len(ends) == MAX_STARTS


@CONFINED
@pytest.mark.parametrize(
    "step", ["write:before", "write:second", "fchmod:before", "fchmod:after", "rename:before", "rename:after"]
)
def test_a_broker_that_is_killed_while_it_writes_leaves_the_old_file_or_the_new(
    step: str, make: Make, folder: Path
) -> None:
    files = make(f"from tests.security.broker.captured_broker import dying; dying({step!r})")
    with pytest.raises(ResourceUnavailableError) as caught:
        files.write(files.locate("note.txt"), b"n" * 3_000_000)
    assert caught.value.reason == "io"
    expected = b"n" * 3_000_000 if step == "rename:after" else b"inside"
    assert (folder / "note.txt").read_bytes() == expected
    # What is left of it is hidden, and cleared away by the next.
    honest = make()
    assert [entry.name for entry in honest.list_directory(honest.locate(".")).entries] == ["note.txt", "spare", "sub"]
    left = set(os.listdir(folder)) - {"note.txt", "spare", "sub"}
    assert honest.sweep() == len(left) == (step != "rename:after")


@CONFINED
def test_closing_lets_what_was_asked_for_be_done(make: Make, folder: Path) -> None:
    files = make()
    started = threading.Event()
    data = b"d" * 8_000_000
    outcome: list[object] = []

    def write() -> None:
        started.set()
        try:
            outcome.append(files.write(files.locate("big"), data).size)
        except ResourceUnavailableError:
            # It was closed before it was asked.
            outcome.append(None)

    location = files.locate("note.txt")
    thread = threading.Thread(target=write)
    thread.start()
    started.wait()
    files.close()
    thread.join(20)
    if outcome == [None]:
        assert not (folder / "big").exists()
    else:
        assert (folder / "big").read_bytes() == data
    with pytest.raises(ResourceUnavailableError):
        files.read(location)
    assert files.broker_pid is None


@CONFINED
def test_a_folder_that_was_put_in_the_place_of_another_is_not_kept(make: Make, folder: Path, tmp_path: Path) -> None:
    files = make()
    assert files.read(files.locate("note.txt")).data == b"inside"
    killed(files)
    folder.rename(tmp_path / "moved")
    folder.mkdir()
    (folder / "note.txt").write_bytes(b"another")
    with pytest.raises(ResourceUnavailableError):
        files.read(files.locate("note.txt"))


@CONFINED
def test_a_read_only_folder_in_a_writable_one_is_refused(folder: Path) -> None:
    factory = BrokerFactory()
    with pytest.raises(ConfigurationError, match="separate_process"):
        BrokeredFiles(roots=[RootConfig(folder), RootConfig(folder / "sub", writable=False)], start=factory.start)
    factory.close()


def test_without_landlock_there_is_no_broker(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(BrokerFactory, "problem", staticmethod(lambda: "this kernel has no Landlock"))
    with pytest.raises(ConfigurationError, match=r"'separate_process'.*Landlock.*leave the key out"):
        BrokerFactory().check()


def children() -> set[str]:
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        found |= set((task / "children").read_text(encoding="ascii").split())
    return found


def counted() -> tuple[int, set[str], int]:
    gc.collect()
    return len(os.listdir("/proc/self/fd")), children(), threading.active_count()


@CONFINED
def test_a_thousand_questions_restarts_and_ends_leave_nothing(folder: Path) -> None:
    before = counted()
    for _ in range(10):
        factory = BrokerFactory(main=MAIN)
        files = BrokeredFiles(roots=[RootConfig(folder)], start=factory.start)
        for number in range(100):
            location = files.locate("note.txt")
            match number % 10:
                case 0:
                    files.write(location, b"inside")
                case 1:
                    assert len(list(files.walk(files.locate(".")))) == 3
                case 2:
                    files.list_directory(files.locate("."))
                case 3:
                    files.make_directory(files.locate("sub/a/b"))
                case 4:
                    files.move(files.locate("sub/a"), files.locate("sub/c"))
                case 5:
                    files.delete(files.locate("sub/c"), recursive=True)
                case 6:
                    with pytest.raises(ResourceUnavailableError):
                        files.read(files.locate("missing"))
                case 7:
                    files.pin(location).close()
                case 8:
                    walk = files.walk(files.locate("."))
                    next(walk)
                    walk.close()
                case _:
                    assert files.read(location).data == b"inside"
            if number == 50:
                killed(files)
        files.close()
        factory.close()
        # A place holds on to its folder.
        del files, walk, location
    assert counted() == before


def test_the_in_process_manager_is_not_wrapped() -> None:
    # Nothing of the broker is imported, let alone asked, where no client has the key.
    code = (
        "import sys; from mcp_server.resources.resource_tier import ResourceTier\n"
        "from mcp_server.resources.resource_config import ResourceConfig\n"
        "from mcp_server.resources.filesystem.root_config import RootConfig\n"
        "files = ResourceTier(config=ResourceConfig()).open_files([RootConfig(sys.argv[1])])\n"
        "assert type(files).__name__ == 'FileSystemManager'\n"
        "assert not [name for name in sys.modules if '.broker' in name]\n"
    )
    subprocess.run([sys.executable, "-c", code, str(REPOSITORY)], cwd=REPOSITORY, check=True)
    assert FileSystemManager.answers_at_once is True
