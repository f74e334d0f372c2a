"""Waiting for a word, and then becoming another program; run by its path, as a process of its own.

A process is put into a control group by its number, so it exists before. What it starts until then would be outside.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

WORD: Final = b"go"


def main(arguments: Sequence[str]) -> None:
    """Read the word from a descriptor, and become the program; return only when it did not come.

    Args:
        arguments: The descriptor's number, the program's absolute path, and its arguments.
    """
    gate, *command = arguments
    if os.read(int(gate), len(WORD)) != WORD:
        return
    os.close(int(gate))
    # An interpreter ignores these, and what is ignored stays so in the program that it becomes.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    # Nothing of its own, such as a locale that it chose, goes on.
    os.execve(command[0], command, {"PATH": os.environ["PATH"]})  # noqa: S606 - there is no shell in it


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.exit(1)
