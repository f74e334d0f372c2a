"""What a probe must not reach from inside a sandbox."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mcp_server.resources.isolation.barrier_probe import BarrierProbe


@contextlib.contextmanager
def canaries() -> Iterator[BarrierProbe]:
    """Put out what a probe must not reach, and return the probe; outside, it reaches all of it."""
    word = secrets.token_hex(16)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcp-server-probe-")))
        folder.chmod(0o777)
        (folder / "canary").write_text("c")
        (folder / "canary").chmod(0o644)
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        with_path = stack.enter_context(socket.socket(socket.AF_UNIX))
        with_path.bind(str(folder / "socket"))
        (folder / "socket").chmod(0o777)
        with_path.listen(1)
        without_path = stack.enter_context(socket.socket(socket.AF_UNIX))
        without_path.bind(f"\0mcp-server-{word}")
        without_path.listen(1)
        os.environ["MCP_SERVER_CANARY"] = word
        stack.callback(os.environ.pop, "MCP_SERVER_CANARY", None)
        yield BarrierProbe(
            file=str(folder / "canary"),
            directory=str(folder),
            pid=os.getpid(),
            word=word,
            port=listening.getsockname()[1],
            socket=str(folder / "socket"),
            abstract=f"mcp-server-{word}",
        )
