"""Parameters are there and of the right kind, or -32602 names them."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol import params as read


def refusal(function: Any, params: dict[str, Any]) -> str:
    with pytest.raises(ProtocolError) as caught:
        function(params, "x")
    assert caught.value.code == -32602
    return caught.value.message


@pytest.mark.parametrize("params", [{}, {"x": None}, {"x": 1}, {"x": ["a"]}, {"x": True}])
def test_text_that_is_none(params: dict[str, Any]) -> None:
    assert "params.x" in refusal(read.text, params)


def test_text() -> None:
    assert read.text({"x": ""}, "x") == ""


@pytest.mark.parametrize("params", [{"x": None}, {"x": []}, {"x": "a"}, {"x": 0}])
def test_object_that_is_none(params: dict[str, Any]) -> None:
    assert "params.x" in refusal(read.mapping, params)


def test_object() -> None:
    assert read.mapping({}, "x") == {}
    assert read.mapping({"x": {"a": 1}}, "x") == {"a": 1}


@pytest.mark.parametrize("params", [{"x": {"a": 1}}, {"x": {"a": None}}, {"x": []}])
def test_object_of_other_things_than_texts(params: dict[str, Any]) -> None:
    assert "params.x" in refusal(read.texts, params)


def test_object_of_texts() -> None:
    assert read.texts({"x": {"a": "b"}}, "x") == {"a": "b"}
