"""Entering directories by way of a broker."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mcp_server.resources.broker.broker_host import BrokerHost
from mcp_server.resources.broker.brokered_file import status_of_handed_over
from mcp_server.resources.filesystem.file_kind import FileKind


class BrokeredOpener:
    """Lets the broker open what is below an open directory, for a walk that itself is made here.

    What the walk asks, whether an entry is to be shown and entered, is asked here; the broker is only asked to enter.

    Args:
        host: Asks the broker.
        root: The number of the folder, whose rules hold.

    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> BrokeredOpener.open.__annotations__ == WalkingOpener.open.__annotations__
    True
    """

    __slots__ = ("_host", "_root")

    def __init__(self, *, host: BrokerHost, root: int) -> None:
        self._host = host
        self._root = root

    def open(self, directory: int, parts: Sequence[str], flags: int, *, cross_mounts: bool = False) -> int:
        """Open the directory that is the only part below `directory`; see `PathOpener.open`.

        Args:
            directory: Descriptor of the directory to start from; the broker gets a duplicate.
            parts: One name.
            flags: Those of a directory that is read, whatever is given.
            cross_mounts: Whether the folder's rules let it lead into another mount; the broker knows it itself.
        """
        (name,) = parts
        value, descriptor = self._host.ask_to_open(
            {"do": "enter", "root": self._root, "name": name}, descriptor=directory
        )
        try:
            if value is not None or descriptor < 0:
                raise ValueError("a directory was to be handed over")
            if FileKind.of(status_of_handed_over(descriptor).st_mode) is not FileKind.DIRECTORY:
                raise ValueError("what was entered is no directory")
        except ValueError as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise self._host.distrust(error) from error
        return descriptor
