"""Lines that are no messages: each is answered with the right code, and the connection lives on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.stdio.raw_server import RawServer, text_of
from tests.support.spec_validator import SpecValidator

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, METHOD_NOT_FOUND = -32700, -32600, -32602, -32601
LIMIT_BYTES = 4 * 1024 * 1024

CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":%b}}}'

HOSTILE: dict[str, tuple[bytes, int, Any]] = {
    "no JSON": (b"hello", PARSE_ERROR, None),
    "cut off": (b'{"jsonrpc":"2.0","id":7,"method":"ping"', PARSE_ERROR, 7),
    "two values": (b'{"jsonrpc":"2.0","id":7,"method":"ping"} {}', PARSE_ERROR, 7),
    "NaN": (CALL % b"NaN", PARSE_ERROR, 7),
    "infinity": (CALL % b"-Infinity", PARSE_ERROR, 7),
    "a number past all bounds": (CALL % b"1e999", INVALID_REQUEST, 7),
    "a lone surrogate": (CALL % rb'"\ud800"', PARSE_ERROR, 7),
    "no UTF-8": (CALL % b'"\xff\xfe"', PARSE_ERROR, 7),
    "an overlong UTF-8 slash": (CALL % b'"\xc0\xaf"', PARSE_ERROR, 7),
    "a raw NUL": (b"\x00", PARSE_ERROR, None),
    "a byte order mark": (b"\xef\xbb\xbf" + CALL % b'"x"', PARSE_ERROR, None),
    "a duplicate member": (CALL % b'"a","text":"b"', INVALID_REQUEST, 7),
    "a duplicate member by escape": (CALL % rb'"a","te\u0078t":"b"', INVALID_REQUEST, 7),
    "a duplicate method": (b'{"jsonrpc":"2.0","id":7,"method":"ping","method":"ping"}', INVALID_REQUEST, 7),
    "too deep": (CALL % (b"[" * 70 + b"]" * 70), INVALID_REQUEST, 7),
    "much too deep": (b"[" * 100_000, INVALID_REQUEST, None),
    "too many members": (CALL % (b"[" + b"0," * 100_001 + b"0]"), INVALID_REQUEST, 7),
    "an integer past 64 bits": (CALL % b"123456789012345678901234567890", INVALID_REQUEST, 7),
    "a text": (b'"hello"', INVALID_REQUEST, None),
    "a number": (b"42", INVALID_REQUEST, None),
    "null": (b"null", INVALID_REQUEST, None),
    "an empty object": (b"{}", INVALID_REQUEST, None),
    "another JSON-RPC": (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', INVALID_REQUEST, 7),
    "no JSON-RPC": (b'{"id":7,"method":"ping"}', INVALID_REQUEST, 7),
    "an id of null": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST, None),
    "an id of true": (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID_REQUEST, None),
    "a fractional id": (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID_REQUEST, None),
    "an object as id": (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', INVALID_REQUEST, None),
    "a number as method": (b'{"jsonrpc":"2.0","id":7,"method":5}', INVALID_REQUEST, 7),
    "parameters by position": (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":[1]}', INVALID_PARAMS, 7),
    "request and response at once": (
        b'{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}',
        INVALID_REQUEST,
        None,
    ),
    "an unknown method": (b'{"jsonrpc":"2.0","id":7,"method":"no/such"}', METHOD_NOT_FOUND, 7),
    "a method of the other era": (b'{"jsonrpc":"2.0","id":7,"method":"server/discover"}', METHOD_NOT_FOUND, 7),
}


def test_every_hostile_line_is_answered_with_its_code_and_the_connection_lives_on(server: RawServer) -> None:
    wrong = {}
    for name, (line, code, request_id) in HOSTILE.items():
        server.send_bytes(line + b"\n")
        answer = server.receive()
        if (answer.get("error", {}).get("code"), answer.get("id")) != (code, request_id):
            wrong[name] = answer
        assert server.text("echo", text=name) == name
    assert wrong == {}
    assert server.stop() == 0


def test_what_needs_no_answer_gets_none(server: RawServer) -> None:
    for line in (
        b"",
        b"\r",
        b'{"jsonrpc":"2.0","method":"no/such"}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"nobody"}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}',
        b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}',
        b'{"jsonrpc":"2.0","id":"server-99","result":{}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"what?"}}',
    ):
        server.send_bytes(line + b"\n")
    assert server.text("echo", text="quiet") == "quiet"
    assert list(server.kept) == []
    assert server.stop() == 0


def test_a_line_past_the_limit_is_refused_and_the_next_one_answered(server: RawServer) -> None:
    fits = CALL % (b'"' + b"x" * (LIMIT_BYTES - len(CALL) - 2 + len(b"%b")) + b'"')
    assert len(fits) == LIMIT_BYTES
    too_long = fits.replace(b"xx", b"xxx", 1)
    server.expect(7, "tools/call")
    server.send_bytes(fits + b"\n")
    # The argument fits the line; whether such a result is too long for an answer is another limit's affair.
    assert server.answer(7)["id"] == 7
    server.send_bytes(too_long + b"\n")
    refused = server.answer(7)
    assert refused["error"]["code"] == INVALID_REQUEST
    assert "4194304 bytes" in refused["error"]["message"]
    assert server.text("echo", text="still here") == "still here"
    # Without a newline for many limits' length nothing grows, and one answer is enough.
    for _ in range(8):
        server.send_bytes(b"y" * LIMIT_BYTES)
    server.send_bytes(b"\n")
    assert server.receive()["error"]["code"] == INVALID_REQUEST
    assert server.text("echo", text="still here") == "still here"
    assert list(server.kept) == []
    assert resident_kibibytes(server.process.pid) < 300 * 1024
    assert server.stop() == 0


def test_lines_arrive_in_any_pieces_and_with_either_line_end(server: RawServer) -> None:
    server.expect("one", "ping")
    for byte in b'{"jsonrpc":"2.0","id":"one","method":"ping"}\r\n':
        server.send_bytes(bytes([byte]))
    assert server.answer("one")["result"] == {}
    for number in range(20):
        server.expect(f"n{number}", "ping")
    server.send_bytes(
        b"".join(
            b'{"jsonrpc":"2.0","id":"n%d","method":"ping"}%b' % (n, b"\r\n" if n % 2 else b"\n") for n in range(20)
        )
    )
    assert [server.receive()["id"] for _ in range(20)] == [f"n{number}" for number in range(20)]
    server.expect("last", "ping")
    server.send_bytes(b'{"jsonrpc":"2.0","id":"last","method":"ping"}')
    server.close_input()
    assert server.wait() == 0
    assert [message["id"] for message in server.kept] == ["last"], "the last line needs no line end"


def test_an_id_that_is_in_flight_is_refused_and_the_first_request_is_not_harmed(server: RawServer) -> None:
    first = server.hold("first")
    server.send({"jsonrpc": "2.0", "id": first, "method": "tools/call", "params": {"name": "add", "arguments": {}}})
    refused = server.answer(first)
    assert refused["error"]["code"] == INVALID_REQUEST
    assert "in flight" in refused["error"]["message"]
    server.text("release", label="first")
    assert text_of(server.answer(first)) == "released first"
    # Once it is answered the id is free again; and 1 and "1" are two ids.
    server.send({"jsonrpc": "2.0", "id": first, "method": "ping"})
    assert server.answer(first)["result"] == {}
    server.send({"jsonrpc": "2.0", "id": str(first), "method": "ping"})
    assert server.answer(str(first))["result"] == {}
    assert server.stop() == 0


def test_a_batch_is_answered_as_one_at_the_one_revision_that_has_them(start: Callable[..., RawServer]) -> None:
    server = start()
    server.initialize("2025-03-26")
    batch = [
        {"jsonrpc": "2.0", "id": 11, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}},
        {"jsonrpc": "2.0", "id": 12, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "in"}}},
        {"jsonrpc": "2.0", "id": 13, "method": "no/such"},
        {"id": 14},
        7,
    ]
    server.send_bytes(json.dumps(batch).encode() + b"\n")
    line = server.line()
    assert line is not None
    answers = SpecValidator("2025-03-26").batch({11: "ping", 12: "tools/call"}, line)
    by_id = {answer.get("id"): answer for answer in answers}
    assert len(answers) == 5
    assert text_of(by_id[12]) == "in"
    assert by_id[13]["error"]["code"] == METHOD_NOT_FOUND
    assert by_id[14]["error"]["code"] == INVALID_REQUEST
    assert by_id[None]["error"]["code"] == INVALID_REQUEST
    # Only notifications: no answer at all. An empty one, or too long a one: one error, which is no batch.
    server.send_bytes(b'[{"jsonrpc":"2.0","method":"notifications/initialized"}]\n')
    server.send_bytes(b"[]\n")
    assert server.receive()["error"]["code"] == INVALID_REQUEST
    server.send_bytes(json.dumps([{"jsonrpc": "2.0", "id": n, "method": "ping"} for n in range(101)]).encode() + b"\n")
    assert server.receive()["error"]["code"] == INVALID_REQUEST
    assert server.text("echo", text="after") == "after"
    assert server.stop() == 0


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-06-18", "2025-11-25", None])
def test_a_batch_is_refused_at_every_other_revision(start: Callable[..., RawServer], revision: str | None) -> None:
    server = start()
    if revision is not None:
        server.initialize(revision)
    server.send_bytes(b'[{"jsonrpc":"2.0","id":11,"method":"ping"}]\n')
    refused = server.receive()
    assert refused["error"]["code"] == INVALID_REQUEST
    assert refused["id"] is None
    assert server.result("ping") == {}
    assert server.stop() == 0


def resident_kibibytes(pid: int) -> int:
    """What the process holds of memory."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
