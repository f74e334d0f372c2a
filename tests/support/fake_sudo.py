"""A program that answers like sudo, and runs as whoever calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TEXT = """#!/bin/sh
for each in "$@"; do printf '%s\\0' "$each"; done >> {log}
printf '\\n' >> {log}
/usr/bin/env > {environment}
[ -t 0 ] && echo terminal > {environment}
pwd >> {environment}
cat >> {environment}
if [ "$2" = -l ]; then
  shift 3
  [ -e {denies} ] && exit 1
  [ -e {lies} ] && echo /usr/bin/other && exit 0
  echo "$*"
  exit 0
fi
shift 2
[ -e {wants_password} ] && echo 'sudo: a password is required' >&2 && exit 1
exec "$@"
"""


class FakeSudo:
    """Writes down how it is called; says no, or something else, where a test wants that.

    Args:
        directory: An empty directory of its own.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.path = str(directory / "sudo")
        names = {name: json.dumps(str(directory / name)) for name in ("log", "environment", *self.moods)}
        Path(self.path).write_text(_TEXT.format(**names))
        Path(self.path).chmod(0o755)

    moods = ("denies", "lies", "wants_password")

    def be(self, mood: str) -> None:
        """Say no (`denies`), speak of another program (`lies`), or want a password (`wants_password`)."""
        (self._directory / mood).touch()

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        log = self._directory / "log"
        lines = log.read_text().split("\0\n")[:-1] if log.exists() else []
        return [line.split("\0") for line in lines]

    @property
    def surroundings(self) -> list[str]:
        """The environment, the directory and the input of the last call."""
        return (self._directory / "environment").read_text().splitlines()


def action(**members: Any) -> dict[str, Any]:
    """Return the members of a `[sudo.action.NAME]`, with what a test says in the place of the usual."""
    return {"program": "/usr/bin/echo", "arguments": "restart {unit:nginx|redis}", "confirm": False, **members}
