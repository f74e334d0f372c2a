from __future__ import annotations

from mcp_server.errors.sandbox_violation_error import SandboxViolationError


def test_the_reason_is_a_word_for_programs() -> None:
    error = SandboxViolationError("escape", "'../x' leaves the folder")
    assert (error.reason, str(error)) == ("escape", "'../x' leaves the folder")
