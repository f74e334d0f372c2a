"""A server process, and the raw end of its pipe: no client library between the test and the bytes."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Self

from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from tests.support.spec_validator import MODERN, SpecValidator

CHECKOUT: Final = Path(__file__).resolve().parents[3]
SUPPORT: Final = CHECKOUT / "tests" / "support"
PATIENCE_SECONDS: Final = 10.0
"""After this a test fails instead of hanging; nothing of a healthy server takes nearly so long."""
READ_BYTES: Final = 1 << 16
KEPT_ENVIRONMENT: Final = ("HOME", "PATH", "LANG", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")


def serve_command(home: Path, *options: str) -> list[str]:
    """The command line of `mcp-server serve` with the module of the tests, for a server that lives in `home`."""
    (home / "folder").mkdir(exist_ok=True)
    return [
        *(sys.executable, "-m", "mcp_server", "serve", "--module", "everything_server"),
        *("--folder", str(home / "folder"), "--state", str(home / "state"), *options),
    ]


def script_command(home: Path, *options: str) -> list[str]:
    """The command line of the tests' server as a script of its own, which can be given another grace."""
    return [sys.executable, str(SUPPORT / "everything_server.py"), "--state", str(home / "state"), *options]


def server_environment(*paths: Path, **variables: str) -> dict[str, str]:
    """The environment of a server; `paths` are looked through for modules first."""
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, (*paths, CHECKOUT, SUPPORT))), **variables}


class RawServer:
    """Starts a server, sends it lines, and checks every message it sends against the protocol's schema.

    Args:
        home: Where its folder, its state and its standard error live.
        command: What to start; `mcp-server serve` with the tests' module when not given.
        environment: Its environment.
        stdin: What its standard input is, when that is not a pipe of ours.
        options: Further options of `mcp-server serve`.
    """

    def __init__(
        self,
        home: Path,
        *options: str,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] = subprocess.PIPE,
        stdout: int | IO[bytes] = subprocess.PIPE,
    ) -> None:
        self.home = home
        self.revision = "2025-11-25"
        self.kept: deque[dict[str, Any]] = deque()
        self._stderr = (home / "stderr.txt").open("w+b")
        self.process = subprocess.Popen(
            serve_command(home, *options) if command is None else list(command),
            stdin=stdin,
            stdout=stdout,
            stderr=self._stderr,
            env=dict(server_environment() if environment is None else environment),
            # A signal to the server must not reach the test, nor the other way round.
            start_new_session=True,
        )
        self._asked: dict[Any, tuple[str, str]] = {}
        self._lines: deque[bytes] = deque()
        self._rest = bytearray()
        self._is_ended = False
        self._write_fd = self.process.stdin.fileno() if self.process.stdin is not None else -1
        self._read_fd = self.process.stdout.fileno() if self.process.stdout is not None else -1
        self._next_id = 0

    def use(self, read_fd: int, write_fd: int) -> None:
        """Talk over these descriptors instead of the pipes."""
        self._read_fd, self._write_fd = read_fd, write_fd

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._stderr):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue

    # Sending

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        while data:
            data = data[os.write(self._write_fd, data) :]

    def send(self, message: Any) -> None:
        """Send one message as a line."""
        if isinstance(message, dict) and "method" in message and "id" in message:
            modern = "_meta" in message.get("params", {}) and any("/" in key for key in message["params"]["_meta"])
            self._asked[message["id"]] = (message["method"], MODERN if modern else self.revision)
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def expect(self, request_id: Any, method: str) -> None:
        """Say which method the answer with this id belongs to, for what was sent as bytes."""
        self._asked[request_id] = (method, self.revision)

    def request(self, method: str, params: Mapping[str, Any] | None = None, *, modern: Any = None) -> int:
        """Send a request and return its id; `modern` is the client's capabilities at 2026-07-28."""
        self._next_id += 1
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": self._next_id, "method": method}
        if params is not None or modern is not None:
            message["params"] = dict(params or {})
        if modern is not None:
            message["params"]["_meta"] = {
                **message["params"].get("_meta", {}),
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": modern,
            }
        self.send(message)
        return self._next_id

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": dict(params)})})

    def start_call(self, name: str, *, modern: Any = None, **arguments: Any) -> int:
        """Send `tools/call` and return its id."""
        return self.request("tools/call", {"name": name, "arguments": arguments}, modern=modern)

    # Receiving

    def line(self) -> bytes | None:
        """Return the next line, None at the end of the stream."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._read_fd, selectors.EVENT_READ)
            while not self._lines:
                if self._is_ended:
                    assert not self._rest, f"an unfinished line: {bytes(self._rest[:200])!r}"
                    return None
                assert selector.select(deadline - time.monotonic()), f"no answer in time; stderr: {self.stderr()}"
                data = os.read(self._read_fd, READ_BYTES)
                self._is_ended = not data
                *lines, rest = (bytes(self._rest) + data).split(b"\n") if b"\n" in data else (bytes(self._rest) + data,)
                self._lines += lines
                self._rest = bytearray(rest)
        return self._lines.popleft()

    def receive(self) -> dict[str, Any]:
        """Return the next message, checked; the stream must not have ended."""
        line = self.line()
        assert line is not None, f"the server closed its output; stderr: {self.stderr()}"
        return self.check(line)

    def check(self, line: bytes) -> dict[str, Any]:
        """Check one line of the server against the schema of the revision it belongs to, and return it parsed."""
        value = json.loads(line)
        assert isinstance(value, dict), f"no message: {line[:200]!r}"
        method, revision = self._asked.get(value.get("id"), (None, self.revision))
        if "method" in value:
            is_modern = any("/" in key for key in value.get("params", {}).get("_meta", {}))
            method, revision = None, MODERN if is_modern else self.revision
        return SpecValidator(revision).message(line, method)

    def answer(self, request_id: Any) -> dict[str, Any]:
        """Return the answer with this id; what comes before it is kept in `kept`."""
        for position, message in enumerate(self.kept):
            if message.get("id") == request_id and "method" not in message:
                del self.kept[position]
                return message
        while True:
            message = self.receive()
            if message.get("id") == request_id and "method" not in message:
                return message
            self.kept.append(message)

    def notification(self, method: str) -> dict[str, Any]:
        """Return the next notification or request of this method; what comes before it is kept in `kept`."""
        for position, message in enumerate(self.kept):
            if message.get("method") == method:
                del self.kept[position]
                return message
        while True:
            message = self.receive()
            if message.get("method") == method:
                return message
            self.kept.append(message)

    def result(self, method: str, params: Mapping[str, Any] | None = None, *, modern: Any = None) -> dict[str, Any]:
        """Send a request, and return the result of its answer."""
        answer = self.answer(self.request(method, params, modern=modern))
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def text(self, name: str, **arguments: Any) -> str:
        """Call a tool and return its text."""
        return text_of(self.answer(self.start_call(name, **arguments)))

    def initialize(self, revision: str = "2025-11-25", **capabilities: Any) -> dict[str, Any]:
        """Open a legacy session."""
        self.revision = revision
        result = self.result(
            "initialize",
            {
                "protocolVersion": revision,
                "capabilities": capabilities,
                "clientInfo": {"name": "raw", "version": "1"},
            },
        )
        assert result["protocolVersion"] == revision
        self.notify("notifications/initialized")
        return result

    def hold(self, label: str) -> int:
        """Start a call that waits, and return its id once it does."""
        request_id = self.start_call("hold", label=label)
        while self.notification("notifications/message")["params"]["data"] != f"holding {label}":
            continue
        return request_id

    # The end

    def close_input(self) -> None:
        """Close our end of the server's input: the regular way to stop it."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self) -> int:
        """Wait for the server's end, reading what it still sends, and return its exit status."""
        if self._read_fd >= 0:
            while (line := self.line()) is not None:
                self.kept.append(self.check(line))
        return self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        """Close the input, wait for the end, and look at the audit."""
        self.close_input()
        status = self.wait()
        self.check_audit()
        return status

    def audit_records(self) -> list[dict[str, Any]]:
        """Return all records of the server's audit log."""
        return list(AuditReader(self.home / "state" / "audit" / "local").records())

    def check_audit(self, reason: str = "end of input") -> None:
        """Check that the server left a whole audit log, and that it ended for this reason."""
        check_audit(self.home, reason)

    def stderr(self) -> str:
        """Return what the server wrote to its standard error so far."""
        return (self.home / "stderr.txt").read_text(encoding="utf-8", errors="replace")[-4000:]


def text_of(answer: Mapping[str, Any]) -> str:
    """Return the text of a tool's answer, which must be no error."""
    assert "result" in answer, answer
    assert not answer["result"].get("isError"), answer
    text: str = answer["result"]["content"][0]["text"]
    return text


def check_audit(home: Path, reason: str) -> None:
    """Check that an audit log is intact and complete: no call without an outcome, and the end with its reason."""
    directory = home / "state" / "audit" / "local"
    verdict = AuditVerifier().verify(directory, deep=True)
    assert verdict.is_intact, verdict
    assert verdict.beyond_head == 0, verdict
    assert verdict.open_calls == 0, verdict
    *records, last = AuditReader(directory).records()
    assert last["kind"] == "log.close"
    stop = max(at for at, record in enumerate(records) if record["kind"] == "server.stop")
    assert records[stop]["reason"] == reason
    # A call that could not be ended is named after that, as one whose outcome nobody knows.
    assert {record["kind"] for record in records[stop + 1 :]} <= {"call.unknown"}
