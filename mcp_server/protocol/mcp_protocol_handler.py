"""Messages in, messages out: the protocol tier's one entrance."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.operation_failed_error import OperationFailedError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.call_runner import CallRunner
from mcp_server.protocol.channel import Channel
from mcp_server.protocol.handlers.subscriptions_handler import LISTEN, SubscriptionsHandler
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.jsonrpc.message import Message, RequestId
from mcp_server.protocol.jsonrpc.notification import Notification
from mcp_server.protocol.jsonrpc.refused_frame import RefusedFrame
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.request_meta import RequestMeta, is_enveloped, progress_token
from mcp_server.protocol.jsonrpc.response import Response
from mcp_server.protocol.protocol_config import ProtocolConfig
from mcp_server.protocol.refusals import as_error
from mcp_server.protocol.request_router import RequestRouter
from mcp_server.protocol.revisions.revision import Revision
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.batch_reply import BatchReply
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.handshake_peer import HandshakePeer
from mcp_server.protocol.sessions.progress_meter import ProgressMeter
from mcp_server.protocol.sessions.stateless_peer import StatelessPeer
from mcp_server.protocol.sessions.subscription_hub import SubscriptionHub
from mcp_server.security.consent.state_sealer import TTL_SECONDS, StateSealer
from mcp_server.security.security_chain import SecurityChain

logger = logging.getLogger(__name__)

LISTING_ROOM: Final = 8
"""Listings that may run while all places are taken by calls: a client must see what there is even then."""


class MCPProtocolHandler:
    """Takes frames of any revision, decides the era of each message, and answers.

    An enveloped request is modern and stands alone; any other belongs to the connection's legacy session. Nothing pins
    a connection to an era. Methods that touch no module are answered at once, in `receive`; operations run as tasks,
    at most so many a connection, and go through the chain.

    Source: MCP 2026-07-28, basic/versioning; MCP 2025-11-25, basic/lifecycle.

    Args:
        codec: Reads and writes messages.
        registry: The revisions served.
        router: The methods offered.
        subscriptions: Serves `subscriptions/listen`.
        hub: Tells connections of changes.
        chain: Runs operations.
        sealer: Seals the state of questions that travel in results.
        config: Bounds.
    """

    def __init__(
        self,
        *,
        codec: JSONRPCCodec,
        registry: RevisionRegistry,
        router: RequestRouter,
        subscriptions: SubscriptionsHandler,
        hub: SubscriptionHub,
        chain: SecurityChain,
        sealer: StateSealer,
        config: ProtocolConfig,
    ) -> None:
        self._codec = codec
        self._registry = registry
        self._router = router
        self._subscriptions = subscriptions
        self._hub = hub
        self._chain = chain
        self._sealer = sealer
        self._config = config
        # Whose words a refusal is told in, as long as nothing says otherwise.
        self._newest_handshake = registry.negotiate("")
        self._newest_modern = registry.modern(registry.modern_dates[-1])
        self._runner = CallRunner(dropped=self._ended)

    def open(self, channel: Channel) -> Connection:
        """Begin to serve a channel."""
        connection = Connection(channel=channel, codec=self._codec, server_info=self._config.server_info)
        self._hub.add(connection)
        return connection

    def receive(self, connection: Connection, frame: bytes | RefusedFrame) -> None:
        """Take one frame; every request in it is answered, now or later, unless the client takes it back."""
        message = self._codec.decode(frame)
        if type(message) is Request:
            self._receive_request(connection, message, None)
        elif isinstance(message, list):
            self._receive_batch(connection, message)
        else:
            self._receive_message(connection, message, None)

    def receive_all(self, connection: Connection, frames: Iterable[bytes | RefusedFrame]) -> None:
        """Take the frames of one read; its requests begin when all of them are taken."""
        self._runner.hold()
        try:
            for frame in frames:
                self.receive(connection, frame)
        finally:
            self._runner.release()

    def pause(self, connection: Connection) -> None:
        """Begin no further request while the client does not take the answers of those before."""
        connection.is_paused = True

    def resume(self, connection: Connection) -> None:
        """Begin the requests that wait, now that the client reads."""
        connection.is_paused = False
        self._begin_waiting(connection)

    async def close(self, connection: Connection, grace_seconds: float) -> None:
        """Stop serving: let what runs end within the grace, end the rest, and forget the client.

        Args:
            connection: The connection.
            grace_seconds: How long running requests may go on, in seconds.
        """
        for subscription in tuple(connection.subscriptions.values()):
            exchange = connection.exchanges.pop(subscription.request_id, None)
            connection.subscriptions.pop(subscription.request_id, None)
            if exchange is not None:
                exchange.answer(self._codec.response(exchange.request_id, self._subscriptions.end_result(subscription)))
        # Requests that wait begin as others end, within the same grace.
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_seconds
        while (tasks := connection.tasks) and (left := deadline - loop.time()) > 0:
            await asyncio.wait(tasks, timeout=left)
        # Those that still wait go first, or the end of the others would begin them.
        for exchange in (*connection.waiting, *connection.exchanges.values()):
            self._take_back(exchange)
        if tasks:
            # A handler that ignores its cancellation does not keep the server.
            await asyncio.wait(tasks, timeout=1.0)
        connection.close()
        self._hub.remove(connection)
        if self._hub.is_empty:
            await self._runner.rest()
        self._chain.forget(connection.channel.credentials)

    # Messages

    def _receive_batch(self, connection: Connection, messages: list[Message]) -> None:
        session = connection.session
        if session is None or not session.revision.supports_batch:
            refusal = "a batch is not allowed in this revision; send one message a line"
            connection.send(self._codec.error(None, ErrorCode.INVALID_REQUEST, refusal))
            return
        expected = sum(isinstance(each, (Request, InvalidMessage)) for each in messages)
        batch = BatchReply(expected=expected, send=lambda answers: connection.send(self._codec.batch(answers)))
        for message in messages:
            self._receive_message(connection, message, batch)

    def _receive_message(self, connection: Connection, message: Message, batch: BatchReply | None) -> None:
        kind = type(message)
        if kind is Request:
            self._receive_request(connection, message, batch)  # type: ignore[arg-type] # by its type
        elif kind is Notification:
            self._receive_notification(connection, message)  # type: ignore[arg-type] # by its type
        elif kind is Response:
            connection.answered(message)  # type: ignore[arg-type] # by its type
        elif isinstance(message, InvalidMessage):
            refusal = self._codec.refusal(message)
            if batch is None:
                connection.send(refusal)
            else:
                batch.add(refusal)

    def _receive_notification(self, connection: Connection, message: Notification) -> None:
        if message.method == "notifications/cancelled":
            self._cancelled(connection, message.params)
        elif message.method == "notifications/initialized" and connection.session is not None:
            connection.session.is_initialized = True
        # Everything else is news of no consequence here, and a notification is never answered.

    def _cancelled(self, connection: Connection, params: Mapping[str, Any]) -> None:
        request_id = params.get("requestId")
        if type(request_id) is not str and type(request_id) is not int:
            return
        exchange = connection.exchanges.get(request_id)
        # Unknown and finished ids are ignored: the answer and the cancellation may have crossed.
        if exchange is None or exchange.method == "initialize":
            return
        self._take_back(exchange)

    def _take_back(self, exchange: Exchange) -> None:
        """End a request without an answer, whether it runs, waits for its turn, or listens."""
        exchange.cancel()
        self._runner.defer()
        if exchange.task is None:
            connection = exchange.connection
            connection.subscriptions.pop(exchange.request_id, None)
            with contextlib.suppress(ValueError):
                connection.waiting.remove(exchange)
            self._ended(exchange)

    def _receive_request(self, connection: Connection, request: Request, batch: BatchReply | None) -> None:
        request_id, method, params = request
        revision: Revision = self._newest_handshake
        meta: RequestMeta | None = None
        try:
            if request_id in connection.exchanges:
                raise ProtocolError(ErrorCode.INVALID_REQUEST, "a request with this id is in flight; use a new id")
            if "_meta" in params and is_enveloped(params):
                # Whatever is wrong with it is told in its own era.
                revision = self._newest_modern
                if batch is not None:
                    raise ProtocolError(ErrorCode.INVALID_REQUEST, "this revision has no batches; send it alone")
                meta = connection.envelope(params)
                revision = self._registry.modern(meta.protocol_version)
            elif connection.session is not None:
                revision = connection.session.revision
            self._dispatch(Exchange(connection, request_id, method, params, revision, meta, batch))
        except MCPServerError as error:
            self._refuse(connection, request_id, error, revision, batch)
        except Exception:
            logger.exception("request %r failed", method[:64])
            self._refuse(
                connection, request_id, ProtocolError(ErrorCode.INTERNAL_ERROR, "internal error"), revision, batch
            )

    def _dispatch(self, exchange: Exchange) -> None:
        connection, method, revision = exchange.connection, exchange.method, exchange.revision
        if method == LISTEN and method in revision.client_requests:
            # A listener holds no slot: it waits, it does not run.
            connection.exchanges[exchange.request_id] = exchange
            self._runner.start(exchange, self._listen(exchange))
            return
        route = self._router.route(revision, method)
        if connection.session is None and exchange.meta is None and method not in ("initialize", "ping"):
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST, "send initialize first, or a request with the _meta of 2026-07-28"
            )
        if route.answer is not None:
            result = route.answer(exchange)
            exchange.answer(self._codec.response(exchange.request_id, result))
            return
        assert route.plan is not None
        plan = route.plan(exchange)
        exchange.peer = self._peer(exchange, route)
        connection.exchanges[exchange.request_id] = exchange
        operation = self._operate(exchange, route, plan)
        if self._has_room(connection, route):
            self._runner.start(exchange, operation)
        elif len(connection.waiting) < self._config.max_waiting:
            exchange.pending = operation
            connection.waiting.append(exchange)
        else:
            operation.close()
            del connection.exchanges[exchange.request_id]
            raise LimitExceededError("in_flight", "too many requests are in flight; wait for answers")

    def _has_room(self, connection: Connection, route: Route) -> bool:
        """Whether the request that was added last may run at once."""
        room = self._config.max_in_flight
        if connection.is_paused:
            return False
        # Of the exchanges some only wait or listen, so the shorter question is often answered by itself.
        return len(connection.exchanges) <= room or connection.running <= room + LISTING_ROOM * route.is_listing

    def _refuse(
        self,
        connection: Connection,
        request_id: str | int,
        error: MCPServerError,
        revision: Revision,
        batch: BatchReply | None,
    ) -> None:
        wire = as_error(error, revision)
        message = self._codec.error(request_id, wire.code, wire.message, wire.data)
        if batch is None:
            connection.send(message)
        else:
            batch.add(message)

    # Operations

    def _peer(self, exchange: Exchange, route: Route) -> HandshakePeer | StatelessPeer:
        meta, params = exchange.meta, exchange.params
        if meta is None:
            assert exchange.connection.session is not None
            meter = _meter(progress_token(params)) if "_meta" in params else None
            return HandshakePeer(exchange, exchange.connection.session, meter)
        asked: Mapping[str, str] = {}
        answers: dict[str, Any] = {}
        if route.may_ask and (state := params.get("requestState")) is not None:
            responses = params.get("inputResponses", {})
            if not isinstance(responses, dict) or not all(isinstance(each, dict) for each in responses.values()):
                raise ProtocolError(ErrorCode.INVALID_PARAMS, "params.inputResponses must be an object of objects")
            try:
                opened = self._sealer.open(state, self._binding(exchange))
            except ValueError as error:
                raise ProtocolError(
                    ErrorCode.INVALID_PARAMS, f"requestState: {error}; call again without it"
                ) from error
            asked = opened["asked"]
            answers = opened["answers"]
            # Answers count only for what was asked; others are ignored, missing ones are asked for again.
            answers.update({key: value for key, value in responses.items() if key in asked and key not in answers})
        return StatelessPeer(exchange, meta, _meter(meta.progress_token), asked, answers)

    async def _operate(self, exchange: Exchange, route: Route, plan: Any) -> None:
        connection = exchange.connection
        try:
            try:
                value = await self._chain.run(
                    connection.channel.credentials,
                    plan,
                    peer=exchange.peer,
                    request=exchange.request_id,
                    on_start=exchange.started,
                )
                assert route.finish is not None
                answer = self._codec.response(exchange.request_id, route.finish(exchange, value))
            except InputRequiredSignal as signal:
                answer = self._codec.response(exchange.request_id, self._question(exchange, signal))
            except MCPServerError as error:
                answer = self._refusal(exchange, route, error)
        except asyncio.CancelledError:
            # Taken back by the client, and then nothing is sent; or the server ends, the handler cancelled its own
            # task, or something it waited for was cancelled, and then whoever waits is told. It goes no further: what
            # begins the calls goes on with the next.
            answer = self._refusal(
                exchange, route, OperationFailedError(exchange.call.call_id if exchange.call else "")
            )
        except Exception:
            logger.exception("request %r failed", exchange.method)
            answer = self._codec.error(exchange.request_id, ErrorCode.INTERNAL_ERROR, "internal error")
        finally:
            self._ended(exchange)
        exchange.answer(answer)

    def _ended(self, exchange: Exchange) -> None:
        """Forget a request that is over, or that was taken back before it began."""
        connection = exchange.connection
        if connection.exchanges.get(exchange.request_id) is exchange:
            del connection.exchanges[exchange.request_id]
        # They hold the exchange in turn: without the circle all of it is freed now, and not by the collector some day.
        exchange.peer = exchange.call = None
        if exchange.pending is not None:
            exchange.pending.close()
            exchange.pending = None
        if exchange.is_cancelled:
            # Nothing is sent for it, but a batch must not wait for it either.
            exchange.answer(b"")
        if connection.waiting:
            self._begin_waiting(connection)

    def _begin_waiting(self, connection: Connection) -> None:
        """Begin requests that wait, as far as there is room."""
        while connection.waiting and connection.running < self._config.max_in_flight and not connection.is_paused:
            following = connection.waiting.popleft()
            if following.pending is not None:
                self._runner.start(following, following.pending)
                following.pending = None

    def _refusal(self, exchange: Exchange, route: Route, error: MCPServerError) -> bytes:
        if route.refuse is not None and not (exchange.revision.is_modern and isinstance(error, CapabilityMissingError)):
            result = route.refuse(exchange, error)
            if result is not None:
                return self._codec.response(exchange.request_id, result)
        wire = as_error(error, exchange.revision)
        return self._codec.error(exchange.request_id, wire.code, wire.message, wire.data)

    def _question(self, exchange: Exchange, signal: InputRequiredSignal) -> Mapping[str, Any]:
        peer = exchange.peer
        assert isinstance(peer, StatelessPeer)
        known = {"asked": peer.asked, "answers": peer.answers}
        state = self._sealer.seal(known, self._binding(exchange), signal.ttl_seconds or TTL_SECONDS)
        return exchange.project(
            {"resultType": "input_required", "inputRequests": {signal.key: signal.request}, "requestState": state}
        )

    @staticmethod
    def _binding(exchange: Exchange) -> bytes:
        """Return what a question's state belongs to: the caller, the method and the parameters.

        In one order of members, for a client that builds the request anew may write them in another.
        """
        own = {
            key: exchange.params[key]
            for key in exchange.params
            if key not in ("_meta", "inputResponses", "requestState")
        }
        text = json.dumps([exchange.connection.channel.credentials.profile, exchange.method, own], sort_keys=True)
        return hashlib.sha256(text.encode()).digest()

    async def _listen(self, exchange: Exchange) -> None:
        try:
            await self._subscriptions.listen(exchange)
        except MCPServerError as error:
            wire = as_error(error, exchange.revision)
        except asyncio.CancelledError:
            wire = ProtocolError(ErrorCode.INTERNAL_ERROR, "the subscription was ended")
        except Exception:
            logger.exception("request %r failed", exchange.method)
            wire = ProtocolError(ErrorCode.INTERNAL_ERROR, "internal error")
        else:
            # From here on it only waits: it ends when the client takes it back or the server stops.
            exchange.task = None
            self._begin_waiting(exchange.connection)
            return
        self._ended(exchange)
        exchange.answer(self._codec.error(exchange.request_id, wire.code, wire.message, wire.data))


def _meter(token: RequestId | None) -> ProgressMeter | None:
    """Return what measures a call's progress, None where the client gave no token."""
    return None if token is None else ProgressMeter(token=token)
