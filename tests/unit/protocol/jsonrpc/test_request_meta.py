"""The envelope of modern requests."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.request_meta import (
    CLIENT_CAPABILITIES,
    CLIENT_INFO,
    LOG_LEVEL,
    PROTOCOL_VERSION,
    RequestMeta,
    check_log_level,
    is_enveloped,
    parse_request_meta,
    progress_token,
)

BASE: dict[str, Any] = {PROTOCOL_VERSION: "2026-07-28", CLIENT_CAPABILITIES: {}}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def parse(**more: Any) -> RequestMeta:
    return parse_request_meta({"_meta": {**BASE, **more}})


def problem(params: dict[str, Any]) -> str:
    with pytest.raises(ProtocolError) as caught:
        parse_request_meta(params)
    assert caught.value.code == -32602
    return caught.value.message


def test_a_full_envelope() -> None:
    info = {"name": "c", "version": "1"}
    meta = parse(
        **{CLIENT_INFO: info, LOG_LEVEL: "info"}, progressToken="p", traceparent=PARENT, tracestate="a=b", baggage="c=d"
    )
    assert meta == RequestMeta("2026-07-28", {}, info, "info", "p", PARENT, "a=b", "c=d")


def test_only_two_keys_are_required() -> None:
    assert parse() == RequestMeta("2026-07-28", {})


def test_all_missing_keys_are_named() -> None:
    assert problem({}) == f"_meta lacks {PROTOCOL_VERSION} and {CLIENT_CAPABILITIES}"
    assert problem({"_meta": {CLIENT_CAPABILITIES: {}}}) == f"_meta lacks {PROTOCOL_VERSION}"


@pytest.mark.parametrize(
    ("meta", "word"),
    [
        ([], "_meta must be"),
        (None, "_meta must be"),
        ({**BASE, PROTOCOL_VERSION: 1}, PROTOCOL_VERSION),
        ({**BASE, CLIENT_CAPABILITIES: []}, CLIENT_CAPABILITIES),
        ({**BASE, CLIENT_INFO: None}, CLIENT_INFO),
        ({**BASE, CLIENT_INFO: {"name": "x"}}, CLIENT_INFO),
        ({**BASE, CLIENT_INFO: "x"}, CLIENT_INFO),
        ({**BASE, LOG_LEVEL: "loud"}, "log level"),
        ({**BASE, LOG_LEVEL: None}, "log level"),
        ({**BASE, "progressToken": 1.5}, "progressToken"),
        ({**BASE, "progressToken": None}, "progressToken"),
        ({**BASE, "progressToken": True}, "progressToken"),
        ({**BASE, "progressToken": "x" * 257}, "progressToken"),
    ],
)
def test_wrong_types_are_refused(meta: Any, word: str) -> None:
    assert word in problem({"_meta": meta})


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "00",
        PARENT.upper(),
        PARENT + "-x",
        "ff" + PARENT[2:],
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        PARENT + "\n",
        7,
    ],
)
def test_a_malformed_trace_is_dropped_with_its_state(traceparent: Any) -> None:
    meta = parse(traceparent=traceparent, tracestate="a=b", baggage="x\ny")
    assert (meta.traceparent, meta.tracestate, meta.baggage) == (None, None, None)


def test_one_modern_key_makes_a_request_modern() -> None:
    assert is_enveloped({"_meta": {PROTOCOL_VERSION: 1}})
    assert is_enveloped({"_meta": {CLIENT_CAPABILITIES: {}}})
    assert not is_enveloped({"_meta": {"io.modelcontextprotocol/related-task": {}}})
    assert not is_enveloped({"_meta": []})
    assert not is_enveloped({})


def test_progress_tokens_of_any_revision() -> None:
    assert progress_token({"_meta": {"progressToken": 0}}) == 0
    assert progress_token({"_meta": {}}) is None
    assert progress_token({"_meta": None}) is None
    with pytest.raises(ProtocolError):
        progress_token({"_meta": 1})


@pytest.mark.parametrize("level", ["INFO", "", None, 3, ["info"]])
def test_unknown_log_levels_are_refused(level: object) -> None:
    with pytest.raises(ProtocolError, match="debug, info, notice"):
        check_log_level(level)
