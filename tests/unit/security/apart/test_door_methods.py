"""What is asked from afar is what the doors have."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.security.apart.door_method import DoorMethod
from mcp_server.security.apart.door_methods import door_methods
from mcp_server.security.client_context import ClientContext
from mcp_server.security.client_state import ClientState
from mcp_server.security.doors.code_door import CodeDoor
from mcp_server.security.doors.file_door import FileDoor
from mcp_server.security.doors.http_door import HttpDoor
from mcp_server.security.doors.log_door import LogDoor
from mcp_server.security.doors.process_door import ProcessDoor
from mcp_server.security.doors.root_action_door import RootActionDoor
from mcp_server.security.doors.run_door import RunDoor

DOORS: dict[str, type] = {
    "files": FileDoor,
    "code": CodeDoor,
    "run": RunDoor,
    "processes": ProcessDoor,
    "root_action": RootActionDoor,
    "http": HttpDoor,
    "log": LogDoor,
    "state": ClientState,
}
METHODS = sorted(door_methods().items())


def function_of(name: str) -> Any:
    door, _, method = name.partition(".")
    if door not in DOORS:
        return getattr(ClientContext, door)
    return getattr(DOORS[door], method or "__call__")


@pytest.mark.parametrize(("name", "method"), METHODS, ids=[name for name, _ in METHODS])
def test_each_has_the_parameters_of_its_door_and_no_others(name: str, method: DoorMethod) -> None:
    function = function_of(name)
    if method.is_value:
        assert isinstance(function, property)
        assert not method.parameters
        return
    signature = inspect.signature(function)
    needed = {each.name for each in signature.parameters.values() if each.default is each.empty} - {"self", "options"}
    assert method.parameters.keys() <= signature.parameters.keys()
    assert needed <= method.parameters.keys()
    assert method.is_async is inspect.iscoroutinefunction(function)


def test_nothing_private_and_nothing_that_runs_functions_is_among_them() -> None:
    names = door_methods().keys()
    public = {"state.__getitem__", "state.__setitem__", "state.__delitem__", "state.__iter__"}
    assert [name for name in names if "_" in (name[0], name.partition(".")[2][:1]) and name not in public] == []
    assert names.isdisjoint({"apart", "run_sync", "files.watch", "files.plan", "module_policy"})


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ({"path": "a", "data": "aGk="}, {"path": "a", "data": b"hi"}),
        ({"path": "a", "data": ""}, {"path": "a", "data": b""}),
        ({"path": "a", "data": "no base64!"}, None),
        ({"path": "a", "data": 7}, None),
        ({"path": 7}, None),
        ({"path": "a", "create_only": 1}, None),
        ({"path": "a", "if_match": None}, {"path": "a", "if_match": None}),
        ({"self": "a"}, None),
        ({"location": "a"}, None),
    ],
)
def test_arguments_are_what_they_are_or_refused(arguments: dict[str, Any], read: dict[str, Any] | None) -> None:
    method = door_methods()["files.write_bytes"]
    if read is not None:
        assert method.read(arguments) == read
        return
    with pytest.raises(ValueError, match=r"files\.write_bytes"):
        method.read(arguments)


@pytest.mark.parametrize("value", [b"", b"\x00\xff", "text \u00e9"])
def test_bytes_arrive_as_they_left(value: bytes | str) -> None:
    import json

    method = door_methods()["files.write_bytes"]
    arrived = method.read(json.loads(method.written({"path": "a", "data": value})))["data"]
    assert arrived == (value if isinstance(value, bytes) else value.encode())


def test_a_ledger_can_be_sent() -> None:
    import pickle

    ledger = EffectLedger(is_truncated=True, max_listed=3)
    assert pickle.loads(pickle.dumps(ledger)).to_wire() == ledger.to_wire()
