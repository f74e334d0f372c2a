"""The server's side of the doors of a handler that runs apart."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic_core import from_json

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.walk_result import WalkResult
from mcp_server.security.apart.door_methods import door_methods
from mcp_server.security.apart.named_root import without_descriptors
from mcp_server.security.apart.told_errors import understood

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext

logger = logging.getLogger(__name__)

MAX_AT_ONCE: Final = 8
"""Questions of one handler that are answered at the same time; further ones wait."""

MAX_WAITING: Final = 256
"""Questions that wait: a handler that asks on without an answer has lost its mind, or never had one."""

MAX_REMEMBERED: Final = 64
"""Refusals that can be handed on as they were: the last ones."""

_TOLD: Final = (KeyError, TypeError, ValueError)
"""What a door raises at a wrong argument, beside the errors of this library."""


class DoorDesk:
    """Answer what one handler asks of its call's doors, and take its result.

    The handler's process may be anybody's by now, so it is believed nothing: it can ask for what `door_methods` lists,
    with arguments of the listed types, and every door checks what it asks as it does for a handler in here. What it
    says is JSON. The answers go the other way, from whom it must believe anyway, and are pickled.

    Args:
        context: The call's doors.
        send: Says something to the handler's process.
    """

    def __init__(self, *, context: ClientContext, send: Callable[[bytes], None]) -> None:
        self._context = context
        self._send = send
        self._methods = door_methods()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[int, str, Mapping[str, Any]]] = deque()
        self._refusals: dict[int, BaseException] = {}
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.clear()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.outcome.done() and not self.outcome.cancelled():
            # Somebody may have left before he asked for it.
            self.outcome.exception()
        self.outcome.cancel()

    def take(self, message: bytes) -> None:
        """Take what the handler's process says: a question, or how the handler ended."""
        if self.outcome.done():
            return
        try:
            said = from_json(message, allow_inf_nan=False)
            if "result" in said:
                self.outcome.set_result(said["result"])
            elif "error" in said:
                self.outcome.set_exception(self._failure(said["error"]))
            else:
                number, name, arguments = said["id"], said["door"], said["arguments"]
                if not (isinstance(number, int) and isinstance(name, str) and isinstance(arguments, dict)):
                    raise TypeError("no question")
                self._ask(number, name, arguments)
        except (KeyError, TypeError, ValueError) as error:
            self._give_up(f"its process says what nobody understands ({type(error).__name__})")

    def _ask(self, number: int, name: str, arguments: Mapping[str, Any]) -> None:
        if len(self._tasks) < MAX_AT_ONCE:
            self._begin(number, name, arguments)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append((number, name, arguments))
        else:
            self._give_up("its process asks on and on")

    def _begin(self, number: int, name: str, arguments: Mapping[str, Any]) -> None:
        task = asyncio.create_task(self._answer(number, name, arguments), name="mcp-server-door")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._waiting and len(self._tasks) < MAX_AT_ONCE:
            self._begin(*self._waiting.popleft())

    async def _answer(self, number: int, name: str, arguments: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {"id": number}
        try:
            value = await self._value(name, arguments)
            data = pickle.dumps(answer | {"value": value})
        except (MCPServerError, *_TOLD) as error:
            self._remember(number, error)
            # Rebuilt from its parts, for not every one can be made again from its message; notes are for the operator.
            fields = {name: value for name, value in vars(error).items() if not name.startswith("__")}
            data = pickle.dumps(answer | {"error": (type(error), error.args, fields)})
        except Exception:
            logger.exception("a door failed that a handler asked for from afar: %s", name)
            failure = RuntimeError("the door failed; the server's log says why")
            data = pickle.dumps(answer | {"error": (RuntimeError, failure.args, {})})
        except asyncio.CancelledError:
            raise
        except BaseException as signal:  # noqa: BLE001 - a question to the client unwinds the handler; it goes to the call
            if not self.outcome.done():
                self.outcome.set_exception(signal)
            return
        self._send(data)

    async def _value(self, name: str, arguments: Mapping[str, Any]) -> Any:
        method = self._methods.get(name)
        if method is None:
            raise ValueError("there is no such door")
        given = method.read(arguments)
        options = given.pop("options", {})
        value = attrgetter(name)(self._context)
        if not method.is_value:
            value = value(**given, **options)
        if method.is_async:
            value = await value
        if isinstance(value, Iterator):
            return tuple(value)
        return without_descriptors(value) if isinstance(value, WalkResult) else value

    def _remember(self, number: int, error: BaseException) -> None:
        self._refusals[number] = error
        if len(self._refusals) > MAX_REMEMBERED:
            del self._refusals[next(iter(self._refusals))]

    def _failure(self, told: Mapping[str, Any]) -> BaseException:
        """Return what a handler's error becomes here: what a door refused it with, its own words, or a bug."""
        refusal = self._refusals.get(told["door"]) if "door" in told else None
        if refusal is not None:
            return refusal
        return understood(told)

    def _give_up(self, why: str) -> None:
        logger.warning("call %s of %s was ended: %s", self._context.id, self._context.profile, why)
        if not self.outcome.done():
            self.outcome.set_exception(
                ResourceUnavailableError("io", "the process of this tool misbehaved and was ended; nothing came of it")
            )
