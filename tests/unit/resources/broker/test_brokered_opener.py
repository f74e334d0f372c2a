"""Entering directories by way of a broker, of whom nothing is taken on trust."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.broker.broker_host import BrokerHost
from mcp_server.resources.broker.brokered_opener import BrokeredOpener


class Host:
    """Answers with what the test gives it."""

    def __init__(self, value: object, path: str | None, flags: int = os.O_RDONLY) -> None:
        self.answer = value, (-1 if path is None else os.open(path, flags))
        self.asked: list[tuple[dict[str, Any], int]] = []
        self.distrusted: list[ValueError] = []

    def ask_to_open(self, head: dict[str, Any], *, descriptor: int = -1) -> tuple[object, int]:
        self.asked.append((head, descriptor))
        return self.answer

    def distrust(self, error: ValueError) -> ResourceUnavailableError:
        self.distrusted.append(error)
        return ResourceUnavailableError("io", "distrusted")


def test_the_broker_is_asked_for_one_name(folder: Path) -> None:
    host = Host(None, str(folder / "sub"))
    opener = BrokeredOpener(host=cast("BrokerHost", host), root=3)
    descriptor = opener.open(17, ("sub",), os.O_RDONLY)
    assert os.path.sameopenfile(descriptor, host.answer[1])
    assert host.asked == [({"do": "enter", "root": 3, "name": "sub"}, 17)]
    os.close(descriptor)


@pytest.mark.parametrize(
    ("value", "path", "flags"),
    [
        (None, None, 0),
        (True, "/", os.O_RDONLY),
        (None, "/etc/passwd", os.O_RDONLY),
        (None, "/", os.O_PATH),
        (None, "/dev/null", os.O_RDONLY),
    ],
)
def test_anything_else_is_distrusted_and_closed(value: object, path: str | None, flags: int) -> None:
    host = Host(value, path, flags)
    with pytest.raises(ResourceUnavailableError, match="distrusted"):
        BrokeredOpener(host=cast("BrokerHost", host), root=0).open(17, ("sub",), os.O_RDONLY)
    assert len(host.distrusted) == 1
    if path is not None:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(host.answer[1])


def test_a_path_of_several_names_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="unpack"):
        BrokeredOpener(host=cast("BrokerHost", Host(None, None)), root=0).open(17, ("a", "b"), os.O_RDONLY)
