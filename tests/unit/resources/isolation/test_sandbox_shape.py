from __future__ import annotations

from mcp_server.resources.isolation.sandbox_shape import SandboxShape


def test_sandboxes_of_different_accounts_or_sizes_are_not_exchanged() -> None:
    shapes = [
        SandboxShape(1),
        SandboxShape(2),
        SandboxShape(1, 5),
        SandboxShape(1, None, True),
        SandboxShape(1, None, False, (1000, 1000)),
        SandboxShape(1, None, False, (1001, 1001)),
        SandboxShape(1, None, False, (1001, 1001), True),
    ]
    assert len(set(shapes)) == len(shapes)
    assert SandboxShape(1, owner=(1000, 1000)) == shapes[4]
