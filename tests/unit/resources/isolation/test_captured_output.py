from __future__ import annotations

import pytest

from mcp_server.resources.isolation.captured_output import CapturedOutput


@pytest.mark.parametrize(
    ("output", "is_truncated", "text"),
    [
        (CapturedOutput(), False, ""),
        (CapturedOutput(b"all", b"", 3), False, "all"),
        (CapturedOutput(b"be", b"tween", 7), False, "between"),
        (CapturedOutput(b"a", b"z", 26), True, "a\n[... 24 bytes left out ...]\nz"),
        (CapturedOutput(b"", b"z", 2), True, "\n[... 1 bytes left out ...]\nz"),
        # A character that lies over the middle is whole where nothing is left out.
        (CapturedOutput(b"\xc3", b"\xa9", 2), False, "é"),
        (CapturedOutput(b"\xc3", b"\xa9", 3), True, "�\n[... 1 bytes left out ...]\n�"),
        (CapturedOutput(b"\xff\x00", b"", 2), False, "�\x00"),
    ],
)
def test_a_gap_is_told_and_what_is_no_text_is_replaced(output: CapturedOutput, is_truncated: bool, text: str) -> None:
    assert output.is_truncated is is_truncated
    assert output.text() == text
