"""What runs in a broker's process, from its start to its end."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import hmac
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from mcp_server.resources.broker.broker import Broker
from mcp_server.resources.broker.confinement import Confinement
from mcp_server.resources.broker.framed_socket import FramedSocket
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.names import escaped, folded
from mcp_server.resources.filesystem.root import Root
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.sync_level import SyncLevel
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.kernel.close_range import CloseRange
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.statx_mounts import StatxMounts

MAX_JOB_BYTES: Final = 4 * 1024 * 1024
"""128 folders of 4,095 bytes each, with every byte written as an escape of six, and room for the rest."""

_STREAMS: Final = 3
_STACK_BYTES: Final = 1024 * 1024


class BrokerProcess:
    """A process that confines itself and then answers, on each of its sockets in a thread of its own.

    1. It ends with the server, in whichever of three ways it learns of that first: the signal for the end of the thread
       that started it, the descriptor of the server's process, the end of its sockets.
    2. It keeps nothing open but those, and nobody of the same account can look into it.
    3. It is told the folders, opens them, and imports and tries what it will ever need.
    4. It gives up everything else; only then a name below a folder is looked at.

    Args:
        server: The number of the process that started it.
        lanes: The descriptors of its sockets; the first is told the folders.
    """

    def __init__(self, *, server: int, lanes: Sequence[int]) -> None:
        self._server = server
        self._lanes = [FramedSocket(socket.socket(fileno=each)) for each in lanes]
        self._kept = sorted(lanes)
        self._lock = threading.Lock()
        self._open = len(lanes)

    def serve(self) -> NoReturn:
        """Answer until the server has gone, or wants no answer any more."""
        prctl = Prctl()
        prctl.set_parent_death_signal(signal.SIGKILL)
        if os.getppid() != self._server:
            # It had gone before it could be asked to tell of its end.
            os._exit(0)
        prctl.set_dumpable(False)
        self._close_all_else()
        end = os.pidfd_open(self._server)
        first = self._lanes[0]
        try:
            frame = first.receive(max_body_bytes=MAX_JOB_BYTES)
        except EOFError:
            os._exit(0)
        try:
            broker, most = self._stand(json.loads(frame.body))
        except Exception as error:  # noqa: BLE001 - whatever it is, no file may be opened now
            # What it says may name what lies on the host; it is for the operator.
            first.send(
                {"id": frame.head["id"], "refusal": ["resource", "io", f"{type(error).__name__}: {error}"[:500]]}
            )
            os._exit(1)
        first.send({"id": frame.head["id"], "value": True})
        threading.stack_size(_STACK_BYTES)
        for lane in self._lanes:
            threading.Thread(target=self._answer, args=(lane, broker, most), daemon=True).start()
        waiting = select.poll()
        waiting.register(end, select.POLLIN)
        waiting.poll()
        os._exit(0)

    def _close_all_else(self) -> None:
        close_range = CloseRange()
        after = _STREAMS
        for kept in self._kept:
            if kept > after:
                close_range.close(after, kept - 1)
            after = kept + 1
        close_range.close(after)

    def _stand(self, job: Mapping[str, Any]) -> tuple[Broker, int]:
        roots = [_opened(index, each) for index, each in enumerate(job["roots"])]
        limits = FileLimits(**job["limits"])
        opener = WalkingOpener(mounts=StatxMounts())
        _warm_up()
        Confinement().apply(roots, max_file_bytes=limits.max_write_bytes)
        files = FileSystemManager(roots=roots, limits=limits, protected=job["protected"], opener=opener)
        for root in roots:
            # The folders can be entered, and nothing is missing that this takes.
            files.stat(FileLocation(root, ()))
        return Broker(files=files, opener=opener), limits.max_write_bytes

    def _answer(self, lane: FramedSocket, broker: Broker, max_body_bytes: int) -> None:
        try:
            while True:
                frame = lane.receive(max_body_bytes=max_body_bytes)
                head, descriptor = broker.answer(frame)
                del frame
                try:
                    lane.send(head, descriptor=descriptor)
                finally:
                    if descriptor >= 0:
                        os.close(descriptor)
        except (EOFError, ConnectionError):
            with self._lock:
                # Lanes end one by one, each when its last question is answered.
                self._open -= 1
                if self._open:
                    return
        except BaseException:  # noqa: BLE001 - nobody is left who could be told
            os._exit(1)
        os._exit(0)


def _opened(index: int, told: Mapping[str, Any]) -> Root:
    """Open a folder, which must be the very one that the server has opened."""
    values = dict(told)
    device, inode = values.pop("device"), values.pop("inode")
    root = Root(RootConfig(**{**values, "sync": SyncLevel(values["sync"])}), index=index)
    if (root.device, root.inode) != (device, inode):
        raise OSError(f"the folder {root.path!r} is another one than when it was opened first")
    return root


def _warm_up() -> None:
    """Let everything be loaded that the standard library loads when it is first needed; later nothing can be."""
    hmac.compare_digest(hashlib.sha256(b"").hexdigest(), "")
    escaped("\n\u202e\udcff")
    folded("É")
    # The GNU C library loads this when the first thread ends, and ends the process where it cannot.
    with contextlib.suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1")


def main() -> NoReturn:
    """Serve: the arguments are the server's number and those of the sockets."""
    server, *lanes = map(int, sys.argv[1:])
    BrokerProcess(server=server, lanes=lanes).serve()
