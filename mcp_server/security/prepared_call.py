"""What the audit says of one tool's calls by one client, prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp_server.security.audit_logger import AuditLogger

ASKED: Final = ("args", "call", "req_id", "need")
"""The fields that say what was asked and what was decided about it, in the order in which their values are given."""


class CallRecords:
    """The three records that nearly every call writes, with everything in place that does not change from call to call.

    Args:
        audit: The log.
        client: The client's name.
        connection: The connection's id.
        method: The protocol's method.
        name: The tool's name.
        definition_hash: The hash of the tool's definition.
        policy: The digest of the policy in force.
    """

    __slots__ = ("definition_hash", "done", "intent", "policy", "whole")

    def __init__(
        self,
        *,
        audit: AuditLogger,
        client: str,
        connection: str,
        method: str,
        name: str,
        definition_hash: str,
        policy: str,
    ) -> None:
        self.definition_hash = definition_hash
        self.policy = policy
        who: Mapping[str, Any] = {"client": client, "tool": name}
        what = {**who, "conn": connection, "method": method, "policy": policy, "tool_hash": definition_hash}
        good = {"out": {"is_error": False}}
        self.intent = audit.prepare("call.intent", what, ASKED)
        self.done = audit.prepare("call.done", {**who, **good}, ("call", "dur_us"))
        self.whole = audit.prepare("call.done", {**what, **good}, (*ASKED, "dur_us"))
