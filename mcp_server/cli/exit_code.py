"""What a command's exit status means."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The contract with scripts; it stands in the reference too.

    >>> ExitCode.NO.value
    1
    """

    DONE = 0
    """It was done, or the answer is yes. For `serve`: the client left."""
    NO = 1
    """The answer is no: a check failed, a call was refused."""
    USAGE = 2
    """Wrong use: arguments, a policy or a configuration that cannot be used."""
    IMPOSSIBLE = 3
    """It cannot be done here."""
    INTERRUPTED = 4
    """Ended by a signal, or because the parent process died."""
