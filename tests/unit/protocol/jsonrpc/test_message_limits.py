"""Limits that bound nothing are refused."""

from __future__ import annotations

import dataclasses

import pytest

from mcp_server.protocol.jsonrpc.message_limits import PARSER_DEPTH, MessageLimits


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(MessageLimits)])
def test_no_limit_is_zero(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        MessageLimits(**{name: 0})


def test_the_parser_bounds_depth() -> None:
    assert MessageLimits(max_depth=PARSER_DEPTH).max_depth == PARSER_DEPTH
    with pytest.raises(ValueError, match="max_depth"):
        MessageLimits(max_depth=PARSER_DEPTH + 1)


def test_the_parser_gives_up_later_than_any_limit_and_without_a_crash() -> None:
    from pydantic_core import from_json

    assert from_json(b"[" * PARSER_DEPTH + b"]" * PARSER_DEPTH)
    with pytest.raises(ValueError, match="recursion limit"):
        from_json(b"[" * 100_000)
