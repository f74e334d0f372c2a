"""A broker that stands as it should and then answers what no broker answers.

Run by the interpreter of a broker, which has the standard library and this checkout.
"""

from __future__ import annotations

import array
import json
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

Send = Callable[..., None]


def framed(head: Any, body: bytes = b"") -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<II", len(text), len(body)) + text + body


def opened(path: str, flags: int) -> int:
    return os.open(path, flags)


# What is answered to question `n` on a lane: bytes, and what is handed over.
ANSWERS: dict[str, Callable[[int], tuple[bytes, list[int]]]] = {
    "a head without end": lambda n: (struct.pack("<II", 2**32 - 1, 0) + b"{", []),
    "a head that is a little too long": lambda n: (struct.pack("<II", 64 * 1024 + 1, 0), []),
    "a body": lambda n: (framed({"id": n, "value": True}, b"x"), []),
    "a body without end": lambda n: (struct.pack("<II", 2, 2**32 - 1) + b"{}", []),
    "no json": lambda n: (framed(b"{'id': 1}"), []),
    "no text": lambda n: (framed(b"\xff\xfe{}"), []),
    "no head": lambda n: (framed(b""), []),
    "a list": lambda n: (framed([n, True]), []),
    "a number": lambda n: (framed(7), []),
    "nested without end": lambda n: (framed(b"[" * 60_000), []),
    "nested objects without end": lambda n: (framed(b'{"id":' * 10_000), []),
    "a number without end": lambda n: (framed(b'{"id":%d,"value":1%s}' % (n, b"0" * 60_000)), []),
    "an empty object": lambda n: (framed({}), []),
    "the number of another question": lambda n: (framed({"id": n + 1, "value": None}), []),
    "the number of the last question": lambda n: (framed({"id": n - 1, "value": None}), []),
    "a number that is true": lambda n: (framed({"id": True, "value": None}), []),
    "a number that is a float": lambda n: (framed({"id": float(n), "value": None}), []),
    "no number": lambda n: (framed({"value": None, "x": 1}), []),
    "something more": lambda n: (framed({"id": n, "value": None, "errno": 2}), []),
    "neither value nor error": lambda n: (framed({"id": n, "what": None}), []),
    "a value of another kind": lambda n: (framed({"id": n, "value": {"a": [1, 2, {}]}}), []),
    "a value that is nothing where something is due": lambda n: (framed({"id": n, "value": None}), []),
    "a text": lambda n: (framed({"id": n, "value": "true"}), []),
    "no number that is one": lambda n: (framed(b'{"id":%d,"value":["file",NaN,NaN,NaN,NaN,1,1]}' % n), []),
    "a size below zero": lambda n: (framed({"id": n, "value": ["file", -1, 0.0, 0.0, 0.0, 1, 1]}), []),
    "a size beyond all": lambda n: (framed({"id": n, "value": ["file", 2**70, 0.0, 0.0, 0.0, 1, 1]}), []),
    "a time beyond all": lambda n: (framed(b'{"id":%d,"value":["file",1,1e999,0,0,1,1]}' % n), []),
    "a whole time beyond all": lambda n: (framed(b'{"id":%d,"value":["file",1,1%s,0,0,1,1]}' % (n, b"0" * 4000)), []),
    "a kind there is none of": lambda n: (framed({"id": n, "value": ["door", 1, 0.0, 0.0, 0.0, 1, 1]}), []),
    "a kind that is a list": lambda n: (framed({"id": n, "value": [["file"], 1, 0.0, 0.0, 0.0, 1, 1]}), []),
    "an error that is none": lambda n: (framed({"id": n, "errno": 0}), []),
    "an error beyond all": lambda n: (framed({"id": n, "errno": 2**31}), []),
    "an error that is a text": lambda n: (framed({"id": n, "errno": "ENOENT"}), []),
    "a status that is none": lambda n: (framed({"id": n, "value": [13, [1, 2, 3]]}), []),
    "a status without an error": lambda n: (framed({"id": n, "value": [0, [0o100644] * 10]}), []),
    "a status beyond all": lambda n: (framed({"id": n, "value": [13, [2**64] * 10]}), []),
    "a status of texts": lambda n: (framed({"id": n, "value": [13, ["1"] * 10]}), []),
    "a refusal there is none of": lambda n: (framed({"id": n, "refusal": ["system", "exit", "x"]}), []),
    "a reason there is none of": lambda n: (framed({"id": n, "refusal": ["resource", "why", "x"]}), []),
    "a reason of another refusal": lambda n: (framed({"id": n, "refusal": ["sandbox", "missing", "x"]}), []),
    "a limit that is no word": lambda n: (framed({"id": n, "refusal": ["limit", "../\n", "x"]}), []),
    "a refusal that is short": lambda n: (framed({"id": n, "refusal": ["resource", "missing"]}), []),
    "a message that is a list": lambda n: (framed({"id": n, "refusal": ["resource", "missing", ["x"]]}), []),
    "a message without end": lambda n: (framed({"id": n, "refusal": ["resource", "missing", "x" * 60_000]}), []),
    "a bug that is a sentence": lambda n: (framed({"id": n, "bug": "forged\nline of the log"}), []),
    "two descriptors": lambda n: (framed({"id": n, "value": None}), [0, 0]),
    "many descriptors": lambda n: (framed({"id": n, "value": None}), [0] * 200),
    "a descriptor with an error": lambda n: (framed({"id": n, "errno": 2}), [0]),
    "a descriptor with a refusal": lambda n: (framed({"id": n, "refusal": ["resource", "missing", "x"]}), [0]),
    "a descriptor of a device": lambda n: (framed({"id": n, "value": None}), [opened("/dev/zero", os.O_RDONLY)]),
    "a descriptor of a pipe": lambda n: (framed({"id": n, "value": None}), [os.pipe()[0]]),
    "a descriptor of a socket": lambda n: (framed({"id": n, "value": None}), [socket.socketpair()[0].detach()]),
    "a descriptor to write to": lambda n: (framed({"id": n, "value": None}), [os.memfd_create("x")]),
    "a handle": lambda n: (framed({"id": n, "value": None}), [opened("/etc/passwd", os.O_PATH)]),
    "a handle of a directory": lambda n: (framed({"id": n, "value": None}), [opened("/etc", os.O_PATH)]),
    "something after the answer": lambda n: (framed({"id": n, "value": None}) + b"x", []),
    "two answers": lambda n: (framed({"id": n, "value": None}) * 2, []),
    "half a length": lambda n: (b"\x02\x00", []),
    "half an answer": lambda n: (framed({"id": n, "value": None})[:-3], []),
    "nothing": lambda n: (b"", []),
}


def main(kind: str) -> NoReturn:
    """Answer every question but the first with garbage of one kind; end the lane after it where it says so."""
    lanes = [socket.socket(fileno=int(each)) for each in sys.argv[2:]]
    receive(lanes[0])
    lanes[0].sendall(framed({"id": 0, "value": True}))
    for lane in lanes[1:]:
        threading.Thread(target=answer, args=(lane, kind), daemon=True).start()
    answer(lanes[0], kind)
    threading.Event().wait()
    os._exit(0)


def receive(lane: socket.socket) -> int:
    """Return the number of the next question."""
    data = b""
    while len(data) < 8:
        data += lane.recv(8 - len(data)) or os._exit(0)  # type: ignore[operator]
    head, body = struct.unpack("<II", data)
    data = b""
    while len(data) < head + body:
        data += lane.recv(head + body - len(data)) or os._exit(0)  # type: ignore[operator]
    return int(json.loads(data[:head])["id"])


def answer(lane: socket.socket, kind: str) -> None:
    while True:
        number = receive(lane)
        if kind == "the end":
            os._exit(0)
        if kind == "one byte after the other, without end":
            lane.sendall(struct.pack("<II", 60_000, 0))
            pause = threading.Event()
            while not pause.wait(0.02):
                lane.sendall(b" ")
        data, descriptors = ANSWERS[kind](number)
        if data:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
            sent = lane.sendmsg([data], ancillary)
            lane.sendall(data[sent:])


KINDS = (*ANSWERS, "the end", "one byte after the other, without end")
