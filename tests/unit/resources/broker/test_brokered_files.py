"""What only a broker's files do; for what all files do see test_filesystem_manager and tests/security/filesystem."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_file import BrokeredFile
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.filesystem.root_config import RootConfig

METHODS = [name for name, value in vars(ClientFiles).items() if inspect.isfunction(value) and not name.startswith("_")]
CONFINED = pytest.mark.parametrize((), [()] if BrokerFactory.problem() is None else [])


@pytest.fixture
def brokered(folder: Path, brokers: BrokerFactory) -> Iterator[BrokeredFiles]:
    files = BrokeredFiles(roots=[RootConfig(folder)], start=brokers.start)
    yield files
    files.close()


@pytest.mark.parametrize("name", METHODS)
def test_it_is_asked_in_the_same_words_as_the_manager(name: str) -> None:
    def words(of: object) -> list[tuple[str, object, object]]:
        parameters = inspect.signature(getattr(of, name)).parameters.values()
        return [(each.name, each.kind, each.default) for each in parameters]

    assert words(ClientFiles) == words(BrokeredFiles)


@CONFINED
def test_nothing_of_it_is_quick(brokered: BrokeredFiles) -> None:
    assert brokered.answers_at_once is False
    assert [root.is_quick for root in brokered.roots] == [False]


@CONFINED
def test_what_is_pinned_is_open_for_reading_and_held_by_the_server(brokered: BrokeredFiles, folder: Path) -> None:
    with brokered.pin(brokered.locate("note.txt")) as pinned:
        assert isinstance(pinned, BrokeredFile)
        assert pinned.status.st_ino == (folder / "note.txt").stat().st_ino
        assert brokered.stat(pinned).size == 5
        brokered.close()
        assert brokered.read(pinned, offset=1, max_bytes=2).data == b"el"


@CONFINED
@pytest.mark.parametrize("number", [os.geteuid()] if os.geteuid() != 0 else [])
def test_what_may_not_be_read_can_be_looked_at_by_an_ordinary_user(
    number: int, brokered: BrokeredFiles, folder: Path
) -> None:
    (folder / "note.txt").chmod(0)
    with brokered.pin(brokered.locate("note.txt")) as pinned:
        assert pinned.stat.size == 5
        with pytest.raises(ResourceUnavailableError) as caught:
            brokered.read(pinned)
        assert caught.value.reason == "io"


@CONFINED
def test_names_are_judged_here_without_asking(brokered: BrokeredFiles) -> None:
    brokered.close()
    with pytest.raises(SandboxViolationError):
        brokered.locate("../x")
    with pytest.raises(SandboxViolationError):
        brokered.locate("note.txt")  # there is no folder any more


@CONFINED
def test_what_is_too_large_is_not_sent(folder: Path, brokers: BrokerFactory) -> None:
    files = BrokeredFiles(roots=[RootConfig(folder)], start=brokers.start, limits=FileLimits(max_write_bytes=10))
    with pytest.raises(LimitExceededError):
        files.write(files.locate("new"), b"x" * 11)
    assert files.write(files.locate("new"), b"x" * 10).size == 10
    files.close()


@CONFINED
def test_many_threads_ask_at_once(brokered: BrokeredFiles, folder: Path) -> None:
    (folder / "sub" / "big").write_bytes(b"b" * 1_000_000)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for round_number in range(20):
                name = f"sub/{number}-{round_number}"
                brokered.write(brokered.locate(name), name.encode() * 100)
                assert brokered.read(brokered.locate(name)).data == name.encode() * 100
                assert len(brokered.read(brokered.locate("sub/big")).data) == 1_000_000
                assert any(entry.location.name == "big" for entry in brokered.walk(brokered.locate(".")))
                brokered.delete(brokered.locate(name))
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert os.listdir(folder / "sub") == ["big"]


def test_folders_that_cannot_be_given_start_nothing(folder: Path, tmp_path: Path) -> None:
    def start(job: object) -> None:
        raise AssertionError("nothing is started")

    opened: Callable[..., BrokeredFiles] = BrokeredFiles
    for roots, forbidden in (
        ([RootConfig(tmp_path / "missing")], []),
        ([RootConfig("/proc")], []),
        ([RootConfig(folder)], [tmp_path]),
        ([RootConfig(folder), RootConfig(folder / "sub", writable=False)], []),
    ):
        with pytest.raises(ConfigurationError):
            opened(roots=roots, start=start, forbidden=forbidden)


def test_what_is_told_at_the_start_are_the_folders_and_their_rules(folder: Path) -> None:
    told: list[dict[str, object]] = []

    class Nothing:
        pid = None

        def close(self) -> None:
            return

    def start(job: dict[str, object]) -> Nothing:
        told.append(job)
        return Nothing()

    opened: Callable[..., BrokeredFiles] = BrokeredFiles
    opened(roots=[RootConfig(folder, max_files=9)], start=start, protected=[".env"]).close()
    (job,) = told
    assert set(job) == {"limits", "protected", "roots"}
    (root,) = job["roots"]  # type: ignore[misc]
    assert (root["path"], root["max_files"], root["inode"]) == (str(folder), 9, folder.stat().st_ino)


@CONFINED
def test_a_pinned_file_of_this_process_is_read_too(brokered: BrokeredFiles, folder: Path) -> None:
    # Nobody gives one to the other, but whoever did would not be deceived.
    descriptor = os.open(folder / "note.txt", os.O_PATH)
    with PinnedFile(brokered.locate("note.txt"), descriptor, os.fstat(descriptor)) as pinned:
        assert brokered.read(pinned).data == b"hello"
