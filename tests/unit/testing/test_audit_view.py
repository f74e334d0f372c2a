from __future__ import annotations

from mcp_server.testing.audit_view import AuditView


def test_a_record_without_a_decision_allowed() -> None:
    view = AuditView({"kind": "call.done", "tool": "add"})
    assert (view.kind, view.decision, view.tool) == ("call.done", "allow", "add")
    assert AuditView({"kind": "log.open"}).tool is None


def test_a_denied_record_says_so() -> None:
    assert AuditView({"kind": "call.denied", "decision": "deny"}).decision == "deny"
