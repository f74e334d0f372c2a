"""The client of a legacy session, as a handler sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.protocol.revisions.handshake_revision import HandshakeRevision
from mcp_server.protocol.sessions.client_abilities import can_elicit_form, can_elicit_url, check_sampling
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.progress_meter import ProgressMeter
from mcp_server.protocol.sessions.session import Session
from mcp_server.security.doors.log_door import LEVELS


class HandshakePeer:
    """Asks by real requests to the client, within the request that made them necessary.

    Args:
        exchange: The request whose handler asks.
        session: The session it belongs to.
        meter: Its progress, None when the client gave no token.
    """

    __slots__ = ("_elicited", "_exchange", "_meter", "_session")

    def __init__(self, exchange: Exchange, session: Session, meter: ProgressMeter | None) -> None:
        self._exchange = exchange
        self._session = session
        self._meter = meter
        self._elicited = 0

    @property
    def _revision(self) -> HandshakeRevision:
        return self._session.revision

    @property
    def can_elicit(self) -> bool:
        """Whether the client can put a form before its human."""
        return can_elicit_form(self._revision, self._session.capabilities)

    @property
    def can_elicit_url(self) -> bool:
        """Whether the client can send its human to a web page."""
        return can_elicit_url(self._revision, self._session.capabilities)

    @property
    def can_sample(self) -> bool:
        """Whether the client lends its model."""
        return "sampling" in self._session.capabilities

    @property
    def can_list_roots(self) -> bool:
        """Whether the client tells its roots."""
        return "roots" in self._session.capabilities

    async def elicit(
        self, params: Mapping[str, Any], *, bound_to: str = "", ttl_seconds: float | None = None
    ) -> Mapping[str, Any]:
        """Ask the human."""
        call = self._exchange.call
        self._elicited += 1
        elicitation_id = f"{call.call_id if call else ''}-elicitation-{self._elicited}"
        return await self._request(
            "elicitation/create", self._revision.project_elicitation(params, elicitation_id=elicitation_id)
        )

    async def sample(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask the client's model."""
        check_sampling(params, self._session.capabilities)
        return await self._request("sampling/createMessage", self._revision.project_sampling(params))

    async def list_roots(self) -> Sequence[Mapping[str, Any]]:
        """Return the client's roots."""
        result = await self._request("roots/list", None)
        roots = result.get("roots")
        if not isinstance(roots, list) or not all(isinstance(each, Mapping) for each in roots):
            raise ResourceUnavailableError("io", "the client's list of roots is none")
        return roots

    def progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Send progress, where the client gave a token."""
        if self._meter is not None:
            self._exchange.on_loop(self._progress, progress, total, message)

    def heartbeat(self, elapsed_seconds: float) -> None:
        """Send a sign of life, where the client gave a token."""
        if self._meter is not None:
            self._send(self._meter.heartbeat(elapsed_seconds))

    def log(self, level: str, data: Any, logger: str | None) -> None:
        """Send a log message, where the session's level lets it through."""
        if LEVELS.index(level) >= LEVELS.index(self._session.log_level):
            params = (
                {"level": level, "data": data} if logger is None else {"level": level, "logger": logger, "data": data}
            )
            self._exchange.on_loop(self._exchange.tell, "notifications/message", params)

    async def _request(self, method: str, params: Mapping[str, Any] | None) -> Mapping[str, Any]:
        # Source: MCP 2025-11-25, basic/lifecycle: before `initialized` the server sends no requests but pings.
        if not self._session.is_initialized:
            raise ResourceUnavailableError(
                "busy", "the client has not finished its handshake: it must send notifications/initialized first"
            )
        return await self._exchange.connection.request(method, params)

    def _progress(self, progress: float, total: float | None, message: str | None) -> None:
        assert self._meter is not None
        self._send(self._meter.report(progress, total, message))

    def _send(self, params: Mapping[str, Any] | None) -> None:
        if params is not None:
            self._exchange.tell(
                "notifications/progress", self._revision.project_notification("notifications/progress", params)
            )
