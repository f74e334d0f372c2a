"""A handler's only door to the world."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.security.call_gate import CallGate
from mcp_server.security.client_peer import ClientPeer
from mcp_server.security.doors.answer import Answer

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.pinned_file import PinnedFile
    from mcp_server.security.apart.handler_door import HandlerDoor
    from mcp_server.security.authentication.peer_identity import PeerIdentity
    from mcp_server.security.authentication.principal import Principal
    from mcp_server.security.call_means import CallMeans
    from mcp_server.security.client_record import ClientRecord
    from mcp_server.security.client_state import ClientState
    from mcp_server.security.doors.code_door import CodeDoor
    from mcp_server.security.doors.file_door import FileDoor
    from mcp_server.security.doors.http_door import HttpDoor
    from mcp_server.security.doors.log_door import LogDoor
    from mcp_server.security.doors.process_door import ProcessDoor
    from mcp_server.security.doors.root_action_door import RootActionDoor
    from mcp_server.security.doors.run_door import RunDoor
    from mcp_server.security.operation import Operation
    from mcp_server.security.permissions.module_policy import ModulePolicy
    from mcp_server.security.running_call import RunningCall

T = TypeVar("T")

QUESTION_SECONDS: Final = 600.0
"""How long a question to the human or the client's model may stay open."""

NOTHING_PINNED: Final[Mapping[str, PinnedFile]] = MappingProxyType({})
"""For a call whose arguments name no file."""

MAX_SAMPLE_TOKENS: Final = 4_096
"""What is asked of the client's model unless the handler says otherwise."""


class ClientContext:
    """Who calls, and what the handler may use on the caller's behalf; one object a call.

    Every door checks before it opens: declared by the tool, granted by the policy, inside the client's folders.

    The chain makes it; a handler receives it as its `client` parameter.

    Args:
        principal: Who calls.
        record: The client's folders, limits and state.
        operation: What was planned.
        call: The running call.
        means: What the chain lends.
        evidence: Collects the decisions, for the audit.
        gate: The lock on the doors that the chain has used already, None where it had nothing to decide.
        pinned: What the chain opened already, by absolute path.
    """

    __slots__ = (
        "_call",
        "_code",
        "_evidence",
        "_files",
        "_http",
        "_log",
        "_means",
        "_operation",
        "_own_gate",
        "_pinned",
        "_principal",
        "_processes",
        "_record",
        "_root_action",
        "_run",
    )

    def __init__(
        self,
        principal: Principal,
        record: ClientRecord,
        operation: Operation,
        call: RunningCall,
        means: CallMeans,
        evidence: list[list[str]],
        gate: CallGate | None = None,
        pinned: Mapping[str, PinnedFile] = NOTHING_PINNED,
    ) -> None:
        self._principal = principal
        self._record = record
        self._operation = operation
        self._call = call
        self._means = means
        self._evidence = evidence
        self._own_gate = gate
        self._pinned = pinned
        self._code: CodeDoor | None = None
        self._run: RunDoor | None = None
        self._processes: ProcessDoor | None = None
        self._root_action: RootActionDoor | None = None
        self._files: FileDoor | None = None
        self._http: HttpDoor | None = None
        self._log: LogDoor | None = None

    @property
    def id(self) -> str:
        """The id of this call, as audit and log know it."""
        return self._call.call_id

    @property
    def profile(self) -> str:
        """The client's name in the policy."""
        return self._principal.client

    @property
    def peer(self) -> PeerIdentity | None:
        """What the kernel says about a local peer, None for others."""
        return self._principal.peer

    @property
    def cancelled(self) -> bool:
        """Whether the client took the call back, or its time is up: a long synchronous handler looks here."""
        return self._call.is_cancelled

    @property
    def max_result_bytes(self) -> int:
        """How large a result the policy lets this client have."""
        return self._record.profile.limits.max_result_bytes

    @property
    def state(self) -> ClientState:
        """A small mapping that lives between this client's calls."""
        return self._record.state

    @property
    def files(self) -> FileDoor:
        """The client's files."""
        if self._files is None:
            self._files = _file_door()(
                files=self._record.files,
                gate=self._gate,
                pinned=self._pinned,
                run_blocking=partial(self._means.pool.run, self._principal.client),
            )
        return self._files

    @property
    def code(self) -> CodeDoor:
        """Python programs, run in a sandbox."""
        if self._code is None:
            from mcp_server.security.doors.code_door import CodeDoor

            self._code = CodeDoor(**self._execution)
        return self._code

    @property
    def run(self) -> RunDoor:
        """Programs of the operator's list, run in a sandbox: `await client.run("git", ["status"])`."""
        if self._run is None:
            from mcp_server.security.doors.run_door import RunDoor

            self._run = RunDoor(**self._execution)
        return self._run

    @property
    def processes(self) -> ProcessDoor:
        """The same programs, beyond the call that starts them: `await client.processes.start("make", ["all"])`."""
        if self._processes is None:
            from mcp_server.security.doors.process_door import ProcessDoor

            self._processes = ProcessDoor(**self._execution)
        return self._processes

    @property
    def root_action(self) -> RootActionDoor:
        """What the operator lets be done as root: `await client.root_action("restart", {"unit": "nginx"})`."""
        if self._root_action is None:
            from mcp_server.security.doors.root_action_door import RootActionDoor

            self._root_action = RootActionDoor(gate=self._gate, sandboxes=self._means.sandboxes, call=self._call)
        return self._root_action

    @property
    def apart(self) -> HandlerDoor:
        """The call's own handler, in a process of its own; for the tier that calls handlers."""
        from mcp_server.security.apart.handler_door import HandlerDoor

        return HandlerDoor(context=self, operation=self._operation, pinned=self._pinned, **self._execution)

    @property
    def isolates(self) -> bool:
        """Whether the policy lets any handler run apart; `module_policy` says which."""
        return self._means.permissions.isolates

    def module_policy(self, module: str) -> ModulePolicy:
        """Return what the policy says of a module, for this client."""
        return self._means.permissions.policy.module(self._principal.client, module)

    @property
    def isolation(self) -> str | None:
        """The label of the weakest tier in which something was executed for this call, None when nothing was."""
        return self._call.isolation

    @property
    def http(self) -> HttpDoor:
        """Requests over HTTP: `await client.http.get("https://...")`.

        Raises:
            ResourceUnavailableError: This server connects to nothing.
        """
        if self._http is None:
            open_http = self._means.open_http
            if open_http is None:
                raise ResourceUnavailableError("missing", "this server connects to nothing")
            # With the library behind it, which few servers need.
            from mcp_server.security.doors.http_door import HttpDoor

            self._http = HttpDoor(http=open_http(self._principal.client), gate=self._gate)
        return self._http

    @property
    def log(self) -> LogDoor:
        """Log messages to the client: `client.log.info("...")`."""
        if self._log is None:
            from mcp_server.security.doors.log_door import LogDoor

            self._log = LogDoor(self._peer, self._operation.module)
        return self._log

    def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell the client how far the call is; silent where it did not ask to know.

        Args:
            progress: How much is done; each value greater than the one before, or it is not sent.
            total: How much there is in all, when known.
            message: What is being done, for a human.
        """
        peer = self._peer
        if peer is not None:
            peer.progress(progress, total, message)

    async def ask(self, message: str, fields: Any) -> Answer:
        """Put a form before the client's human and return the answer.

        On revision 2026-07-28 the question travels in a result and the handler *runs again from the top* with the
        answer, so ask before you act.

        Args:
            message: What the human reads.
            fields: The form's fields, see `Form`. Secrets must not be asked for.

        Raises:
            CapabilityMissingError: The client cannot show a form.
            ResourceUnavailableError: There was no answer in time, or it does not fit the form.
            ConfigurationError: The form is none.
        """
        from mcp_server.security.doors.form import Form

        form = Form(fields)
        peer = self._peer
        if peer is None or not peer.can_elicit:
            raise CapabilityMissingError({"elicitation": {}})
        answer = await self._wait(peer.elicit({"message": message, "requestedSchema": form.schema}))
        if answer.get("action") != "accept":
            return Answer("cancel" if answer.get("action") == "cancel" else "decline")
        problem = form.problem(answer.get("content"))
        if problem:
            raise ResourceUnavailableError("io", f"the client's answer does not fit the form: {problem}")
        return Answer("accept", answer["content"])

    async def ask_url(self, message: str, url: str) -> Answer:
        """Send the client's human to a web page, for what a form must not ask; the answer says only whether he agreed.

        Args:
            message: Why, for the human.
            url: An https address without secrets or personal data in it.

        Raises:
            CapabilityMissingError: The client cannot open pages.
            ConfigurationError: The address is not https.

        Source: MCP 2025-11-25, client/elicitation, "URL mode".
        """
        if not url.startswith("https://"):
            raise ConfigurationError("a human is only sent to https addresses")
        peer = self._peer
        if peer is None or not peer.can_elicit_url:
            raise CapabilityMissingError({"elicitation": {"url": {}}})
        answer = await self._wait(peer.elicit({"mode": "url", "message": message, "url": url}))
        action = answer.get("action")
        return Answer(action if action in ("accept", "cancel") else "decline")

    async def sample(
        self,
        messages: str | Sequence[Mapping[str, Any]],
        *,
        max_tokens: int = MAX_SAMPLE_TOKENS,
        system_prompt: str | None = None,
        **options: Any,
    ) -> Mapping[str, Any]:
        """Let the client's model answer, and return the protocol's CreateMessageResult.

        Args:
            messages: One user message, or the protocol's SamplingMessages.
            max_tokens: How long the answer may be.
            system_prompt: A system prompt, which the client may change.
            **options: Further members of CreateMessageRequest's params, such as `temperature`.

        Raises:
            CapabilityMissingError: The client lends no model.
        """
        peer = self._peer
        if peer is None or not peer.can_sample:
            raise CapabilityMissingError({"sampling": {}})
        if isinstance(messages, str):
            messages = [{"role": "user", "content": {"type": "text", "text": messages}}]
        params: dict[str, Any] = {"messages": list(messages), "maxTokens": max_tokens, **options}
        if system_prompt is not None:
            params["systemPrompt"] = system_prompt
        return await self._wait(peer.sample(params))

    async def roots(self) -> Sequence[Mapping[str, Any]]:
        """Return the client's roots, `{"uri": ..., "name": ...}`; a claim of the client that grants nothing.

        Raises:
            CapabilityMissingError: The client tells no roots.
        """
        peer = self._peer
        if peer is None or not peer.can_list_roots:
            raise CapabilityMissingError({"roots": {}})
        return await self._wait(peer.list_roots())

    def resolve_path(self, text: str) -> str:
        """Return the absolute canonical path that `text` names in the client's folders; a check of form, not of rights.

        Raises:
            SandboxViolationError: It leads out of them.
            ResourceUnavailableError: The client has no folder.
        """
        if self._record.files is None:
            raise ResourceUnavailableError("missing", "this client has no folder")
        return self._record.files.locate(text).absolute

    async def run_sync(self, function: Callable[..., T], /, *args: Any) -> T:
        """Run a blocking function in a thread, within the client's cap.

        Raises:
            LimitExceededError: Too many of the client's blocking calls are waiting.
        """
        return await self._means.pool.run(self._principal.client, function, *args)

    @property
    def _gate(self) -> CallGate:
        """The lock on the doors: the one that let the call in, or one made when the first door is tried."""
        if self._own_gate is None:
            permissions, consent = self._means.permissions, self._means.consent
            self._own_gate = CallGate(
                self._principal, self._record, self._operation, permissions, consent, self._call, self._evidence
            )
        return self._own_gate

    @property
    def _execution(self) -> dict[str, Any]:
        """What the doors share behind which something is executed."""
        return {
            "gate": self._gate,
            "sandboxes": self._means.sandboxes,
            "files": self._record.files,
            "client": self._principal.client,
            "call": self._call,
            "run_blocking": partial(self._means.pool.run, self._principal.client),
        }

    @property
    def _peer(self) -> ClientPeer | None:
        """The other end, while the call runs: a context that was kept beyond it reaches nobody."""
        return None if self._call.has_ended else self._call.peer

    async def _wait(self, question: Awaitable[T]) -> T:
        """Wait for the other end; the time does not count against the call's own."""
        call = self._call
        call.waiting += 1
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                return await question
        except TimeoutError as error:
            raise ResourceUnavailableError("busy", "the client did not answer in time") from error
        finally:
            call.waiting -= 1


@cache
def _file_door() -> type[FileDoor]:
    """Return the class, imported on first use, as is everything of the file system: a server starts without it.

    Kept, for the statement alone costs a microsecond and a half, and most calls that open a door open this one.
    """
    from mcp_server.security.doors.file_door import FileDoor

    return FileDoor
