"""The JSON-RPC envelope, ids, and batches."""

from __future__ import annotations

from typing import Any

from mcp_server.protocol.jsonrpc.refused_frame import RefusedFrame
from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import Wire

INVALID_REQUEST = -32600


async def alive(wire: Wire) -> None:
    """The pipe still serves."""
    assert "tools" in await wire.result("tools/list")


def last_error(wire: Wire) -> dict[str, Any]:
    message = wire.messages[-1]
    assert set(message) == {"jsonrpc", "id", "error"}
    return {"id": message["id"], **message["error"]}


# The envelope


@covers("envelope.bad-json")
async def test_bad_json(desk: Desk) -> None:
    wire = await desk.connect()
    for data in (b"{", b"", b"nonsense", b'{"a": NaN}', b"\xff\xfe", b'"\\ud800"', b'{"a":1}{"b":2}'):
        before = len(wire.messages)
        wire.frame(data)
        assert len(wire.messages) == before + 1, data
        assert last_error(wire)["code"] == -32700, data
        assert last_error(wire)["id"] is None
    await alive(wire)


@covers("envelope.not-an-object")
async def test_value_that_is_no_message(desk: Desk) -> None:
    wire = await desk.connect()
    for data in (b"1", b'"text"', b"null", b"true", b"{}", b'{"jsonrpc":"2.0"}'):
        before = len(wire.messages)
        wire.frame(data)
        assert len(wire.messages) == before + 1, data
        assert last_error(wire)["code"] == INVALID_REQUEST, data
    await alive(wire)


@covers("envelope.version")
async def test_other_version_of_json_rpc(desk: Desk) -> None:
    wire = await desk.connect()
    for version in ("1.0", 2.0, None, "2.0 "):
        wire.post({"jsonrpc": version, "id": 7, "method": "tools/list"})
        assert (last_error(wire)["id"], last_error(wire)["code"]) == (7, INVALID_REQUEST)
    wire.post({"id": 8, "method": "tools/list"})
    assert (last_error(wire)["id"], last_error(wire)["code"]) == (8, INVALID_REQUEST)
    await alive(wire)


@covers("envelope.method-missing")
async def test_method_is_missing(desk: Desk) -> None:
    wire = await desk.connect()
    wire.post({"jsonrpc": "2.0", "id": 7, "params": {}})
    assert (last_error(wire)["id"], last_error(wire)["code"]) == (7, INVALID_REQUEST)
    await alive(wire)


@covers("envelope.method-type")
async def test_method_is_no_text(desk: Desk) -> None:
    wire = await desk.connect()
    for method in (1, None, ["tools/list"], {}, ""):
        wire.post({"jsonrpc": "2.0", "id": 7, "method": method})
        assert (last_error(wire)["id"], last_error(wire)["code"]) == (7, INVALID_REQUEST)
    await alive(wire)


@covers("envelope.params-type")
async def test_params_are_no_object(desk: Desk) -> None:
    wire = await desk.connect()
    for params in ([], [1], "x", 1, None, True):
        wire.post({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params})
        assert last_error(wire)["id"] == 7
        assert last_error(wire)["code"] in (INVALID_REQUEST, -32602)
    await alive(wire)


@covers("envelope.duplicate-member")
async def test_member_is_named_twice(desk: Desk) -> None:
    wire = await desk.connect()
    wire.frame(b'{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}')
    assert last_error(wire)["code"] == INVALID_REQUEST
    wire.frame(b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","name":"ring"}}')
    assert last_error(wire)["code"] == INVALID_REQUEST
    await wire.settle()
    assert desk.show.began == []
    await alive(wire)


@covers("envelope.too-deep")
async def test_nested_too_deep(desk: Desk) -> None:
    wire = await desk.connect()
    deep = b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":' + b"[" * 70 + b"]" * 70 + b"}}"
    wire.frame(deep)
    assert last_error(wire)["code"] == INVALID_REQUEST
    await alive(wire)


@covers("envelope.too-long")
async def test_line_is_too_long(desk: Desk) -> None:
    wire = await desk.connect()
    wire.handler.receive(wire.connection, RefusedFrame(b'{"jsonrpc":"2.0","id":"long","method":"x', 1000))
    assert (last_error(wire)["id"], last_error(wire)["code"]) == ("long", INVALID_REQUEST)
    assert "1000 bytes" in last_error(wire)["message"]
    await alive(wire)


@covers("envelope.both")
async def test_request_and_response_at_once(desk: Desk) -> None:
    wire = await desk.connect()
    wire.frame(b'{"jsonrpc":"2.0","id":7,"method":"tools/list","result":{}}')
    assert last_error(wire)["code"] == INVALID_REQUEST
    wire.frame(b'{"jsonrpc":"2.0","id":7,"result":{},"error":{"code":1,"message":"x"}}')
    assert last_error(wire)["code"] == INVALID_REQUEST
    await alive(wire)


@covers("envelope.notification-silent")
async def test_notification_is_never_answered(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    for method in ("notifications/unknown", "notifications/roots/list_changed", "tools/call", "initialize", "nonsense"):
        wire.notify(method, {"name": "ring"})
        wire.notify(method)
    await wire.settle()
    assert len(wire.messages) == before
    assert desk.show.began == []


@covers("envelope.response-unasked")
async def test_response_to_no_question(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    for request_id in (1, "server-1", "x"):
        wire.reply({"id": request_id}, {"roots": []})
        wire.reply({"id": request_id}, error={"code": -1, "message": "no"})
    wire.frame(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}')
    await wire.settle()
    assert len(wire.messages) == before
    await alive(wire)


@covers("envelope.strangers")
async def test_unknown_member_of_the_envelope(desk: Desk) -> None:
    wire = await desk.connect()
    wire.post({**wire.compose("tools/call", {"name": "echo", "arguments": {"text": "x"}}, request_id=5), "extra": [1]})
    assert (await wire.answer(5))["result"]["content"][0]["text"] == "x"


# Ids


@covers("id.echo")
async def test_id_comes_back_as_it_was(desk: Desk) -> None:
    wire = await desk.connect()
    for request_id in (0, -5, 2**53 + 1, 2**63 - 1, "", "a", "é\u2028", "x" * 256):
        answer = await wire.ask("tools/list", request_id=request_id)
        assert answer["id"] == request_id
        assert type(answer["id"]) is type(request_id)


@covers("id.null")
async def test_id_null(desk: Desk) -> None:
    wire = await desk.connect()
    wire.post({"jsonrpc": "2.0", "id": None, "method": "tools/list", "params": {}})
    assert (last_error(wire)["id"], last_error(wire)["code"]) == (None, INVALID_REQUEST)


@covers("id.fraction")
async def test_id_with_a_fraction(desk: Desk) -> None:
    wire = await desk.connect()
    for text in (b"1.5", b"1.0", b"1e3"):
        wire.frame(b'{"jsonrpc":"2.0","id":' + text + b',"method":"tools/list"}')
        assert (last_error(wire)["id"], last_error(wire)["code"]) == (None, INVALID_REQUEST)


@covers("id.boolean")
async def test_truth_value_as_id(desk: Desk) -> None:
    wire = await desk.connect()
    for value in (True, False, [], {}):
        wire.post({"jsonrpc": "2.0", "id": value, "method": "tools/list"})
        assert (last_error(wire)["id"], last_error(wire)["code"]) == (None, INVALID_REQUEST)


@covers("id.distinct-types")
async def test_number_and_text_are_two_ids(desk: Desk) -> None:
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow"}, request_id=1)
    wire.start("tools/call", {"name": "slow"}, request_id="1")
    await wire.settle()
    assert desk.show.began == ["slow", "slow"]
    desk.show.gate.set()
    await wire.answer(1)
    await wire.answer("1")
    assert [each["id"] for each in wire.messages if "result" in each][-2:] == [1, "1"]


@covers("id.in-flight-twice")
async def test_id_of_a_request_in_flight(desk: Desk) -> None:
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow"}, request_id="x")
    await wire.settle()
    wire.start("tools/call", {"name": "ring"}, request_id="x")
    await wire.settle()
    assert (last_error(wire)["id"], last_error(wire)["code"]) == ("x", INVALID_REQUEST)
    assert desk.show.began == ["slow"]
    desk.show.gate.set()
    answer = await wire.until(lambda: next((each for each in wire.answers("x") if "result" in each), None), "it")
    assert answer["result"]["content"][0]["text"] == "done"


@covers("id.reuse")
async def test_id_is_used_again(desk: Desk) -> None:
    wire = await desk.connect()
    for text in ("first", "second"):
        answer = await wire.ask("tools/call", {"name": "echo", "arguments": {"text": text}}, request_id="same")
        wire.messages.clear()
        assert answer["result"]["content"][0]["text"] == text


# Batches


def request(request_id: Any, method: str = "tools/list", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def only_batch(wire: Wire) -> dict[Any, dict[str, Any]] | None:
    batches = [message for message in wire.messages if isinstance(message, list)]
    assert len(batches) <= 1
    return {each["id"]: each for each in batches[0]} if batches else None


@covers("batch.answered")
async def test_batch_is_answered_by_one_array(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    call = request("b", "tools/call", name="echo", arguments={"text": "x"})
    news = {"jsonrpc": "2.0", "method": "notifications/unknown"}
    wire.post([request(1, "ping"), news, call, request(3, "no/such")])
    answers = await wire.until(lambda: only_batch(wire), "the batch")
    assert len(wire.messages) == before + 1
    assert set(answers) == {1, "b", 3}
    assert answers[1]["result"] == {}
    assert answers["b"]["result"]["content"][0]["text"] == "x"
    assert answers[3]["error"]["code"] == -32601


@covers("batch.refused")
async def test_array_where_there_are_no_batches(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    wire.post([request(1, "ping"), request(2, "tools/call", name="ring")])
    await wire.settle()
    assert len(wire.messages) == before + 1
    assert (last_error(wire)["id"], last_error(wire)["code"]) == (None, INVALID_REQUEST)
    assert desk.show.began == []


@covers("batch.refused-modern")
async def test_array_of_modern_requests(desk: Desk) -> None:
    wire = await desk.connect()
    wire.post([wire.compose("tools/list", request_id=1), wire.compose("tools/call", {"name": "ring"}, request_id=2)])
    await wire.settle()
    assert len(wire.messages) == 1
    assert (last_error(wire)["id"], last_error(wire)["code"]) == (None, INVALID_REQUEST)
    assert desk.show.began == []


@covers("batch.enveloped-member")
async def test_modern_request_inside_a_batch(desk: Desk) -> None:
    wire = await desk.connect()
    meta = {"_meta": {**wire.envelope()}}
    wire.post(
        [request(1, "ping"), request(2, "tools/call", name="ring", **meta), request(3, "subscriptions/listen", **meta)]
    )
    answers = await wire.until(lambda: only_batch(wire), "the batch")
    assert answers[1]["result"] == {}
    assert answers[2]["error"]["code"] == INVALID_REQUEST
    assert answers[3]["error"]["code"] == INVALID_REQUEST
    assert desk.show.began == []


@covers("batch.empty")
async def test_empty_batch(desk: Desk) -> None:
    wire = await desk.connect()
    wire.frame(b"[]")
    assert (last_error(wire)["id"], last_error(wire)["code"]) == (None, INVALID_REQUEST)


@covers("batch.notifications-only")
async def test_batch_of_notifications(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    wire.post([{"jsonrpc": "2.0", "method": "notifications/unknown"}, {"jsonrpc": "2.0", "method": "x"}])
    wire.frame(b'[{"jsonrpc":"2.0","id":"server-9","result":{}}]')
    await wire.settle()
    assert len(wire.messages) == before


@covers("batch.mixed-invalid")
async def test_invalid_members_of_a_batch(desk: Desk) -> None:
    wire = await desk.connect()
    wire.post([1, request(5, "ping"), {"jsonrpc": "2.0", "id": 6}, [], None])
    batch = await wire.until(lambda: next((each for each in wire.messages if isinstance(each, list)), None), "it")
    assert sorted((str(each["id"]), each.get("error", {}).get("code")) for each in batch if each["id"] != 5) == [
        ("6", INVALID_REQUEST),
        *[("None", INVALID_REQUEST)] * 3,
    ]
    assert next(each for each in batch if each["id"] == 5)["result"] == {}


@covers("batch.initialize")
async def test_initialize_in_a_batch(desk: Desk) -> None:
    wire = await desk.connect()
    wire.post([request(8, "initialize", **wire.hello("2025-11-25")), request(9, "ping")])
    answers = await wire.until(lambda: only_batch(wire), "the batch")
    assert answers[8]["error"]["code"] == INVALID_REQUEST
    assert answers[9]["result"] == {}
    assert wire.connection.session is not None
    assert wire.connection.session.revision.date == desk.revision


@covers("batch.before-initialize")
async def test_batch_before_initialize(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    wire.post([request(1, "initialize", **wire.hello()), request(2, "ping")])
    assert (last_error(wire)["id"], last_error(wire)["code"]) == (None, INVALID_REQUEST)
    assert wire.connection.session is None
    await wire.shake_hands()


@covers("batch.cancelled-member")
async def test_cancelled_member_of_a_batch(desk: Desk) -> None:
    wire = await desk.connect()
    wire.post([request(1, "tools/call", name="slow"), request(2, "ping")])
    await wire.settle()
    assert only_batch(wire) is None
    wire.cancel(1)
    assert set(await wire.until(lambda: only_batch(wire), "the batch")) == {2}


@covers("batch.cancelled-wholly")
async def test_batch_whose_requests_were_all_cancelled(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    wire.post([request(1, "tools/call", name="slow"), request(2, "tools/call", name="slow")])
    wire.cancel(1)
    await wire.settle()
    wire.cancel(2)
    await wire.settle()
    assert len(wire.messages) == before
    assert wire.connection.exchanges == {}


@covers("batch.duplicate-ids")
async def test_two_members_with_one_id(desk: Desk) -> None:
    wire = await desk.connect()
    wire.post([request(1, "tools/call", name="ring"), request(1, "tools/call", name="ring")])
    batch = await wire.until(lambda: next((each for each in wire.messages if isinstance(each, list)), None), "it")
    assert sorted("error" in each for each in batch) == [False, True]
    assert next(each for each in batch if "error" in each)["error"]["code"] == INVALID_REQUEST
    assert desk.show.began == ["ring"]


@covers("batch.too-many")
async def test_too_many_messages_in_a_batch(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    wire.post([request(number, "ping") for number in range(101)])
    assert len(wire.messages) == before + 1
    assert last_error(wire)["code"] == INVALID_REQUEST
    assert "100" in last_error(wire)["message"]
