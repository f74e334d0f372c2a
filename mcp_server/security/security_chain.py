"""The chain every call passes: authenticate, permit, sandbox, execute, audit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.audit_logger import AuditLogger
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.authentication_manager import AuthenticationManager
from mcp_server.security.call_breaker import identity_of
from mcp_server.security.call_gate import CallGate
from mcp_server.security.call_means import CallMeans
from mcp_server.security.call_outcome import failure_fields, judged
from mcp_server.security.call_recorder import NO_NEEDS, CallRecorder
from mcp_server.security.call_watch import CallWatch
from mcp_server.security.client_context import NOTHING_PINNED, ClientContext
from mcp_server.security.client_manager import ClientManager
from mcp_server.security.client_peer import ClientPeer
from mcp_server.security.client_record import ClientRecord
from mcp_server.security.client_view import ClientView
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.operation import Operation
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED
from mcp_server.security.prepared_call import PreparedCall
from mcp_server.security.running_call import RunningCall

if TYPE_CHECKING:
    from mcp_server.resources.blocking_pool import BlockingPool
    from mcp_server.resources.filesystem.client_files import ClientFiles
    from mcp_server.resources.filesystem.pinned_file import PinnedFile
    from mcp_server.resources.network.http_client import HttpClient
    from mcp_server.resources.sandbox_manager import SandboxManager

logger = logging.getLogger(__name__)

MAX_PREPARED: Final = 4_096
"""Prepared calls kept of one connection: its tools, and those that were withdrawn; past it they are made anew."""

_NOUNS: Final = {
    "tools/call": "tool",
    "prompts/get": "prompt",
    "resources/read": "resource",
    "resources/subscribe": "resource",
}


class SecurityChain:
    """Run planned operations; nothing reaches a handler except through `run`.

    1. *Authenticate*: who calls. Only then is the plan drawn, so that a stranger learns of no tool.
    2. *Permit*: the client's limits, then every right the operation needs, bound to its arguments.
    3. *Sandbox*: the bound resources are opened inside the client's folders; what was checked is what is used.
    4. *Execute*: the handler runs, with a deadline. An intent is on record before anything with effects.
    5. *Audit*: the outcome, whatever it was, before the answer leaves.

    When a step cannot be made, the call does not happen.

    Args:
        authentication: Step 1.
        permissions: Step 2.
        clients: The clients' folders and limits.
        consent: Asks humans.
        audit: Step 5.
        watch: Deadlines and heartbeats.
        pool: Threads for what blocks.
        sandboxes: What contains code and programs.
        clock: Monotonic seconds.
        new_id: Makes an id for a call.
        open_http: Makes a client over HTTP for one client's handlers; None where nothing is connected to.
    """

    def __init__(
        self,
        *,
        authentication: AuthenticationManager,
        permissions: PermissionManager,
        clients: ClientManager,
        consent: ConsentManager,
        audit: AuditLogger,
        watch: CallWatch,
        pool: BlockingPool,
        sandboxes: SandboxManager,
        new_id: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
        open_http: Callable[[str], HttpClient] | None = None,
    ) -> None:
        self._authentication = authentication
        self._permissions = permissions
        self._clients = clients
        self._consent = consent
        self._audit = audit
        self._watch = watch
        self._sandboxes = sandboxes
        self._new_id = new_id
        self._clock = clock
        self._means = CallMeans(permissions, consent, pool, sandboxes, open_http)
        self._recorder = CallRecorder(audit=audit, clock=clock)
        self._prepared: dict[Credentials, dict[tuple[str, str], PreparedCall]] = {}

    async def run(
        self,
        credentials: Credentials,
        plan: Callable[[Principal], Operation],
        *,
        peer: ClientPeer | None = None,
        request: str | int | None = None,
        on_start: Callable[[RunningCall], None] | None = None,
    ) -> Any:
        """Carry out the operation that `plan` draws, and return what its handler returned.

        Args:
            credentials: The evidence of who calls.
            plan: Turns the request into an operation; called only for an authenticated client.
            peer: The other end, for questions and progress.
            request: The request's id, for the audit.
            on_start: Receives the running call, so that the protocol can take it back.

        Raises:
            AuthenticationError: Nobody we know is calling.
            UnknownNameError: There is no such operation, or the caller may not know of it.
            MCPServerError: Any refusal of the steps 2 to 5, each with its own class.
            InputRequiredSignal: The operation needs an answer from the client first.
        """
        started = self._clock()
        # (1) Authenticate.
        principal, record = self._authenticate(credentials, request)
        call = RunningCall(self._new_id(), peer, asyncio.current_task(), started, started)
        operation, prepared = self._draw(plan, principal, record, call, credentials, request)
        if on_start is not None:
            on_start(call)
        audit = self._audit
        bound = [name for need in operation.needs for name in need.permission.arguments] if operation.needs else ()
        digest = audit.digest_arguments_json(operation.arguments or {}, bound)
        asked = digest, audit.encode(call.call_id), audit.encode(request)
        evidence: list[list[str]] = []
        gate: CallGate | None = None
        pinned: Mapping[str, PinnedFile] = NOTHING_PINNED
        has_entered = False
        # How many decisions the intent told; None before there is one.
        told: int | None = None
        outcome: BaseException | None = None
        result: Any = None
        call.deadline = started + prepared.timeout_seconds
        self._watch.add(call)
        try:
            # (2) Permit. A name the caller may never use is answered like a name that does not exist.
            if not prepared.is_known:
                raise UnknownNameError(_noun(operation), operation.name)
            if operation.is_counted:
                self._clients.enter(record)
                has_entered = True
                same = identity_of(operation, digest)
                record.breaker.count(same, now=started, most=record.profile.limits.identical_calls)
            if operation.permissions and (wanted := self._wanted(operation, record, evidence)):
                gate = CallGate(principal, record, operation, self._permissions, self._consent, call, evidence)
                await gate.require_all(wanted)
                # (3) Sandbox: open what was permitted; the handler gets this very object.
                pinned = await self._pin(wanted, record, principal)
            # (4) Execute, with the intent on record before any effect.
            if operation.has_effects:
                needs = audit.encode_texts(evidence) if evidence else NO_NEEDS
                seq = audit.append_prepared(prepared.intent, (*asked, needs), call.call_id)
                told = len(evidence)
                if audit.waits_for_disk:
                    await audit.durable(seq)
            elif not audit.is_available:
                raise AuditUnavailableError("the audit log cannot be written, so nothing is done; ask the operator")
            result = await operation.execute(
                ClientContext(principal, record, operation, call, self._means, evidence, gate, pinned)
            )
        except BaseException as error:
            outcome = judged(error, call, prepared.timeout_seconds)
            if outcome is error:
                raise
            raise outcome from error
        finally:
            self._watch.remove(call)
            # Whoever kept the context finds its doors closed: what happened through them now would be on no record.
            call.has_ended = True
            if pinned:
                for each in pinned.values():
                    each.close()
            if has_entered:
                self._clients.leave(record)
            # (5) Audit, whatever happened. What the intent told already is not told twice.
            seq = self._recorder.tell_outcome(prepared, asked, call, evidence, outcome, result, told)
            if audit.waits_for_disk:
                await audit.durable(seq)
            # This frame is part of the error's stack, and would hold the error in turn.
            outcome = None
        return result

    def _draw(
        self,
        plan: Callable[[Principal], Operation],
        principal: Principal,
        record: ClientRecord,
        call: RunningCall,
        credentials: Credentials,
        request: str | int | None,
    ) -> tuple[Operation, PreparedCall]:
        """Draw the plan, for an authenticated caller, and prepare such calls; what goes wrong is on record."""
        try:
            operation = plan(principal)
            return operation, self._prepare(operation, principal, record, credentials)
        except BaseException as error:
            # A plan runs no handler, but it may import a module on first use, and an import may do anything.
            outcome = judged(error, call, 0.0)
            who = {"call": call.call_id, "client": principal.client, "conn": credentials.connection, "req_id": request}
            self._audit.append(
                "call.denied", {**who, **failure_fields(outcome, "call.denied", self._recorder.age_us(call))}
            )
            if outcome is error:
                raise
            raise outcome from error

    def _prepare(
        self, operation: Operation, principal: Principal, record: ClientRecord, credentials: Credentials
    ) -> PreparedCall:
        """Return what all such calls have in common: of an earlier one, as long as it holds."""
        epoch = self._permissions.epoch
        kept = self._prepared.get(credentials)
        if kept is not None:
            known = kept.get((operation.kind, operation.name))
            if known is not None and known.holds_for(operation, record, epoch):
                return known
        prepared = PreparedCall(
            operation,
            client=principal.client,
            record=record,
            credentials=credentials,
            epoch=epoch,
            policy=self._permissions.policy.digest,
            is_known=self.view_of(principal, record).may_use(operation.kind, operation.name, operation.permissions),
            audit=self._audit,
        )
        if operation.definition is not None:
            # What has no definition has a name of the client's own choice, of which there may be any number.
            if kept is None:
                kept = self._prepared[credentials] = {}
            if len(kept) >= MAX_PREPARED:
                kept.clear()
            kept[operation.kind, operation.name] = prepared
        return prepared

    def _authenticate(self, credentials: Credentials, request: str | int | None) -> tuple[Principal, ClientRecord]:
        """Take step 1; a refusal is on record with its reason, which the caller does not learn."""
        try:
            principal = self._authentication.authenticate(credentials)
            return principal, self._clients.record(principal)
        except AuthenticationError as error:
            self._audit.append("auth.fail", {"conn": credentials.connection, "err": error.reason, "req_id": request})
            raise
        except ConfigurationError as error:
            logger.error("a folder of client %s cannot be opened: %s", credentials.profile, error)  # noqa: TRY400 - says all
            who = {"call": self._new_id(), "client": credentials.profile, "conn": credentials.connection}
            self._audit.append("call.denied", {**who, "decision": "deny", "err": "folders", "req_id": request})
            # Its name on the host is the operator's business.
            raise ResourceUnavailableError("missing", "a folder of this client cannot be opened") from error

    def permits(self, credentials: Credentials, plan: Callable[[Principal], Operation]) -> bool:
        """Whether the planned operation would pass step 2 now, without asking anybody; nothing is run or recorded.

        Raises:
            MCPServerError: There is no such operation, or nobody we know is asking.
        """
        principal = self._authentication.authenticate(credentials)
        record = self._clients.record(principal)
        operation = plan(principal)
        if not self.view_of(principal, record).may_use(operation.kind, operation.name, operation.permissions):
            return False
        gate = CallGate(principal, record, operation, self._permissions, self._consent, None, [])
        return all(gate.allows(*each) for each in self._wanted(operation, record, []))

    def forget(self, credentials: Credentials) -> None:
        """Drop what is remembered of a connection that has ended."""
        self._authentication.forget(credentials)
        self._prepared.pop(credentials, None)

    def view(self, credentials: Credentials, *, method: str, request: str | int) -> ClientView:
        """Return what the caller may see of the catalogue, for a listing, and put the listing on record.

        A listing has no effect, so it is answered even when the record cannot be written: discovery stays up.

        Args:
            credentials: The evidence of who calls.
            method: The listing's method.
            request: The request's id.

        Raises:
            AuthenticationError: Nobody we know is calling.
        """
        principal, record = self._authenticate(credentials, request)
        with suppress(AuditUnavailableError):
            self._audit.append(
                "call.done",
                {
                    "call": self._new_id(),
                    "client": principal.client,
                    "conn": credentials.connection,
                    "method": method,
                    "req_id": request,
                },
            )
        return self.view_of(principal, record)

    def view_of(self, principal: Principal, record: ClientRecord) -> ClientView:
        """Return what an authenticated client may see; kept for all who call in its name, unless a token narrows."""
        epoch = self._permissions.epoch
        view = record.view
        if principal.narrowing is not None or view is None or view.epoch != epoch:
            view = ClientView(
                profile=record.profile,
                permissions=self._permissions,
                epoch=epoch,
                narrowing=principal.narrowing,
                can_execute=lambda: self._sandboxes.is_sufficient,
                can_act_as_root=lambda: self._sandboxes.can_act_as_root,
            )
            if principal.narrowing is None:
                record.view = view
        return view

    def _wanted(
        self, operation: Operation, record: ClientRecord, evidence: list[list[str]]
    ) -> list[tuple[PermissionType, str, str | None, Permission | None]]:
        """Turn the needs into canonical resources; touches no file."""
        # Execution outside the sandbox is a right of its own, asked for by the declaration and granted by name only.
        wanted: list[tuple[PermissionType, str, str | None, Permission | None]] = [
            (each.type, UNRESTRICTED, None, each) for each in operation.permissions if not each.restricted
        ]
        for need in operation.needs:
            kind = need.permission.type
            if kind == PermissionType.NETWORK_CONNECT:
                wanted.append((kind, _endpoint_of(need.text, evidence), None, need.permission))
                continue
            if not kind.is_path:
                wanted.append((kind, need.text, None, need.permission))
                continue
            if record.files is None:
                raise ResourceUnavailableError("missing", "this client has no folder; the operator can give it one")
            try:
                location = record.files.locate(need.text)
            except SandboxViolationError as error:
                evidence.append([str(kind), need.text, error.reason])
                raise
            if kind == PermissionType.FILE_WRITE and location.root.is_global:
                kind = PermissionType.FILE_WRITE_GLOBAL
            wanted.append((kind, location.absolute, location.relative, need.permission))
        return wanted

    async def _pin(
        self,
        wanted: list[tuple[PermissionType, str, str | None, Permission | None]],
        record: ClientRecord,
        principal: Principal,
    ) -> Mapping[str, PinnedFile]:
        """Open what was permitted and is read or listed; return it by absolute path."""
        files = record.files
        if files is None:
            return NOTHING_PINNED
        if files.answers_at_once:
            return _pinned(wanted, files)
        # Another process opens it, for which nobody may wait here.
        return await self._means.pool.run(principal.client, _pinned, wanted, files)


def _pinned(
    wanted: list[tuple[PermissionType, str, str | None, Permission | None]], files: ClientFiles
) -> dict[str, PinnedFile]:
    pinned: dict[str, PinnedFile] = {}
    try:
        for kind, absolute, _, _ in wanted:
            if absolute not in pinned and kind == PermissionType.FILE_READ:
                pinned[absolute] = files.pin(files.locate(absolute), kind="file")
            elif absolute not in pinned and kind == PermissionType.DIRECTORY_LIST:
                pinned[absolute] = files.pin(files.locate(absolute))
    except BaseException:
        for each in pinned.values():
            each.close()
        raise
    return pinned


def _endpoint_of(text: str, evidence: list[list[str]]) -> str:
    """Return the host and port that a bound argument names."""
    from mcp_server.security.permissions.endpoint_pattern import canonical_endpoint

    try:
        return canonical_endpoint(text)
    except ValueError as error:
        evidence.append([str(PermissionType.NETWORK_CONNECT), text, "name"])
        raise SandboxViolationError("name", f"the argument names no host and port: {error}") from error


def _noun(operation: Operation) -> str:
    """Return what the operation's name names, so that a hidden one is refused in the words for one that is unknown."""
    if operation.kind == "completion/complete":
        return "resource" if ":" in operation.name else "prompt"
    return _NOUNS.get(operation.kind, "name")
