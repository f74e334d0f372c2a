"""What a copy reports."""

from __future__ import annotations

import json

import pytest

from mcp_server.resources.isolation.copy_report import CopyReport
from mcp_server.resources.isolation.refusal import Refusal


def test_the_wire_form_is_json_with_reasons_in_order() -> None:
    report = CopyReport(skipped={Refusal.SYMLINK: 1, Refusal.HARD_LINK: 2}, is_truncated=True)
    wire = json.loads(json.dumps(report.to_wire()))
    assert list(wire["skipped"].items()) == [("hard link", 2), ("symbolic link", 1)]
    assert wire["truncated"] is True


@pytest.mark.parametrize(
    ("report", "is_whole"),
    [
        (CopyReport(), True),
        (CopyReport(skipped={Refusal.SYMLINK: 1, Refusal.SPECIAL: 1, Refusal.NOT_PERMITTED: 1}), True),
        (CopyReport(skipped={Refusal.SYMLINK: 1, Refusal.TOO_MANY: 1}), False),
        (CopyReport(skipped={Refusal.TOO_LARGE: 1}), False),
        (CopyReport(skipped={Refusal.TOO_DEEP: 1}), False),
        (CopyReport(is_truncated=True), False),
    ],
)
def test_what_a_limit_left_out_makes_a_part(report: CopyReport, is_whole: bool) -> None:
    assert report.is_whole is is_whole
