"""The Python inside the sandbox."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

INSIDE: Final = "/opt/python"
"""Where an interpreter that is not the system's is found inside: its place on the host is nobody's business there."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Which interpreter runs inside, and what of the host it needs for that.

    Args:
        prefix: The directory on the host that holds it, None where `/usr` does.
        program: Its absolute path inside.

    >>> Interpreter.of("/usr", "/usr/bin/python3.11").prefix is None
    True
    >>> Interpreter.of("/home/ada/python", "/home/ada/python/bin/python3.11").program
    '/opt/python/bin/python3.11'
    """

    prefix: str | None
    program: str

    @property
    def host_program(self) -> str:
        """Its absolute path on the host."""
        return self.program if self.prefix is None else self.prefix + self.program[len(INSIDE) :]

    @classmethod
    def of(cls, prefix: str, program: str) -> Self:
        """Return the interpreter of that installation.

        Args:
            prefix: What the interpreter calls `sys.base_prefix`.
            program: Its absolute path on the host, links resolved.

        Raises:
            ValueError: The program does not lie below the prefix.
        """
        if os.path.commonpath([prefix, program]) != prefix:
            raise ValueError("the interpreter does not lie in its own installation")
        if prefix == "/usr":
            return cls(None, program)
        return cls(prefix, INSIDE + program[len(prefix) :])

    @classmethod
    def find(cls, *, for_others: bool) -> Self:
        """Return the interpreter that runs this server, without its virtual environment, or else the system's.

        Args:
            for_others: Whether another account runs it, which must be able to walk there.

        Raises:
            ValueError: There is none.
        """
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        for prefix, name in ((os.path.realpath(sys.base_prefix), version), ("/usr", "python3")):
            program = os.path.realpath(os.path.join(prefix, "bin", name))
            is_there = os.access(program, os.X_OK) and program.startswith(f"{prefix}/")
            if is_there and (not for_others or is_reachable(program)):
                return cls.of(prefix, program)
        raise ValueError("there is no Python that the sandbox's account may run; install the system's python3")


def is_reachable(path: str, *, executable: bool = True) -> bool:
    """Whether everybody may walk to a file, read it, and execute it."""
    walk = stat.S_IXOTH
    if any(not os.stat(each).st_mode & walk for each in Path(path).parents):
        return False
    wanted = stat.S_IROTH | (stat.S_IXOTH if executable else 0)
    return os.stat(path).st_mode & wanted == wanted
