"""One request on its way through the server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from mcp_server.protocol.jsonrpc.message import RequestId
from mcp_server.protocol.revisions.revision import Revision
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.security.client_peer import ClientPeer
from mcp_server.security.running_call import RunningCall

if TYPE_CHECKING:
    from mcp_server.protocol.jsonrpc.request_meta import RequestMeta
    from mcp_server.protocol.sessions.batch_reply import BatchReply


class Exchange:
    """A request, where its answer goes, and what it may use of the client.

    Args:
        connection: Where it came from.
        request_id: Its id.
        method: Its method.
        params: Its parameters.
        revision: The revision it is answered in.
        meta: Its envelope, at 2026-07-28.
        batch: The batch it is part of, at 2025-03-26.
    """

    # Until something happens to the request; one is made for each.
    peer: ClientPeer | None = None
    task: asyncio.Future[None] | None = None
    pending: Coroutine[Any, Any, None] | None = None
    call: RunningCall | None = None
    is_cancelled = False
    is_running = False
    is_answered = False

    def __init__(
        self,
        connection: Connection,
        request_id: RequestId,
        method: str,
        params: Mapping[str, Any],
        revision: Revision,
        meta: RequestMeta | None,
        batch: BatchReply | None,
    ) -> None:
        self.connection = connection
        self.request_id = request_id
        self.method = method
        self.params = params
        self.revision = revision
        self.meta = meta
        self.batch = batch

    @property
    def client_capabilities(self) -> Mapping[str, Any]:
        """What the client says it can do, for this request."""
        if self.meta is not None:
            return self.meta.client_capabilities
        session = self.connection.session
        return session.capabilities if session is not None else {}

    def project(
        self, result: Mapping[str, Any], *, output_schema: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """Return a result, built in the newest shape, as the request's revision says it.

        Args:
            result: The result.
            output_schema: The called tool's output schema, for `tools/call`.
        """
        return self.revision.project_result(
            self.method, result, server_info=self.connection.server_info, output_schema=output_schema
        )

    def started(self, call: RunningCall) -> None:
        """Take note of the running call, so that it can be taken back."""
        self.call = call

    def answer(self, message: bytes) -> None:
        """Send the answer, once, unless the client took the request back."""
        if self.is_answered:
            return
        self.is_answered = True
        if self.batch is not None:
            self.batch.add(None if self.is_cancelled else message)
        elif not self.is_cancelled:
            self.connection.send(message)

    def tell(self, method: str, params: Mapping[str, Any] | None) -> None:
        """Send a notification that belongs to the request, unless the request is over."""
        if not self.is_answered and not self.is_cancelled:
            self.connection.notify(method, params)

    def on_loop(self, function: Callable[..., None], *args: Any) -> None:
        """Call `function` on the event loop: at once from there, soon from a thread in which a handler runs.

        What threads send soon keeps its order, and goes before the answer, which takes the same way.
        """
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        loop = here if self.task is None else self.task.get_loop()
        if loop is here:
            function(*args)
        elif loop is not None:
            with contextlib.suppress(RuntimeError):
                # A closed loop: the server has stopped, and nobody listens.
                loop.call_soon_threadsafe(function, *args)

    def cancel(self) -> None:
        """Take the request back: its task ends, and nothing more is sent for it."""
        self.is_cancelled = True
        if self.call is not None:
            self.call.is_cancelled = True
        # Before it runs it shares its task with others; whoever would begin it looks at `is_cancelled`.
        if self.task is not None and self.is_running:
            self.task.cancel()
