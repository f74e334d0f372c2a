"""From a tool registered by its schema to the frozen value that is served; needs nothing of the typed forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.apart.handler_place import HandlerPlace, check_place, executes
from mcp_server.tools.argument_binding import bindings_of
from mcp_server.tools.checks import as_icons, check_name, check_timeout, did_you_mean, is_asynchronous
from mcp_server.tools.icon import Icon
from mcp_server.tools.resource_names import refuse_unguarded, suspicious_properties
from mcp_server.tools.tool import Tool
from mcp_server.tools.tool_annotations import ToolAnnotations
from mcp_server.tools.unset import UNSET
from mcp_server.tools.written_contract import WrittenContract
from mcp_server.tools.written_schema import check_schema, default_of, known_arguments

_CHANGING: Final = frozenset(
    {
        PermissionType.FILE_WRITE,
        PermissionType.FILE_WRITE_GLOBAL,
        PermissionType.FILE_DELETE,
        PermissionType.S3_WRITE,
        PermissionType.SQL_WRITE,
        PermissionType.DBUS_CALL,
    }
)


def make_written_tool(
    *,
    module: str,
    name: str,
    description: str,
    input_schema: Mapping[str, Any],
    permissions: tuple[Permission, ...],
    title: str | None,
    output_schema: Mapping[str, Any] | None,
    annotations: ToolAnnotations | Mapping[str, Any] | None,
    icons: Sequence[Icon | Mapping[str, Any]],
    tags: frozenset[str],
    timeout_seconds: float | None,
    meta: Mapping[str, Any] | None,
    plain: Iterable[str],
) -> Callable[[Callable[..., Any]], Tool]:
    """Check a registration by schema now, and return what makes the tool once its handler is known.

    Raises:
        ConfigurationError: Something of it cannot be served.
    """
    check_name("tool", name)
    what = f"tool {name!r}"
    check_schema(what, input_schema)
    if output_schema is not None:
        check_schema(f"{what}: output_schema", output_schema, needs_object=False)
    known = known_arguments(input_schema)
    for permission in permissions:
        for argument in permission.arguments if known is not None else ():
            check_argument(what, argument.partition(".")[0], known or ())
    refuse_unguarded(what, suspicious_properties(input_schema), permissions, plain)
    hints = check_hints(what, annotations, permissions)
    check_timeout(what, timeout_seconds)
    defaults = {
        path: default
        for permission in permissions
        for path in (tuple(argument.split(".")) for argument in permission.arguments)
        if (default := default_of(input_schema, path, UNSET)) is not UNSET
    }
    contract = WrittenContract(
        what,
        input_schema,
        output_schema,
        bound=(argument.partition(".")[0] for permission in permissions for argument in permission.arguments),
        defaults={path[0]: default for path, default in defaults.items() if len(path) == 1},
    )
    bindings = bindings_of(permissions, defaults)
    pictures = as_icons(icons)

    def make(handler: Callable[..., Any]) -> Tool:
        return Tool(
            name=name,
            description=description,
            contract=contract,
            handler=handler,
            is_sync=not is_asynchronous(handler),
            module=module,
            title=title,
            annotations=hints,
            icons=pictures,
            meta=meta,
            permissions=permissions,
            bindings=bindings,
            tags=tags,
            timeout_seconds=timeout_seconds,
        )

    return make


def made(make: Callable[[], Any], place: HandlerPlace | None, module: Any) -> Any:
    """Make a value that had to wait for the types it names.

    Args:
        make: Makes it.
        place: Where a process of its own finds its handler.
        module: The `Module` that offers it.

    Raises:
        ConfigurationError: A type is still not there, or no process would find the handler.
    """
    try:
        value = make()
    except NameError as error:
        raise ConfigurationError(
            f"a type of a handler cannot be resolved: {error}. Types written as strings (or under `from __future__ "
            "import annotations`) are looked up at the top of the handler's file: import or define it there, not in a "
            "function and not only for the type checker"
        ) from error
    if place is None:
        return value
    own = place._replace(executes=executes(value.permissions))
    check_place(module, own, getattr(value, "name", place.module))
    return replace(value, place=own)


def made_early(make: Callable[[], Any]) -> Callable[[], Any]:
    """Make a typed value now, so that mistakes show where they stand; later, if it names what comes later."""
    try:
        value = make()
    except NameError:
        return make
    return lambda: value


def check_argument(what: str, argument: str, known: Iterable[str]) -> None:
    """Refuse a permission that is bound to an argument which does not exist.

    Raises:
        ConfigurationError: It is none of the `known`.
    """
    if argument not in known:
        raise ConfigurationError(
            f"{what}: a permission is bound to '{argument}', which is none of its arguments"
            f"{did_you_mean(argument, known)}"
        )


def check_hints(
    what: str, annotations: ToolAnnotations | Mapping[str, Any] | None, permissions: Iterable[Permission]
) -> ToolAnnotations | None:
    """Return a tool's hints, which must not contradict its permissions.

    Raises:
        ConfigurationError: It is annotated read-only, and declares a right to change something.
    """
    hints = ToolAnnotations.of(annotations)
    if hints is not None and hints.read_only:
        for permission in permissions:
            if permission.type in _CHANGING:
                raise ConfigurationError(f"{what}: it is annotated read-only, and it declares {permission.type}")
    return hints
