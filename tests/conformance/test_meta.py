"""What a request says of itself, and what every result says."""

from __future__ import annotations

from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import CAPABILITIES, CLIENT_INFO, LOG_LEVEL, SERVER_INFO, VERSION, Wire
from tests.support.spec_validator import MODERN

GOOD: dict[str, Any] = {VERSION: MODERN, CAPABILITIES: {}}


async def with_meta(wire: Wire, meta: Any, method: str = "tools/list") -> dict[str, Any]:
    """Return the answer to a request with just this `_meta`."""
    number = len(wire.messages) + 1000
    wire.post({"jsonrpc": "2.0", "id": number, "method": method, "params": {"_meta": meta}})
    return await wire.answer(number)


@covers("meta.missing-version")
async def test_version_is_missing(desk: Desk) -> None:
    wire = await desk.connect()
    error = (await with_meta(wire, {CAPABILITIES: {}}))["error"]
    assert error["code"] == -32602
    assert VERSION in error["message"]
    assert CAPABILITIES not in error["message"]


@covers("meta.missing-capabilities")
async def test_capabilities_are_missing(desk: Desk) -> None:
    wire = await desk.connect()
    error = (await with_meta(wire, {VERSION: MODERN}))["error"]
    assert error["code"] == -32602
    assert CAPABILITIES in error["message"]


@covers("meta.version-type")
async def test_version_that_is_no_text(desk: Desk) -> None:
    wire = await desk.connect()
    for version in (20260728, None, [MODERN], {}, True):
        error = (await with_meta(wire, {**GOOD, VERSION: version}))["error"]
        assert error["code"] == -32602
        assert VERSION in error["message"]


@covers("meta.capabilities-type")
async def test_capabilities_that_are_no_object(desk: Desk) -> None:
    wire = await desk.connect()
    for capabilities in (None, [], "roots", True, 1):
        error = (await with_meta(wire, {**GOOD, CAPABILITIES: capabilities}))["error"]
        assert error["code"] == -32602
        assert CAPABILITIES in error["message"]


@covers("meta.client-info-absent")
async def test_without_client_info(desk: Desk) -> None:
    assert "result" in await with_meta(await desk.connect(), GOOD)


@covers("meta.client-info-type")
async def test_client_info_of_the_wrong_form(desk: Desk) -> None:
    wire = await desk.connect()
    for info in (None, "me", [], {}, {"name": "x"}, {"name": 1, "version": "1"}):
        assert (await with_meta(wire, {**GOOD, CLIENT_INFO: info}))["error"]["code"] == -32602


@covers("meta.log-level")
async def test_log_level_that_is_none(desk: Desk) -> None:
    wire = await desk.connect()
    for level in ("loud", "", None, 3, "INFO"):
        assert (await with_meta(wire, {**GOOD, LOG_LEVEL: level}))["error"]["code"] == -32602


@covers("meta.progress-token")
async def test_progress_token_of_the_wrong_type(desk: Desk) -> None:
    wire = await desk.connect()
    for token in (1.5, None, [], {}, True, "x" * 10_000):
        error = await wire.error("tools/call", {"name": "ring", "_meta": {"progressToken": token}})
        assert error["code"] == -32602
    assert desk.show.began == []


@covers("meta.trace-context")
async def test_trace_context(desk: Desk) -> None:
    wire = await desk.connect()
    good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for trace in ({"traceparent": good, "tracestate": "a=1", "baggage": "k=v"}, {"traceparent": "nonsense"}):
        assert "result" in await with_meta(wire, {**GOOD, **trace})
    assert "result" in await with_meta(wire, {**GOOD, "traceparent": 5, "baggage": [], "tracestate": None})


@covers("meta.version-unsupported")
async def test_unknown_version(desk: Desk) -> None:
    wire = await desk.connect()
    versions = (await wire.result("server/discover"))["supportedVersions"]
    for version in ("v999.0.0", "2025-11-25", "2099-01-01", ""):
        error = (await with_meta(wire, {**GOOD, VERSION: version}))["error"]
        assert error["code"] == -32022
        assert error["data"] == {"supported": versions, "requested": version}


@covers("meta.version-before-method")
async def test_unknown_version_of_an_unknown_method(desk: Desk) -> None:
    wire = await desk.connect()
    answer = await with_meta(wire, {**GOOD, VERSION: "v999.0.0"}, "no/such")
    assert answer["error"]["code"] == -32022


@covers("meta.method-before-params")
async def test_unknown_method_with_bad_params(desk: Desk) -> None:
    wire = await desk.connect()
    for method in ("no/such", "tools/invoke", "Tools/List", "tools/list ", "rpc.discover"):
        error = await wire.error(method, {"cursor": 5, "name": [], "_meta": {"progressToken": 1}})
        assert error["code"] == -32601
        assert "data" not in error


@covers("result.type")
async def test_every_result_says_its_type(desk: Desk) -> None:
    wire = await desk.connect()
    for method, params in calls():
        assert (await wire.result(method, params))["resultType"] == "complete"


@covers("result.server-info")
async def test_every_result_names_the_server(desk: Desk) -> None:
    wire = await desk.connect()
    for method, params in calls():
        assert (await wire.result(method, params))["_meta"][SERVER_INFO]["name"] == "desk"


@covers("result.legacy-plain")
async def test_no_result_has_modern_members(desk: Desk) -> None:
    wire = await desk.connect()
    for method, params in calls():
        if method != "server/discover":
            result = await wire.result(method, params)
            assert result.keys().isdisjoint({"resultType", "ttlMs", "cacheScope"})
            assert SERVER_INFO not in result.get("_meta", {})


def calls() -> list[tuple[str, dict[str, Any]]]:
    """Return a request of each method that both eras have, and `server/discover`."""
    return [
        ("server/discover", {}),
        ("tools/list", {}),
        ("tools/call", {"name": "echo", "arguments": {"text": "x"}}),
        ("tools/call", {"name": "fails"}),
        ("tools/call", {"name": "denies"}),
        ("prompts/list", {}),
        ("prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}),
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("resources/read", {"uri": "note:///a"}),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "name", "value": "A"}},
        ),
    ]
