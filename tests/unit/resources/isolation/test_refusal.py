"""From errors to reasons."""

from __future__ import annotations

import errno

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.isolation.refusal import Refusal, refusal_of, staged_refusal_of


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SandboxViolationError("protected", ""), Refusal.PROTECTED),
        (SandboxViolationError("hardlink", ""), Refusal.HARD_LINK),
        (SandboxViolationError("escape", ""), Refusal.NAME),
        (SandboxViolationError("something new", ""), Refusal.UNAVAILABLE),
        (ResourceUnavailableError("changed", ""), Refusal.CHANGED),
        (ResourceUnavailableError("exists", ""), Refusal.EXISTS),
        (ResourceUnavailableError("io", ""), Refusal.UNAVAILABLE),
        (LimitExceededError("max_bytes", ""), Refusal.TOO_LARGE),
        (ConfigurationError(""), Refusal.UNAVAILABLE),
        (OSError(errno.ENOSPC, ""), Refusal.FULL),
        (OSError(errno.EIO, ""), Refusal.UNAVAILABLE),
        (OSError(), Refusal.UNAVAILABLE),
    ],
)
def test_every_error_has_a_reason(error: MCPServerError | OSError, expected: Refusal) -> None:
    assert refusal_of(error) is expected


def test_changed_means_another_thing_in_the_staging_directory() -> None:
    assert staged_refusal_of(ResourceUnavailableError("changed", "")) is Refusal.UNSTABLE
    assert staged_refusal_of(OSError(errno.ENOENT, "")) is Refusal.UNSTABLE
    assert staged_refusal_of(OSError(errno.ELOOP, "")) is Refusal.SYMLINK


def test_reasons_hold_no_word_of_the_host() -> None:
    assert "/srv" not in refusal_of(OSError(errno.EACCES, "denied", "/srv/secret"))
