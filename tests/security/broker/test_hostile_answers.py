"""A broker that answers garbage neither hangs nor ends nor deceives the server, and leaves nothing in it."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem.client_files import ClientFiles
from tests.security.broker.garbage_broker import KINDS

Make = Callable[..., BrokeredFiles]

QUESTIONS: dict[str, Callable[[ClientFiles], object]] = {
    "pin": lambda files: files.pin(files.locate("note.txt")),
    "write": lambda files: files.write(files.locate("note.txt"), b"x"),
    "mkdir": lambda files: files.make_directory(files.locate("new")),
    "sweep": lambda files: files.sweep(),
}


def program(kind: str) -> str:
    return f"from tests.security.broker.garbage_broker import main; main({kind!r})"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_garbage_is_no_answer(kind: str, question: str, folder: Path) -> None:
    gc.collect()
    ends: list[str] = []
    before = len(os.listdir("/proc/self/fd"))
    factory = BrokerFactory(main=program(kind), lanes=2, operation_seconds=0.2)
    files = BrokeredFiles(roots=files_roots(folder), start=factory.start, on_end=ends.append)
    try:
        with pytest.raises(ResourceUnavailableError) as caught:
            QUESTIONS[question](files)
        assert caught.value.reason == "io"
        assert len(ends) == 1
        assert files.broker_pid is None
    finally:
        files.close()
        factory.close()
    assert (folder / "note.txt").read_bytes() == b"inside"
    del caught, files
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before
    assert threading.active_count() == 1 or not [
        each for each in threading.enumerate() if each.name.startswith("mcp-server-broker")
    ]


def files_roots(folder: Path) -> list[object]:
    from mcp_server.resources.filesystem.root_config import RootConfig

    return [RootConfig(folder)]
