"""What a client can do is what it declared, in words its revision has."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.sessions.client_abilities import can_elicit_form, can_elicit_url, check_sampling

REVISIONS = {revision.date: revision for revision in RevisionRegistry().all}


@pytest.mark.parametrize(
    ("date", "declared", "form", "url"),
    [
        ("2024-11-05", {}, False, False),
        ("2025-03-26", {"form": {}, "url": {}}, False, False),
        ("2025-06-18", {}, True, False),
        ("2025-06-18", {"url": {}}, True, False),
        ("2025-11-25", {}, True, False),
        ("2025-11-25", {"form": {}}, True, False),
        ("2025-11-25", {"url": {}}, False, True),
        ("2025-11-25", {"form": {}, "url": {}}, True, True),
        ("2026-07-28", {}, True, False),
        ("2026-07-28", {"url": {}}, False, True),
        ("2025-11-25", None, False, False),
        ("2025-11-25", True, False, False),
    ],
)
def test_elicitation(date: str, declared: Any, form: bool, url: bool) -> None:
    capabilities = {"elicitation": declared}
    assert can_elicit_form(REVISIONS[date], capabilities) is form
    assert can_elicit_url(REVISIONS[date], capabilities) is url
    assert not can_elicit_form(REVISIONS[date], {})
    assert not can_elicit_url(REVISIONS[date], {})


@pytest.mark.parametrize("params", [{"tools": []}, {"tools": [{}]}, {"toolChoice": {"mode": "none"}}])
def test_tools_for_a_model(params: dict[str, Any]) -> None:
    check_sampling(params, {"sampling": {"tools": {}}})
    check_sampling({"messages": []}, {})
    for capabilities in ({}, {"sampling": {}}, {"sampling": True}, {"sampling": None}):
        with pytest.raises(CapabilityMissingError) as caught:
            check_sampling(params, capabilities)
        assert caught.value.capabilities == {"sampling": {"tools": {}}}
