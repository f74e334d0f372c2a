"""A disk that stops working when a test says so."""

from __future__ import annotations

import errno
import os
from typing import Any

from mcp_server.security.audit.file_writer import FileWriter


class FailingWriter(FileWriter):
    """The real system calls, until `fails_after` further writes have been made; None never fails."""

    def __init__(self) -> None:
        self.fails_after: int | None = None

    def write(self, fd: int, data: Any) -> int:  # type: ignore[override]
        if self.fails_after is not None:
            if self.fails_after <= 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self.fails_after -= 1
        return os.write(fd, data)
