"""A security-first framework for Model Context Protocol servers: every call passes one chain.

    authenticate -> permit -> sandbox -> execute -> audit

The public names are imported when they are first used, so that `import mcp_server` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_server.core.mcp_server import MCPServer as MCPServer
    from mcp_server.errors.configuration_error import ConfigurationError as ConfigurationError
    from mcp_server.errors.mcp_server_error import MCPServerError as MCPServerError
    from mcp_server.errors.permission_denied_error import PermissionDeniedError as PermissionDeniedError
    from mcp_server.errors.tool_error import ToolError as ToolError
    from mcp_server.resources.network.http_reply import HttpReply as HttpReply
    from mcp_server.security.client_context import ClientContext as ClientContext
    from mcp_server.security.permissions.permission import Permission as Permission
    from mcp_server.security.permissions.permission_type import PermissionType as PermissionType
    from mcp_server.security.permissions.policy import Policy as Policy
    from mcp_server.tools.completion_result import CompletionResult as CompletionResult
    from mcp_server.tools.content.audio import Audio as Audio
    from mcp_server.tools.content.embedded_resource import EmbeddedResource as EmbeddedResource
    from mcp_server.tools.content.image import Image as Image
    from mcp_server.tools.content.resource_link import ResourceLink as ResourceLink
    from mcp_server.tools.content.text import Text as Text
    from mcp_server.tools.icon import Icon as Icon
    from mcp_server.tools.markers.deletes import Deletes as Deletes
    from mcp_server.tools.markers.lists import Lists as Lists
    from mcp_server.tools.markers.needs import Needs as Needs
    from mcp_server.tools.markers.plain import Plain as Plain
    from mcp_server.tools.markers.reads import Reads as Reads
    from mcp_server.tools.markers.writes import Writes as Writes
    from mcp_server.tools.module import Module as Module
    from mcp_server.tools.prompt_message import PromptMessage as PromptMessage
    from mcp_server.tools.tool_annotations import ToolAnnotations as ToolAnnotations
    from mcp_server.tools.tool_result import ToolResult as ToolResult

__version__ = "0.1.0"

_HOMES = {
    "Audio": "tools.content.audio",
    "ClientContext": "security.client_context",
    "CompletionResult": "tools.completion_result",
    "ConfigurationError": "errors.configuration_error",
    "Deletes": "tools.markers.deletes",
    "EmbeddedResource": "tools.content.embedded_resource",
    "HttpReply": "resources.network.http_reply",
    "Icon": "tools.icon",
    "Image": "tools.content.image",
    "Lists": "tools.markers.lists",
    "MCPServer": "core.mcp_server",
    "MCPServerError": "errors.mcp_server_error",
    "Module": "tools.module",
    "Needs": "tools.markers.needs",
    "Permission": "security.permissions.permission",
    "PermissionDeniedError": "errors.permission_denied_error",
    "PermissionType": "security.permissions.permission_type",
    "Plain": "tools.markers.plain",
    "Policy": "security.permissions.policy",
    "PromptMessage": "tools.prompt_message",
    "Reads": "tools.markers.reads",
    "ResourceLink": "tools.content.resource_link",
    "Text": "tools.content.text",
    "ToolAnnotations": "tools.tool_annotations",
    "ToolError": "errors.tool_error",
    "ToolResult": "tools.tool_result",
    "Writes": "tools.markers.writes",
}
"""Each public name and the file it lives in."""

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - the keys are strings; one list of names, not two


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
