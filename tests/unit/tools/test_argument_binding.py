"""Bindings of several permissions and arguments."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.argument_binding import MAX_BOUND_VALUES, bindings_of
from mcp_server.tools.resource_names import refuse_unguarded
from mcp_server.tools.written_schema import default_of


def test_one_permission_may_be_bound_to_several_arguments() -> None:
    permission = Permission(PermissionType.FILE_WRITE, argument=("source", "destination"))
    bindings = bindings_of([permission], {("destination",): "out"})
    needs = [need.text for binding in bindings for need in binding.needs({"source": "in"})]
    assert needs == ["in", "out"]


def test_unbound_permission_has_no_binding() -> None:
    assert bindings_of([Permission(PermissionType.FILE_READ)], {}) == ()


def test_default_below_an_object_is_checked_too() -> None:
    permission = Permission(PermissionType.FILE_READ, argument="options.target")
    (binding,) = bindings_of([permission], {("options", "target"): "t"})
    assert [need.text for need in binding.needs({})] == ["t"]
    assert [need.text for need in binding.needs({"options": {}})] == ["t"]
    assert [need.text for need in binding.needs({"options": {"target": "u"}})] == ["u"]


def needed(argument: str, arguments: dict[str, Any]) -> list[str]:
    (binding,) = bindings_of([Permission(PermissionType.FILE_READ, argument=argument)], {})
    return [need.text for need in binding.needs(arguments)]


@pytest.mark.parametrize(
    ("pointer", "arguments", "texts"),
    [
        ("/path", {"path": "a"}, ["a"]),
        ("/options/path", {"options": {"path": "a"}}, ["a"]),
        ("/edits/*/path", {"edits": [{"path": "a"}, {"path": "b"}]}, ["a", "b"]),
        ("/edits/*/path", {"edits": [{"path": "a"}, {"other": "b"}]}, ["a"]),
        ("/files/*", {"files": {"x": "a", "y": "b"}}, ["a", "b"]),
        ("/files/*", {"files": ["a", "b"]}, ["a", "b"]),
        ("/files/*/from", {"files": {"x": {"from": "a"}, "y": {"from": ["b", "c"]}}}, ["a", "b", "c"]),
        ("/grid/*/*", {"grid": [["a"], ["b", "c"]]}, ["a", "b", "c"]),
        ("/files/*", {"files": {}}, []),
        ("/files/*", {}, []),
    ],
)
def test_a_pointer_reaches_every_element_and_every_member(
    pointer: str, arguments: dict[str, Any], texts: list[str]
) -> None:
    assert needed(pointer, arguments) == texts


@pytest.mark.parametrize(
    ("pointer", "arguments"),
    [
        ("/files/*", {"files": "a"}),
        ("/files/*", {"files": {"x": 1}}),
        ("/files/*", {"files": {"x": None}}),
        ("/files/*", {"files": {"x": {"y": "a"}}}),
        ("/files/*/from", {"files": {"x": "a"}}),
        ("/grid/*/*", {"grid": ["a"]}),
        ("/files/*", {"files": [None]}),
        ("/files/*", {"files": {str(number): "a" for number in range(MAX_BOUND_VALUES + 1)}}),
    ],
)
def test_what_a_pointer_cannot_follow_is_refused_and_not_passed_over(pointer: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentsError):
        needed(pointer, arguments)


def test_a_default_below_a_star_is_found() -> None:
    edits = {"type": "array", "items": {"type": "object", "properties": {"path": {"default": "t"}}}}
    schema = {"type": "object", "properties": {"edits": edits}}
    assert default_of(schema, ("edits", "*", "path"), None) == default_of(schema, ("edits", "path"), None) == "t"
    members = {"type": "object", "additionalProperties": {"type": "string", "default": "u"}}
    assert default_of({"properties": {"files": members}}, ("files", "*"), None) == "u"


def test_a_star_covers_what_looks_like_a_path_within() -> None:
    bound = [Permission(PermissionType.FILE_READ, argument="/edits/*/path")]
    refuse_unguarded("tool 'x'", ["edits.path"], bound, ())
    with pytest.raises(ConfigurationError, match=r"edits\.target"):
        refuse_unguarded("tool 'x'", ["edits.path", "edits.target"], bound, ())
