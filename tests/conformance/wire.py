"""One client's pipe to the server, in bytes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final, TypeVar

from mcp_server.client.memory_channel import MemoryChannel
from mcp_server.protocol.mcp_protocol_handler import MCPProtocolHandler
from mcp_server.security.authentication.credentials import Credentials
from tests.support.spec_validator import MODERN, SpecValidator

T = TypeVar("T")

PREFIX: Final = "io.modelcontextprotocol/"
VERSION: Final = PREFIX + "protocolVersion"
CAPABILITIES: Final = PREFIX + "clientCapabilities"
CLIENT_INFO: Final = PREFIX + "clientInfo"
LOG_LEVEL: Final = PREFIX + "logLevel"
SUBSCRIPTION_ID: Final = PREFIX + "subscriptionId"
SERVER_INFO: Final = PREFIX + "serverInfo"

NEWEST_LEGACY: Final = "2025-11-25"
PATIENCE_SECONDS: Final = 5.0
"""How long an answer may take before the test is called failed; no test waits so long unless it fails."""


class Wire:
    """Send frames, collect what comes back, and hold each message against the schema of the revision it is in.

    Args:
        handler: The server's protocol.
        profile: The client's name in the policy.
        revision: What `request` and its kin speak.
        capabilities: What the client says it can do.
    """

    def __init__(
        self,
        *,
        handler: MCPProtocolHandler,
        profile: str,
        revision: str,
        capabilities: Mapping[str, Any] | None = None,
    ) -> None:
        self.handler = handler
        self.revision = revision
        self.capabilities = dict(capabilities or {})
        self.raw: list[bytes] = []
        self.messages: list[Any] = []
        self.problems: list[str] = []
        self.on_message: Callable[[bytes], None] = lambda data: None
        self._ids = count(1)
        self._expected: dict[Any, tuple[str, str]] = {}
        self._tokens: dict[Any, str] = {}
        self._news = asyncio.Event()
        self._thread = threading.get_ident()
        self.connection = handler.open(
            MemoryChannel(Credentials(transport="memory", profile=profile, connection=str(id(self))), self._deliver)
        )

    @property
    def is_modern(self) -> bool:
        return self.revision == MODERN

    # Sending

    def frame(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.handler.receive(self.connection, data)

    def post(self, message: Any) -> None:
        """Send any JSON value."""
        for each in message if isinstance(message, list) else [message]:
            if isinstance(each, dict) and isinstance(each.get("method"), str) and "id" in each:
                self._expect(each)
        self.frame(json.dumps(message).encode())

    def start(
        self, method: str, params: Mapping[str, Any] | None = None, *, request_id: Any = None, **meta: Any
    ) -> Any:
        """Send a request in the wire's revision and return its id.

        Args:
            method: Its method.
            params: Its parameters, without the envelope.
            request_id: Its id, by default the next number.
            **meta: Further members of `_meta`, such as `progressToken`.
        """
        number = next(self._ids) if request_id is None else request_id
        self.post(self.compose(method, params, request_id=number, **meta))
        return number

    def compose(
        self, method: str, params: Mapping[str, Any] | None = None, *, request_id: Any, **meta: Any
    ) -> dict[str, Any]:
        """Return the request that `start` would send."""
        given = dict(params or {})
        members = {**self.envelope(), **meta} if self.is_modern else meta
        if members:
            given["_meta"] = {**given.get("_meta", {}), **members}
        message = {"jsonrpc": "2.0", "id": request_id, "method": method}
        if given or params is not None:
            message["params"] = given
        return message

    def envelope(self) -> dict[str, Any]:
        """Return what every modern request says of itself."""
        return {VERSION: MODERN, CAPABILITIES: self.capabilities, CLIENT_INFO: {"name": "wire", "version": "1"}}

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Send a notification."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = dict(params)
        self.post(message)

    def reply(self, question: Mapping[str, Any], result: Any = None, *, error: Any = None) -> None:
        """Answer a request of the server."""
        answer = {"result": result} if error is None else {"error": error}
        self.frame(json.dumps({"jsonrpc": "2.0", "id": question["id"], **answer}).encode())

    def cancel(self, request_id: Any) -> None:
        """Take a request back."""
        self.notify("notifications/cancelled", {"requestId": request_id, "reason": "test"})

    # Asking and waiting

    async def ask(
        self, method: str, params: Mapping[str, Any] | None = None, *, request_id: Any = None, **meta: Any
    ) -> dict[str, Any]:
        """Send a request and return the whole answer."""
        return await self.answer(self.start(method, params, request_id=request_id, **meta))

    async def result(self, method: str, params: Mapping[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
        """Send a request that succeeds and return its result."""
        answer = await self.ask(method, params, **meta)
        assert "result" in answer, answer
        return answer["result"]

    async def error(self, method: str, params: Mapping[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
        """Send a request that fails and return its error."""
        answer = await self.ask(method, params, **meta)
        assert "error" in answer, answer
        return answer["error"]

    async def answers_alike(
        self, method: str, params: Callable[[str], Mapping[str, Any]], hidden: str, absent: str
    ) -> bool:
        """Ask for what is there but hidden, and for what is not: whether the answers differ in the name alone."""
        number = len(self.raw)
        for name in (hidden, absent):
            await self.ask(method, params(name), request_id=f"{name}.{number}")
        first, second = self.raw[-2:]
        return first.replace(hidden.encode(), absent.encode()) == second

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return the CallToolResult."""
        return await self.result("tools/call", {"name": tool, "arguments": arguments})

    async def answer(self, request_id: Any) -> dict[str, Any]:
        """Wait for the answer to a request."""
        return await self.until(lambda: self.answered(request_id), f"an answer to {request_id!r}")

    def answered(self, request_id: Any) -> dict[str, Any] | None:
        """Return the last answer to a request, None when there is none yet."""
        for message in reversed(self._flat()):
            if "method" not in message and type(message.get("id")) is type(request_id) and message["id"] == request_id:
                return message
        return None

    def answers(self, request_id: Any) -> list[dict[str, Any]]:
        """Return every answer to a request."""
        return [each for each in self._flat() if "method" not in each and each.get("id") == request_id]

    async def question(self, number: int = 0) -> dict[str, Any]:
        """Wait for the server's request of that number, counted from 0."""
        return await self.until(
            lambda: self.questions[number] if len(self.questions) > number else None, f"question {number}"
        )

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The requests the server has sent."""
        return [each for each in self._flat() if "method" in each and "id" in each]

    def news(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of every notification of a method that has come."""
        return [each.get("params", {}) for each in self._flat() if each.get("method") == method and "id" not in each]

    async def until(self, look: Callable[[], T | None], what: str) -> T:
        """Wait until `look` returns something."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (found := look()) is None:
                    self._news.clear()
                    await self._news.wait()
                return found
        except TimeoutError:
            raise AssertionError(f"{what} did not come; there came {self.messages}") from None

    async def settle(self) -> None:
        """Let everything that can go on go on, so that silence means silence."""
        for _ in range(60):
            await asyncio.sleep(0)

    async def shake_hands(self, *, initialized: bool = True) -> dict[str, Any]:
        """Open a legacy session and return the result of `initialize`."""
        result = await self.result("initialize", self.hello())
        if initialized:
            self.notify("notifications/initialized")
        return result

    def hello(self, version: str | None = None) -> dict[str, Any]:
        """Return the parameters of `initialize`."""
        return {
            "protocolVersion": version or self.revision,
            "capabilities": self.capabilities,
            "clientInfo": {"name": "wire", "version": "1"},
        }

    # What comes back

    def _flat(self) -> list[dict[str, Any]]:
        flat: list[dict[str, Any]] = []
        for message in self.messages:
            flat.extend(message if isinstance(message, list) else [message])
        return flat

    def _expect(self, message: Mapping[str, Any]) -> None:
        params = message.get("params")
        meta = params.get("_meta") if isinstance(params, dict) else None
        modern = isinstance(meta, dict) and (VERSION in meta or CAPABILITIES in meta)
        date = MODERN if modern else self._legacy_date
        # The id of a request in flight goes on to stand for that one.
        if isinstance(message["id"], (str, int)) and message["id"] not in self.connection.exchanges:
            self._expected[message["id"]] = (message["method"], date)
        if isinstance(meta, dict) and isinstance(meta.get("progressToken"), (str, int)):
            self._tokens[meta["progressToken"]] = date

    @property
    def _legacy_date(self) -> str:
        session = self.connection.session
        if session is not None:
            return session.revision.date
        return NEWEST_LEGACY if self.is_modern else self.revision

    def _deliver(self, data: bytes) -> None:
        if threading.get_ident() != self._thread:
            self.problems.append(f"sent from another thread: {data!r}")
        self.on_message(data)
        value = json.loads(data)
        self.raw.append(data)
        self.messages.append(value)
        try:
            self._check(value, data)
        except AssertionError as problem:
            self.problems.append(str(problem))
        self._news.set()

    def _check(self, value: Any, data: bytes) -> None:
        if isinstance(value, list):
            assert value, "an empty batch was sent"
            methods = {each.get("id"): self._expected.get(each.get("id"), ("", ""))[0] for each in value}
            SpecValidator(self._legacy_date).batch(methods, value)
        elif "method" in value:
            validator = SpecValidator(self._date_of_news(value))
            if "id" in value:
                validator.server_request(data)
            else:
                validator.notification(data)
        else:
            method, date = self._expected.get(value.get("id"), ("", self._legacy_date))
            SpecValidator(date).answer(method, data)

    def _date_of_news(self, value: Mapping[str, Any]) -> str:
        params = value.get("params") or {}
        if SUBSCRIPTION_ID in (params.get("_meta") or {}):
            return MODERN
        if value["method"] == "notifications/progress":
            return self._tokens.get(params["progressToken"], self._legacy_date)
        return MODERN if self.connection.session is None else self._legacy_date
