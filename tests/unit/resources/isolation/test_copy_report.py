"""What a copy reports."""

from __future__ import annotations

import json

from mcp_server.resources.isolation.copy_report import CopyReport
from mcp_server.resources.isolation.refusal import Refusal


def test_the_wire_form_is_json_with_reasons_in_order() -> None:
    report = CopyReport(skipped={Refusal.SYMLINK: 1, Refusal.HARD_LINK: 2}, is_truncated=True)
    wire = json.loads(json.dumps(report.to_wire()))
    assert list(wire["skipped"].items()) == [("hard link", 2), ("symbolic link", 1)]
    assert wire["truncated"] is True
