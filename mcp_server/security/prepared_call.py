"""What all calls of one tool over one connection have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp_server.security.audit_logger import AuditLogger
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.client_record import ClientRecord
from mcp_server.security.operation import Operation

MAX_TIMEOUT_SECONDS: Final = 3600.0
"""The hard maximum: whatever a tool or policy says, nothing runs longer."""

ASKED: Final = ("args", "call", "req_id", "need")
"""The fields that say what was asked and what was decided about it, in the order in which their values are given."""


class PreparedCall:
    """Worked out at the first call, and true as long as neither the policy nor what is called is another.

    Nothing that a call names is decided here: its arguments are bound, permitted and opened anew each time, and its
    limits counted. It holds what cannot turn out differently before `holds_for` says no, and the three audit records
    that nearly every call writes, with everything in place that does not change from call to call.

    Args:
        operation: The plan of one such call.
        client: The client's name.
        record: Its limits.
        credentials: Over which connection it came.
        epoch: The number of the policy in force.
        policy: Its digest.
        is_known: Whether the client may use the operation, on some resource at least.
        audit: The log.
    """

    __slots__ = ("definition", "done", "epoch", "intent", "is_known", "record", "timeout_seconds", "whole")

    def __init__(
        self,
        operation: Operation,
        *,
        client: str,
        record: ClientRecord,
        credentials: Credentials,
        epoch: int,
        policy: str,
        is_known: bool,
        audit: AuditLogger,
    ) -> None:
        self.definition = operation.definition
        self.record = record
        self.epoch = epoch
        self.is_known = is_known
        timeout = operation.timeout_seconds or record.profile.limits.timeout_seconds
        self.timeout_seconds = min(timeout, MAX_TIMEOUT_SECONDS)
        who: Mapping[str, Any] = {"client": client, "tool": operation.name}
        what = {
            **who,
            "conn": credentials.connection,
            "method": operation.kind,
            "policy": policy,
            "tool_hash": operation.definition_hash,
        }
        good = {"out": {"is_error": False}}
        self.intent = audit.prepare("call.intent", what, ASKED)
        self.done = audit.prepare("call.done", {**who, **good}, ("call", "dur_us"))
        self.whole = audit.prepare("call.done", {**what, **good}, (*ASKED, "dur_us"))

    def holds_for(self, operation: Operation, record: ClientRecord, epoch: int) -> bool:
        """Whether a further call may rely on it: same policy, same client, and the very same definition."""
        return self.epoch == epoch and self.definition is operation.definition and self.record is record
