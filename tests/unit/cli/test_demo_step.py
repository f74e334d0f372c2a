from __future__ import annotations

from mcp_server.cli.demo_step import DemoStep


def test_a_step_is_a_value() -> None:
    assert DemoStep("reads", "allowed", "x", True) == DemoStep("reads", "allowed", "x", True)
    assert not DemoStep("reads", "allowed", "x", False).is_kept
