"""The handler's end of what it says to the server, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from itertools import count
from typing import Any, BinaryIO, Final, Self

from pydantic_core import to_json

from mcp_server.resources.isolation.framing import LENGTH_BYTES, framed
from mcp_server.security.apart.told_errors import told

_DOOR: Final = "_asked_as"
"""An attribute of errors: the number of the question that was refused with it."""


class DoorChannel:
    """Ask the server, from any thread, and tell it how the handler ended.

    Runs inside the sandbox. What it reads comes from the server, which made this process: it is unpickled.

    Args:
        reading: A descriptor that the server's messages are read from.
        writing: One that ours are written to.
    """

    def __init__(self, *, reading: int, writing: int) -> None:
        self._reading: BinaryIO = open(reading, "rb")  # noqa: SIM115 - for as long as the process lives
        self._writing = writing
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._open: dict[int, Future[Any]] = {}

    @classmethod
    def take_over(cls) -> Self:
        """Return the channel of this process, its own input and output; what is printed is a complaint from here on."""
        reading, writing = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        return cls(reading=reading, writing=writing)

    def first(self) -> dict[str, Any]:
        """Return the server's first message, which says what is to be done; then read its answers in a thread."""
        message: dict[str, Any] = self._read()
        threading.Thread(target=self._listen, name="mcp-server-doors", daemon=True).start()
        return message

    def ask(self, name: str, arguments: bytes) -> Any:
        """Return the answer to a question; waits for it, also in the loop.

        Args:
            name: The door's method.
            arguments: A JSON object.

        Raises:
            MCPServerError: The door's own refusal.
        """
        return self._begin(name, arguments).result()

    async def ask_async(self, name: str, arguments: bytes) -> Any:
        """Return the answer to a question; see `ask`."""
        return await asyncio.wrap_future(self._begin(name, arguments))

    def finish(self, result: Any) -> None:
        """Tell the server the handler's result, a JSON value."""
        self._write(to_json({"result": result}))

    def fail(self, error: BaseException) -> None:
        """Tell the server how the handler failed; what a door refused is named by its question as well."""
        said = told(error)
        number = getattr(error, _DOOR, None)
        if number is not None:
            said["door"] = number
        self._write(to_json({"error": said}))

    def _begin(self, name: str, arguments: bytes) -> Future[Any]:
        answer: Future[Any] = Future()
        with self._lock:
            number = next(self._numbers)
            self._open[number] = answer
        self._write(b'{"id":%d,"door":%s,"arguments":%s}' % (number, to_json(name), arguments))
        return answer

    def _listen(self) -> None:
        while True:
            said = self._read()
            answer = self._open.pop(said["id"])
            if "error" not in said:
                answer.set_result(said["value"])
                continue
            answer.set_exception(_rebuilt(said["id"], *said["error"]))

    def _read(self) -> Any:
        size = int.from_bytes(self._exactly(LENGTH_BYTES), "big")
        return pickle.loads(self._exactly(size))  # noqa: S301 - from the server, which made this process

    def _exactly(self, size: int) -> bytes:
        data = self._reading.read(size)
        if len(data) < size:
            # The server needs nothing of this process any more.
            os._exit(0)
        return data

    def _write(self, message: bytes) -> None:
        data = memoryview(framed(message))
        with self._lock:
            while data:
                data = data[os.write(self._writing, data) :]


def _rebuilt(number: int, kind: type[Exception], words: tuple[Any, ...], fields: Mapping[str, Any]) -> Exception:
    """Return the error that a door raised; not by its constructor, for not every one can be made from its message."""
    error = kind.__new__(kind, *words)
    vars(error).update(fields)
    setattr(error, _DOOR, number)
    return error
