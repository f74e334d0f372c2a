"""The client of one 2026-07-28 request, as a handler sees it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.request_meta import RequestMeta
from mcp_server.protocol.sessions.client_abilities import can_elicit_form, can_elicit_url, check_sampling
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.progress_meter import ProgressMeter
from mcp_server.security.doors.log_door import LEVELS


class StatelessPeer:
    """Asks by leaving: a question travels in the result, and the handler runs again with the answer.

    Questions are numbered in the order in which the handler asks them. An answer counts only for a question that was
    really asked, word for word: the sealed state that travels with it says so.

    Args:
        exchange: The request.
        meta: Its envelope.
        meter: Its progress, None when the client gave no token.
        asked: Digests of the questions asked in earlier rounds, by key.
        answers: The answers to them that have come.
    """

    __slots__ = ("_count", "_exchange", "_meta", "_meter", "answers", "asked")

    def __init__(
        self,
        exchange: Exchange,
        meta: RequestMeta,
        meter: ProgressMeter | None,
        asked: Mapping[str, str],
        answers: Mapping[str, Any],
    ) -> None:
        self._exchange = exchange
        self._meta = meta
        self._meter = meter
        self._count = 0
        self.asked = dict(asked)
        self.answers = dict(answers)

    @property
    def can_elicit(self) -> bool:
        """Whether the client can put a form before its human."""
        return can_elicit_form(self._exchange.revision, self._meta.client_capabilities)

    @property
    def can_elicit_url(self) -> bool:
        """Whether the client can send its human to a web page."""
        return can_elicit_url(self._exchange.revision, self._meta.client_capabilities)

    @property
    def can_sample(self) -> bool:
        """Whether the client lends its model."""
        return "sampling" in self._meta.client_capabilities

    @property
    def can_list_roots(self) -> bool:
        """Whether the client tells its roots."""
        return "roots" in self._meta.client_capabilities

    async def elicit(
        self, params: Mapping[str, Any], *, bound_to: str = "", ttl_seconds: float | None = None
    ) -> Mapping[str, Any]:
        """Ask the human."""
        revision = self._exchange.revision
        question = revision.project_elicitation(params, elicitation_id="")
        return self._ask("elicitation/create", question, bound_to, ttl_seconds)

    async def sample(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask the client's model."""
        check_sampling(params, self._meta.client_capabilities)
        return self._ask("sampling/createMessage", self._exchange.revision.project_sampling(params))

    async def list_roots(self) -> Sequence[Mapping[str, Any]]:
        """Return the client's roots."""
        roots = self._ask("roots/list", None).get("roots")
        if not isinstance(roots, list) or not all(isinstance(each, Mapping) for each in roots):
            raise ProtocolError(ErrorCode.INVALID_PARAMS, "inputResponses: the list of roots is none")
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
        """Send a log message, where the request asked for its level."""
        threshold = self._meta.log_level
        if threshold is not None and LEVELS.index(level) >= LEVELS.index(threshold):
            params = (
                {"level": level, "data": data} if logger is None else {"level": level, "logger": logger, "data": data}
            )
            self._exchange.on_loop(self._exchange.tell, "notifications/message", params)

    def _ask(
        self, method: str, params: Mapping[str, Any] | None, bound_to: str = "", ttl_seconds: float | None = None
    ) -> Mapping[str, Any]:
        request = {"method": method} if params is None else {"method": method, "params": dict(params)}
        number = self._count
        self._count += 1
        key = f"q{number}"
        digest = hashlib.sha256(to_json([request, bound_to])).hexdigest()
        answer = self.answers.get(key)
        if self.asked.get(key) == digest and isinstance(answer, Mapping):
            return answer
        # Answers to later questions belong to a course the handler did not take this time.
        earlier = {f"q{each}" for each in range(number)}
        self.answers = {each: value for each, value in self.answers.items() if each in earlier}
        self.asked = {each: value for each, value in self.asked.items() if each in earlier}
        self.asked[key] = digest
        raise InputRequiredSignal(key, request, ttl_seconds)

    def _progress(self, progress: float, total: float | None, message: str | None) -> None:
        assert self._meter is not None
        self._send(self._meter.report(progress, total, message))

    def _send(self, params: Mapping[str, Any] | None) -> None:
        if params is not None:
            self._exchange.tell("notifications/progress", params)
