"""Bindings of several permissions and arguments."""

from __future__ import annotations

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.argument_binding import bindings_of


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
