"""Answers: those of this question, and everything else."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.broker.answers import error_of, value_of
from mcp_server.resources.broker.frame import Frame


def answered(**members: Any) -> Any:
    return value_of(Frame({"id": 7, **members}), number=7)


@pytest.mark.parametrize("value", [None, True, 0, "text", [1, {}]])
def test_a_value_is_returned(value: Any) -> None:
    assert answered(value=value) == value


@pytest.mark.parametrize(
    ("refusal", "kind", "word"),
    [
        (["sandbox", "escape", "it leads out"], SandboxViolationError, "escape"),
        (["sandbox", "quota", "it leads out"], SandboxViolationError, "quota"),
        (["resource", "missing", "it leads out"], ResourceUnavailableError, "missing"),
        (["limit", "max_depth", "it leads out"], LimitExceededError, "max_depth"),
    ],
)
def test_a_refusal_is_raised_as_what_it_is(refusal: list[str], kind: type[MCPServerError], word: str) -> None:
    with pytest.raises(kind, match=r"^it leads out$") as caught:
        answered(refusal=refusal)
    assert word in (getattr(caught.value, "reason", None), getattr(caught.value, "limit", None))


def test_a_message_cannot_forge_a_line() -> None:
    with pytest.raises(ResourceUnavailableError, match=r"^a\\nb\\x1b\[2J\\u202e$"):
        answered(refusal=["resource", "io", "a\nb\x1b[2J\u202e"])


def test_errors_of_the_kernel_and_bugs_are_raised() -> None:
    with pytest.raises(PermissionError) as caught:
        answered(errno=errno.EACCES)
    assert caught.value.errno == errno.EACCES
    with pytest.raises(RuntimeError, match="KeyError"):
        answered(bug="KeyError")
    assert isinstance(error_of(errno.ENOENT), FileNotFoundError)


@pytest.mark.parametrize(
    "frame",
    [
        Frame({"id": 8, "value": 1}),
        Frame({"id": "7", "value": 1}),
        Frame({"id": 7.0, "value": 1}),
        Frame({"id": True, "value": 1}),
        Frame({"value": 1}),
        Frame({"id": 7}),
        Frame({"id": 7, "value": 1, "errno": 1}),
        Frame({"id": 7, "value": 1}, b"body"),
        Frame({"id": 7, "what": 1}),
        Frame({"id": 7, "bug": "two words"}),
        Frame({"id": 7, "bug": None}),
        *[Frame({"id": 7, "errno": each}) for each in (0, -1, 4096, 2**63, "2", 2.0, True, None)],
        *[
            Frame({"id": 7, "refusal": each})
            for each in (
                None,
                "resource",
                [],
                ["resource", "missing"],
                ["resource", "missing", "a", "b"],
                ["resource", "missing", 1],
                ["resource", "escape", "x"],
                ["sandbox", "missing", "x"],
                ["limit", "A B", "x"],
                ["limit", "x" * 41, "x"],
                ["exit", "missing", "x"],
                ["resource", "missing", "x" * 4001],
            )
        ],
        # Never closed here, so what they are does not matter.
        Frame({"id": 7, "value": 1}, b"", (0,)),
        Frame({"id": 7, "errno": 2}, b"", (0,)),
        Frame({"id": 7, "refusal": ["resource", "missing", "x"]}, b"", (0,)),
    ],
)
def test_everything_else_is_no_answer(frame: Frame) -> None:
    with pytest.raises(ValueError, match=r"."):
        value_of(frame, number=7)


def test_a_descriptor_is_taken_where_one_is_due() -> None:
    assert value_of(Frame({"id": 7, "value": None}, b"", (0,)), number=7, descriptors=1) is None
    with pytest.raises(ValueError, match="handed over"):
        value_of(Frame({"id": 7, "value": None}, b"", (0, 1)), number=7, descriptors=1)


@given(
    st.dictionaries(st.sampled_from(["id", "value", "refusal", "errno", "bug"]), st.none() | st.integers() | st.text())
)
def test_no_head_does_anything_else(head: dict[str, Any]) -> None:
    try:
        value_of(Frame(head), number=7)
    except (ValueError, OSError, RuntimeError, MCPServerError):
        return
    assert head["id"] == 7
