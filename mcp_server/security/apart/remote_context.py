"""A `ClientContext`, as a handler in another process sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mcp_server.security.apart.door_channel import DoorChannel
from mcp_server.security.apart.remote_door import RemoteDoor
from mcp_server.security.apart.remote_state import RemoteState
from mcp_server.security.permissions.module_policy import ModulePolicy

if TYPE_CHECKING:
    from mcp_server.security.authentication.peer_identity import PeerIdentity
    from mcp_server.security.doors.answer import Answer

T = TypeVar("T")


class RemoteContext(RemoteDoor):
    """Who calls, and the doors of the call, all of which are in the server and check there.

    A call that is taken back ends the process, so nobody ever sees `cancelled`.

    Args:
        channel: The way to the server.
        kind: The class whose methods it has.
        facts: What is known of the call from the beginning: `id`, `profile`, `peer`, `max_result_bytes`.
    """

    cancelled = False
    isolation = None
    isolates = False

    def __init__(self, *, channel: DoorChannel, kind: type, facts: Mapping[str, Any]) -> None:
        super().__init__(channel=channel, name="", kind=kind)
        self.id: str = facts["id"]
        self.profile: str = facts["profile"]
        self.peer: PeerIdentity | None = facts["peer"]
        self.max_result_bytes: int = facts["max_result_bytes"]
        self.state = RemoteState(channel)

    @property
    def files(self) -> RemoteDoor:
        """The client's files."""
        from mcp_server.security.doors.file_door import FileDoor

        return self._door("files", FileDoor)

    @property
    def code(self) -> RemoteDoor:
        """Python programs, run in a sandbox of their own."""
        from mcp_server.security.doors.code_door import CodeDoor

        return self._door("code", CodeDoor)

    @property
    def run(self) -> RemoteDoor:
        """Programs of the operator's list."""
        from mcp_server.security.doors.run_door import RunDoor

        return self._door("run", RunDoor)

    @property
    def processes(self) -> RemoteDoor:
        """The same programs, beyond the call that starts them."""
        from mcp_server.security.doors.process_door import ProcessDoor

        return self._door("processes", ProcessDoor)

    @property
    def root_action(self) -> RemoteDoor:
        """What the operator lets be done as root."""
        from mcp_server.security.doors.root_action_door import RootActionDoor

        return self._door("root_action", RootActionDoor)

    @property
    def http(self) -> RemoteDoor:
        """Requests over HTTP."""
        from mcp_server.security.doors.http_door import HttpDoor

        return self._door("http", HttpDoor)

    @property
    def log(self) -> RemoteDoor:
        """Log messages to the client."""
        from mcp_server.security.doors.log_door import LogDoor

        return self._door("log", LogDoor)

    def module_policy(self, module: str) -> ModulePolicy:
        """Return what is said of a module: its handlers run here, for this is the process of their own."""
        return ModulePolicy("inline")

    async def ask(self, message: str, fields: Any) -> Answer:
        """Put a form before the client's human and return the answer; see `ClientContext.ask`."""
        from mcp_server.security.doors.form import Form

        # Types and models stay here; their schema can travel.
        answer: Answer = await self.__getattr__("ask")(message, Form(fields).schema)
        return answer

    async def run_sync(self, function: Callable[..., T], /, *args: Any) -> T:
        """Run a blocking function in a thread of this process."""
        return await asyncio.to_thread(function, *args)

    def _door(self, name: str, kind: type) -> RemoteDoor:
        return RemoteDoor(channel=self._channel, name=name, kind=kind)
