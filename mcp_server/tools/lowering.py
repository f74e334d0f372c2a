"""From what an author registered to the frozen values that are served: where both forms of a tool become one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.argument_binding import bindings_of
from mcp_server.tools.checks import as_icons, check_name, check_timeout, is_asynchronous
from mcp_server.tools.completion import Completion
from mcp_server.tools.function_signature import FunctionSignature
from mcp_server.tools.icon import Icon
from mcp_server.tools.prompt import Prompt
from mcp_server.tools.prompt_argument import PromptArgument
from mcp_server.tools.published_resource import PublishedResource
from mcp_server.tools.resource_lister import ResourceLister
from mcp_server.tools.resource_names import refuse_unguarded
from mcp_server.tools.tool import Tool
from mcp_server.tools.tool_annotations import ToolAnnotations
from mcp_server.tools.type_walk import suspicious_parameters
from mcp_server.tools.typed_contract import TypedContract
from mcp_server.tools.uri_template import URITemplate
from mcp_server.tools.written_lowering import check_argument, check_hints
from mcp_server.tools.written_schema import check_schema


def make_typed_tool(
    function: Callable[..., Any],
    *,
    module: str,
    name: str,
    tags: frozenset[str],
    title: str | None = None,
    description: str | None = None,
    permissions: Sequence[Permission] = (),
    output_schema: Mapping[str, Any] | None = None,
    annotations: ToolAnnotations | Mapping[str, Any] | None = None,
    icons: Sequence[Icon | Mapping[str, Any]] = (),
    timeout_seconds: float | None = None,
    meta: Mapping[str, Any] | None = None,
    plain: Iterable[str] = (),
) -> Tool:
    """Make a tool of a typed function.

    Raises:
        ConfigurationError: Something of it cannot be served.
        NameError: A type names what the function's file does not hold, or not yet.
    """
    check_name("tool", name)
    what = f"tool {name!r}"
    signature = FunctionSignature.of(function)
    everything = tuple(dict.fromkeys((*signature.permissions, *permissions)))
    known = {parameter.name for parameter in signature.parameters}
    bound = {argument for permission in everything for argument in permission.arguments}
    for argument in bound:
        check_argument(what, argument.partition(".")[0], known)
    suspicious = (
        dotted
        for parameter in signature.parameters
        for dotted in suspicious_parameters(parameter.name, parameter.annotation, what)
    )
    marked = (parameter.name for parameter in signature.parameters if parameter.is_plain)
    refuse_unguarded(what, suspicious, everything, (*plain, *marked))
    if output_schema is not None:
        check_schema(f"{what}: output_schema", output_schema, needs_object=False)
    defaults: dict[tuple[str, ...], Any] = {
        (parameter.name,): parameter.plain_default for parameter in signature.parameters
    }
    return Tool(
        name=name,
        description=description or signature.description or name.replace("_", " ").replace("-", " "),
        contract=TypedContract(
            what,
            signature,
            bound={argument.partition(".")[0] for argument in bound},
            paths={
                argument for permission in everything if permission.type.is_path for argument in permission.arguments
            },
            output_schema=output_schema,
        ),
        handler=function,
        is_sync=not is_asynchronous(function),
        module=module,
        title=title,
        annotations=check_hints(what, annotations, everything),
        icons=as_icons(icons),
        meta=meta,
        permissions=everything,
        bindings=bindings_of(everything, defaults),
        tags=tags,
        timeout_seconds=check_timeout(what, timeout_seconds),
    )


def make_prompt(
    function: Callable[..., Any],
    *,
    module: str,
    name: str,
    tags: frozenset[str],
    title: str | None = None,
    description: str | None = None,
    arguments: Sequence[PromptArgument] | None = None,
    permissions: Sequence[Permission] = (),
    icons: Sequence[Icon | Mapping[str, Any]] = (),
    meta: Mapping[str, Any] | None = None,
) -> Prompt:
    """Make a prompt of a function.

    Raises:
        ConfigurationError: A parameter is no text, or the listed arguments are not the parameters.
        NameError: A type names what the function's file does not hold, or not yet.
    """
    check_name("prompt", name)
    signature = FunctionSignature.of(function)
    _demand_texts(f"prompt {name!r}", signature)
    listed = tuple(
        PromptArgument(parameter.name, parameter.description, parameter.is_required)
        for parameter in signature.parameters
    )
    if arguments is not None:
        if {item.name for item in arguments} != {item.name for item in listed}:
            raise ConfigurationError(f"prompt {name!r}: its arguments are not the parameters of {signature.place}")
        listed = tuple(arguments)
    everything = tuple(dict.fromkeys((*signature.permissions, *permissions)))
    for permission in everything:
        for argument in permission.arguments:
            check_argument(f"prompt {name!r}", argument, {item.name for item in listed})
    return Prompt(
        name=name,
        description=description or signature.description or name.replace("_", " "),
        handler=function,
        is_sync=not is_asynchronous(function),
        module=module,
        arguments=listed,
        client_parameter=signature.client_parameter,
        title=title,
        icons=as_icons(icons),
        meta=meta,
        permissions=everything,
        bindings=bindings_of(everything, {(item.name,): item.plain_default for item in signature.parameters}),
        tags=tags,
    )


def make_resource(
    function: Callable[..., Any],
    uri: str,
    *,
    module: str,
    name: str | None,
    title: str | None,
    description: str | None,
    mime_type: str | None,
    size: int | None,
    annotations: Mapping[str, Any] | None,
    permissions: Sequence[Permission],
    icons: Sequence[Icon | Mapping[str, Any]],
    tags: frozenset[str],
    meta: Mapping[str, Any] | None,
    on_subscribe: Callable[..., Any] | None = None,
) -> PublishedResource:
    """Make a published resource of a function.

    Raises:
        ConfigurationError: The URI or template is none, its variables are not the function's parameters, or the
            subscription hook does not take them.
        NameError: A type names what the function's file does not hold, or not yet.
    """
    what = f"resource {uri!r}"
    scheme, colon, rest = uri.partition(":")
    if not colon or not rest or not scheme[:1].isalpha() or not scheme.replace("+", "").isalnum() or " " in uri:
        raise ConfigurationError(f"{what}: a resource is named by a URI with a scheme, such as note:///today")
    template = URITemplate(uri) if "{" in uri else None
    signature = FunctionSignature.of(function)
    _demand_texts(what, signature)
    variables = set(template.variables) if template is not None else set()
    parameters = {parameter.name for parameter in signature.parameters}
    required = {parameter.name for parameter in signature.parameters if parameter.is_required}
    if not required <= variables <= parameters:
        raise ConfigurationError(
            f"{what}: the parameters of {signature.place} ({', '.join(sorted(parameters)) or 'none'}) are not the "
            f"variables of the URI ({', '.join(sorted(variables)) or 'none'})"
        )
    everything = tuple(dict.fromkeys((*signature.permissions, *permissions)))
    for permission in everything:
        for argument in permission.arguments:
            check_argument(what, argument, variables)
    if on_subscribe is not None:
        _check_subscription_hook(what, on_subscribe, variables)
    return PublishedResource(
        uri=uri,
        name=name or str(getattr(function, "__name__", uri)),
        handler=function,
        is_sync=not is_asynchronous(function),
        module=module,
        template=template,
        client_parameter=signature.client_parameter,
        title=title,
        description=description or signature.description or None,
        mime_type=mime_type,
        size=size,
        annotations=annotations,
        icons=as_icons(icons),
        meta=meta,
        permissions=everything,
        bindings=bindings_of(everything, {}),
        tags=tags,
        on_subscribe=on_subscribe,
    )


def make_lister(function: Callable[..., Any], *, module: str, permissions: tuple[Permission, ...]) -> ResourceLister:
    """Make a lister of resources of a function.

    Raises:
        ConfigurationError: The function does not take the context alone, or a permission is bound to an argument.
    """
    signature = FunctionSignature.of(function)
    if signature.client_parameter is None or signature.parameters:
        raise ConfigurationError(f"list of resources: {signature.place} takes the ClientContext and nothing else")
    for permission in permissions:
        if permission.arguments:
            raise ConfigurationError(
                f"list of resources: {signature.place} has no arguments, so no permission of it can be bound to one"
            )
    return ResourceLister(
        name=str(getattr(function, "__name__", signature.place)),
        handler=function,
        is_sync=not is_asynchronous(function),
        module=module,
        client_parameter=signature.client_parameter,
        permissions=permissions,
    )


def make_completion(
    function: Callable[..., Any], reference: str, argument: str, *, module: str, permissions: tuple[Permission, ...]
) -> Completion:
    """Make a completion of a function.

    Raises:
        ConfigurationError: The function has not one or two parameters besides the context.
    """
    signature = FunctionSignature.of(function)
    names = [parameter.name for parameter in signature.parameters]
    if len(names) not in (1, 2):
        raise ConfigurationError(
            f"completion of '{argument}': {signature.place} takes the text so far and, if it likes, the other arguments"
        )
    return Completion(
        reference=reference,
        argument=argument,
        handler=function,
        is_sync=not is_asynchronous(function),
        module=module,
        value_parameter=names[0],
        arguments_parameter=names[1] if len(names) == 2 else None,
        client_parameter=signature.client_parameter,
        permissions=permissions,
    )


def _check_subscription_hook(what: str, hook: Callable[..., Any], variables: Iterable[str]) -> None:
    import inspect

    try:
        inspect.signature(hook).bind(None, **dict.fromkeys(variables, ""))
    except TypeError as error:
        raise ConfigurationError(
            f"{what}: on_subscribe is called with the client and then by name with the variables of the URI "
            f"({', '.join(sorted(variables)) or 'none'}); it cannot be: {error}"
        ) from error


def _demand_texts(what: str, signature: FunctionSignature) -> None:
    for parameter in signature.parameters:
        kind = parameter.annotation
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        kinds = set(get_args(kind)) - {NoneType} if get_origin(kind) in (Union, UnionType) else {kind}
        if kinds != {str}:
            raise ConfigurationError(f"{what}: parameter '{parameter.name}' must be a str; the protocol carries texts")
