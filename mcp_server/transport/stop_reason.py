"""Why a transport stopped serving."""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """What ended the service; the command line makes an exit code of it.

    >>> StopReason.END_OF_INPUT.value
    'end of input'
    """

    END_OF_INPUT = "end of input"
    """The client closed its end: the regular way to stop a stdio server."""
    SIGNAL = "signal"
    """SIGINT or SIGTERM."""
    PARENT_DIED = "parent died"
    """The process that started the server is gone."""
    REQUESTED = "requested"
    """The program that embeds the server called `stop`."""
