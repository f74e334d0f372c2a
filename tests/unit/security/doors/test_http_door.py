from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.network.http_reply import HttpReply
from mcp_server.security.doors.gate_rules import GateRules
from mcp_server.security.doors.http_door import HttpDoor
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType


class Gate:
    """Opens until it is closed."""

    def __init__(self) -> None:
        self.is_closed = False
        self.asked: list[str] = []

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        self.asked.append(resource)
        if self.is_closed:
            raise PermissionDeniedError("the call has ended")

    def allows(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        return not self.is_closed

    def stance(self, permission_type: PermissionType, resource: str) -> Effect | None:
        return None


class Client:
    """Keeps what it was told to send, and answers from somewhere else."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    async def request(self, method: str, url: str, **settings: Any) -> HttpReply:
        assert isinstance(settings.pop("rules"), GateRules)
        self.sent.append((method, url, settings))
        return HttpReply(200, {}, b"", "https://b.example/end")


def sent(use: Any) -> tuple[str, str, dict[str, Any]]:
    client = Client()
    asyncio.run(use(HttpDoor(http=client, gate=Gate())))  # type: ignore[arg-type] # what it needs of a client
    return client.sent[0]


def test_get_and_post_are_requests() -> None:
    assert sent(lambda door: door.get("u", headers={"A": "1"}, timeout_seconds=3)) == (
        "GET",
        "u",
        {"headers": {"A": "1"}, "body": None, "timeout_seconds": 3},
    )
    assert sent(lambda door: door.post("u", body="\u00e9"))[2]["body"] == "\u00e9".encode()
    assert sent(lambda door: door.request("PUT", "u", body=b"x"))[::2][1]["body"] == b"x"


@pytest.mark.parametrize("value", [{"a": [1, None]}, [], 0, False, ""])
def test_a_value_is_sent_as_json(value: Any) -> None:
    settings = sent(lambda door: door.post("u", json=value))[2]
    assert settings["headers"] == {"content-type": "application/json"}
    assert HttpReply(200, {}, settings["body"], "").json() == value


def test_the_caller_may_name_the_type_itself() -> None:
    headers = {"Content-Type": "application/vnd.api+json"}
    assert sent(lambda door: door.post("u", json=1, headers=headers))[2]["headers"] == headers


def test_a_body_and_a_value_are_one_too_many() -> None:
    with pytest.raises(SandboxViolationError, match="not both"):
        sent(lambda door: door.post("u", json=1, body=b""))


def test_what_ended_somewhere_is_permitted_there_before_it_is_handed_out() -> None:
    gate, client = Gate(), Client()
    door = HttpDoor(http=client, gate=gate)  # type: ignore[arg-type] # what it needs of a client
    assert asyncio.run(door.get("u")).status == 200
    assert gate.asked == ["b.example:443"]
    gate.is_closed = True
    with pytest.raises(PermissionDeniedError, match="has ended"):
        asyncio.run(door.get("u"))
