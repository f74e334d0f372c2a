"""Archives for models: what is in them, and out of them what is harmless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.tool_error import ToolError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.module import Module
from mcp_server.tools.tool_annotations import ToolAnnotations

if TYPE_CHECKING:
    from mcp_server.resources.archives.archive_limits import ArchiveLimits
    from mcp_server.resources.isolation.effect_ledger import EffectLedger
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.modules.archive_extraction import ArchiveExtraction
    from mcp_server.tools.tool_result import ToolResult

CALL_SECONDS: Final = 180.0
"""The calls' time limit: two passes of a minute each, and the writing between."""

_MAX_LISTED: Final = 1_000
_MAX_TOLD: Final = 20
_MAX_SHOWN_CHARACTERS: Final = 256
_ARCHIVES: Final = ".zip, .tar, .tar.gz, .tgz, .tar.bz2 and .tar.xz"


class ArchiveModule(Module):
    """Tools that read archives, and write what they hold through the client's own door.

    Nothing in an archive is trusted: neither names nor sizes, nor that it ends. What could be written in another place
    than its name says, or could be read in two ways, is left out and told.

    Args:
        limits: How much of an archive is read; the usual bounds unless given.

    >>> module = ArchiveModule()
    >>> module.lower()
    >>> list(module.tools)
    ['list_archive', 'extract_archive']
    """

    def __init__(self, *, limits: ArchiveLimits | None = None) -> None:
        super().__init__("archive", description="List and extract archives.")
        self._limits = limits
        path = {"type": "string", "description": f"An archive: {_ARCHIVES}."}
        stopped = {"type": ["string", "null"], "description": "Why the archive could not be read to its end."}
        self.register_tool(
            name="list_archive",
            title="List archive",
            description=f"List what is in an archive ({_ARCHIVES}), with what extract_archive would leave out and why.",
            input_schema={"type": "object", "properties": {"path": path}, "required": ["path"]},
            output_schema={
                "type": "object",
                "properties": {
                    "members": {"type": "array", "items": {"type": "object"}, "description": "The first 1,000."},
                    "count": {"type": "integer", "description": "How many there are."},
                    "size_bytes": {"type": "integer", "description": "How much would come out."},
                    "stopped": stopped,
                },
                "required": ["members", "count", "size_bytes", "stopped"],
            },
            permissions=[Permission(PermissionType.FILE_READ, argument="path")],
            annotations=ToolAnnotations(read_only=True, open_world=False),
            timeout_seconds=CALL_SECONDS,
        )
        self.register_tool(
            name="extract_archive",
            title="Extract archive",
            description=(
                "Extract an archive into a directory, which is made if it is missing. Nothing that exists is replaced. "
                "Links, special files and names that lead elsewhere are left out; 'effects' lists what was written and "
                "what was not. With dry_run only say so."
            ),
            input_schema={
                "type": "object",
                "properties": {
                    "path": path,
                    "destination": {"type": "string", "description": "The directory that everything goes below."},
                    "dry_run": {"type": "boolean", "default": False, "description": "Write nothing."},
                },
                "required": ["path", "destination"],
            },
            output_schema={
                "type": "object",
                "properties": {
                    "dry_run": {"type": "boolean"},
                    "stopped": stopped,
                    "size_bytes": {"type": "integer", "description": "How much was written, or would be."},
                    "effects": {"type": "object", "description": "What was written and what was left out."},
                },
                "required": ["dry_run", "stopped", "size_bytes", "effects"],
            },
            permissions=[
                Permission(PermissionType.FILE_READ, argument="path"),
                Permission(PermissionType.FILE_WRITE, argument="destination"),
            ],
            annotations=ToolAnnotations(read_only=False, destructive=False, idempotent=False, open_world=False),
            timeout_seconds=CALL_SECONDS,
        )

    async def handle_list_archive(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """List the members, each with why it would be left out."""
        from mcp_server.tools.tool_result import ToolResult

        archive = await self._opened(client, params["path"])
        try:
            plan = archive.plan
        finally:
            archive.close()
        members = [
            {
                "name": _shown(member.name),
                "is_directory": member.is_directory,
                "size_bytes": member.size_bytes,
                "refused": None if member.refusal is None else str(member.refusal),
            }
            for member in plan.members[:_MAX_LISTED]
        ]
        lines = [
            f"{each['size_bytes']:>12} {each['name']}" + (f"  [left out: {each['refused']}]" if each["refused"] else "")
            for each in members
        ]
        if len(plan.members) > len(members):
            lines.append(f"[{len(plan.members) - len(members)} more]")
        if plan.stopped is not None:
            lines.append(f"[{plan.stopped}; nothing of it would be written]")
        structured = {
            "members": members,
            "count": len(plan.members),
            "size_bytes": sum(member.size_bytes for member in plan.accepted),
            "stopped": plan.stopped,
        }
        text = "\n".join(lines) or "[it is empty]"
        return ToolResult(({"type": "text", "text": text},), structured=structured)

    async def handle_extract_archive(self, client: ClientContext, params: Mapping[str, Any]) -> ToolResult:
        """Write what may be written, and tell what was not."""
        from mcp_server.resources.isolation.effect_kind import EffectKind
        from mcp_server.tools.tool_result import ToolResult

        is_dry_run = bool(params.get("dry_run", False))
        archive = await self._opened(client, params["path"])
        try:
            ledger = await archive.extract(params["destination"], is_dry_run=is_dry_run)
        finally:
            archive.close()
        stopped = archive.plan.stopped
        structured = {
            "dry_run": is_dry_run,
            "stopped": stopped,
            "size_bytes": sum(effect.size_bytes for effect in ledger.of(EffectKind.CREATED)),
            "effects": ledger.to_wire(),
        }
        text = _told(ledger, stopped, is_dry_run=is_dry_run)
        return ToolResult(({"type": "text", "text": text},), structured=structured)

    async def _opened(self, client: ClientContext, path: str) -> ArchiveExtraction:
        # On first use: nobody who extracts nothing waits for parsers.
        from mcp_server.resources.archives.archive_limits import ArchiveLimits
        from mcp_server.tools.modules.archive_extraction import ArchiveExtraction

        try:
            return await ArchiveExtraction.open(client, path, limits=self._limits or ArchiveLimits())
        except LimitExceededError as error:
            raise ToolError(f"the archive is not read: {error.message}") from error
        except ResourceUnavailableError as error:
            if error.reason != "io":
                raise
            raise ToolError(f"the archive cannot be read: {error.message}") from error


def _shown(name: str) -> str:
    """Return a name fit to be seen, of a long one both ends."""
    from mcp_server.resources.filesystem.names import escaped

    half = _MAX_SHOWN_CHARACTERS // 2
    return escaped(name if len(name) <= _MAX_SHOWN_CHARACTERS else f"{name[:half]}…{name[-half:]}")


def _told(ledger: EffectLedger, stopped: str | None, *, is_dry_run: bool) -> str:
    """Return the ledger in a few lines: how much was written, and of what was left out the first."""
    from mcp_server.resources.isolation.effect_kind import EffectKind

    created = ledger.of(EffectKind.CREATED)
    refused = ledger.of(EffectKind.REFUSED)
    kinds = Counter(effect.is_directory for effect in created)
    verb = "would be written" if is_dry_run else "written"
    lines = [f"{kinds[False]} files and {kinds[True]} new directories {verb}, {len(refused)} left out"]
    for effect in refused[:_MAX_TOLD]:
        wire = effect.to_wire()
        lines.append(f"- {wire['path']}: {wire['reason']}")
    if len(refused) > _MAX_TOLD:
        lines.append(f"- and {len(refused) - _MAX_TOLD} more")
    if stopped is not None:
        lines.append(f"nothing was written, because the archive cannot be read to its end: {stopped}")
    return "\n".join(lines)
