from __future__ import annotations

from typing import Any

import pytest

from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy

SNIPPETS = SandboxPolicy(limits=ResourceLimits(stdin_bytes=4))
PROGRAMS = SandboxPolicy(may_execute=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"policy": SNIPPETS}, "either code or a program"),
        ({"policy": PROGRAMS, "code": "1", "program": "/bin/true"}, "either code or a program"),
        ({"policy": SNIPPETS, "program": "/bin/true"}, "lets no program be executed"),
        ({"policy": PROGRAMS, "program": "true"}, "absolute path"),
        ({"policy": PROGRAMS, "program": ""}, "absolute path"),
        ({"policy": PROGRAMS, "program": "./true"}, "absolute path"),
        ({"policy": PROGRAMS, "program": "/bin/true\0"}, "NUL"),
        ({"policy": PROGRAMS, "program": "/bin/true", "arguments": ("a", "b\0")}, "NUL"),
        ({"policy": SNIPPETS, "code": "1", "arguments": ("\0",)}, "NUL"),
        ({"policy": PROGRAMS, "program": "/bin/true", "arguments": ("\ud800",)}, "half a character"),
        ({"policy": PROGRAMS, "program": "/bin/\udfff"}, "half a character"),
        ({"policy": SNIPPETS, "code": "1", "stdin": b"12345"}, "more input"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_made(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ExecutionRequest(**options)


def test_what_can_be_run_is_taken() -> None:
    assert ExecutionRequest(policy=SNIPPETS, code="", stdin=b"1234").stdin == b"1234"
    assert ExecutionRequest(policy=PROGRAMS, code="1").program is None
    request = ExecutionRequest(policy=PROGRAMS, program="/bin/true", arguments=("-", "--", "", "é", "😀"))
    assert request.arguments == ("-", "--", "", "é", "😀")


def test_what_may_reach_something_has_a_proxy() -> None:
    policy = SandboxPolicy(network=("api.example:443",))
    with pytest.raises(ValueError, match="no proxy"):
        ExecutionRequest(policy=policy, code="1")
    assert ExecutionRequest(policy=SandboxPolicy(), code="1").open_proxy is None
