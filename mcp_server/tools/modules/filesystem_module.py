"""Files for models: a drop-in for the reference filesystem server, behind the whole chain."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.tool_error import ToolError
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.names import escaped
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.content.audio import Audio
from mcp_server.tools.content.embedded_resource import EmbeddedResource
from mcp_server.tools.content.image import Image
from mcp_server.tools.content.resource_link import ResourceLink
from mcp_server.tools.content.text import Text
from mcp_server.tools.module import Module
from mcp_server.tools.modules.filesystem_tools import tool_definitions
from mcp_server.tools.modules.folder_resources import top_level_files
from mcp_server.tools.modules.text_edits import apply_edits, unified_diff
from mcp_server.tools.modules.text_output import (
    MEBIBYTES,
    OUTPUT_BUDGET_BYTES,
    cut_at_line,
    file_uri,
    fit_lines,
    human_size,
    media_type,
)

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.directory_entry import DirectoryEntry
    from mcp_server.resources.filesystem.directory_watcher import DirectoryWatcher
    from mcp_server.resources.filesystem.file_location import FileLocation
    from mcp_server.resources.filesystem.glob_pattern import GlobPattern
    from mcp_server.resources.filesystem.walk_entry import WalkEntry
    from mcp_server.security.client_context import ClientContext

Params = Mapping[str, Any]

_MARKS: Final = {FileKind.FILE: "[FILE]", FileKind.DIRECTORY: "[DIR]", FileKind.SYMLINK: "[LINK]"}
_MAX_LISTED: Final = 10_000
_MAX_TREE_ENTRIES: Final = 5_000
_MAX_FOUND: Final = 5_000
# A link says what a file's name is; no client needs more than one screen of it.
_NAME_WIDTH: Final = 30


class FilesystemModule(Module):
    """Tools and resources for the client's own files.

    Names and arguments of the tools are those of the reference server. What a client may do with them is in its policy;
    where it may is in its folders.

    Args:
        output_budget_bytes: Longest text a result carries; the rest is a link.
        media_budget_bytes: Largest image, sound or other file a result carries.

    >>> module = FilesystemModule()
    >>> module.lower()
    >>> "read_text_file" in module.tools, list(module.resources)
    (True, ['file://{+path}', 'file://{+path}?offset={offset}'])
    """

    def __init__(
        self, *, output_budget_bytes: int = OUTPUT_BUDGET_BYTES, media_budget_bytes: int = 4 * MEBIBYTES
    ) -> None:
        super().__init__(
            "filesystem",
            description="Read, write, list and search the client's files.",
            instructions="Paths are relative to the first allowed directory, or absolute within one of them.",
        )
        self._budget = output_budget_bytes
        self._media_budget = media_budget_bytes
        self._watcher: DirectoryWatcher | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        for definition in tool_definitions():
            self.register_tool(**definition)
        permissions = (Permission(PermissionType.FILE_READ, argument="path"),)
        describe = self.resource(
            "file://{+path}", name="file", description="A file.", permissions=permissions, on_subscribe=self.watch
        )
        describe(self._read_resource)
        describe = self.resource(
            "file://{+path}?offset={offset}",
            name="file_part",
            description="A file from a byte offset on.",
            permissions=permissions,
        )
        describe(self._read_resource_part)
        self.resource_list(permissions=[Permission(PermissionType.DIRECTORY_LIST)])(top_level_files)

    async def handle_read_text_file(self, client: ClientContext, params: Params) -> Any:
        """Read a text, or its first or last lines."""
        path, head, tail = params["path"], params.get("head"), params.get("tail")
        if head and tail:
            raise ToolError("give head or tail, not both")
        if not head and not tail:
            content = await client.files.read(path, max_bytes=self._budget)
            if not content.truncated:
                return _decoded(content.data, path)
            start = cut_at_line(content.data)
            return self._with_rest(client, path, _decoded(start, path), len(start), content.size)
        text = await client.files.read_text(path, head=head or None, tail=tail or None)
        shown, is_cut = fit_lines(text, self._budget)
        if not is_cut:
            return text
        size = (await client.files.read(path, max_bytes=0)).size
        first = size - len(text.encode()) if tail else 0
        return self._with_rest(client, path, shown, first + len(shown.encode()), size)

    async def handle_read_file(self, client: ClientContext, params: Params) -> Any:
        """The old name of `read_text_file`."""
        return await self.handle_read_text_file(client, params)

    async def handle_read_media_file(self, client: ClientContext, params: Params) -> Any:
        """Read bytes, as image, sound or blob."""
        path = params["path"]
        content = await client.files.read(path, max_bytes=self._media_budget)
        absolute = client.files.absolute(path)
        kind = media_type(absolute)
        if content.truncated:
            return [
                Text(f"The file has {content.size} bytes, too many for one result; the link reads it in parts."),
                ResourceLink(file_uri(absolute), _link_name(absolute), mime_type=kind, size=content.size),
            ]
        if kind.startswith("image/"):
            return Image(content.data, kind)
        if kind.startswith("audio/"):
            return Audio(content.data, kind)
        return EmbeddedResource(file_uri(absolute), content.data, kind)

    async def handle_read_multiple_files(self, client: ClientContext, params: Params) -> Any:
        """Read several texts; each in its place, or why it cannot be read."""
        paths: Sequence[str] = params["paths"]
        # An equal share for each would waste what short ones leave; so each may take what is left.
        left = self._budget
        parts: list[str] = []
        links: list[ResourceLink] = []
        for path in paths:
            try:
                content = await client.files.read(path, max_bytes=max(0, left))
                data = cut_at_line(content.data) if content.truncated else content.data
                part = f"{escaped(path)}:\n{_decoded(data, path)}\n"
                if content.truncated:
                    links.append(self._rest_link(client, path, len(data), content.size))
                    part += f"[cut after {len(data)} of {content.size} bytes; the rest is linked below]\n"
            except MCPServerError as error:
                part = f"{escaped(path)}: Error - {error.message}"
            parts.append(part)
            left -= len(part.encode("utf-8", "replace"))
        text = "\n---\n".join(parts)
        return [Text(text), *links] if links else text

    async def handle_write_file(self, client: ClientContext, params: Params) -> str:
        """Write a whole text."""
        path = params["path"]
        await client.files.write_text(path, params["content"])
        self._changed(client, path)
        return f"Successfully wrote to {escaped(path)}"

    async def handle_edit_file(self, client: ClientContext, params: Params) -> str:
        """Replace parts of a text; refused if somebody else changed it meanwhile."""
        path = params["path"]
        edits = [(edit["oldText"], edit["newText"]) for edit in params["edits"]]
        content = await client.files.read(path)
        if content.truncated:
            raise ToolError(f"the file has {content.size} bytes, too many to be edited")
        before = _decoded(content.data, path)
        name = escaped(path)

        def work() -> tuple[str, str, str]:
            after = apply_edits(before, edits)
            return after, unified_diff(before, after, name), content.sha256

        after, diff, digest = await client.run_sync(work)
        if not params.get("dryRun", False) and after != before:
            await client.files.write_text(path, after, if_match=digest)
            self._changed(client, path)
        shown, is_cut = fit_lines(diff, self._budget)
        return f"{shown}[the diff is cut]" if is_cut else diff

    async def handle_create_directory(self, client: ClientContext, params: Params) -> str:
        """Make a directory and those above it."""
        await client.files.mkdir(params["path"])
        return f"Successfully created directory {escaped(params['path'])}"

    async def handle_list_directory(self, client: ClientContext, params: Params) -> str:
        """List names, marked by kind."""
        entries, is_cut = await self._entries(client, params["path"])
        return self._listing([f"{_mark(entry)} {entry.display}" for entry in entries], is_cut)

    async def handle_list_directory_with_sizes(self, client: ClientContext, params: Params) -> str:
        """List names with sizes, and their sum."""
        entries, is_cut = await self._entries(client, params["path"])
        if params.get("sortBy", "name") == "size":
            entries.sort(key=lambda entry: -1 if entry.kind is FileKind.DIRECTORY else entry.size, reverse=True)
        files = [entry for entry in entries if entry.kind is not FileKind.DIRECTORY]
        lines = [
            f"{_mark(entry)} {entry.display:<{_NAME_WIDTH}} "
            + ("" if entry.kind is FileKind.DIRECTORY else f"{human_size(entry.size):>10}")
            for entry in entries
        ]
        total = (
            f"\n\nTotal: {len(files)} files, {len(entries) - len(files)} directories"
            f"\nCombined size: {human_size(sum(entry.size for entry in files))}"
        )
        return self._listing(lines, is_cut) + total

    async def handle_directory_tree(self, client: ClientContext, params: Params) -> Any:
        """Return a tree as JSON."""
        path = params["path"]
        result = await client.files.walk(
            path, max_entries=_MAX_TREE_ENTRIES, prune=_excluder(client, path, params.get("excludePatterns", ()))
        )
        entries: Sequence[WalkEntry] = result.entries
        text = json.dumps(_tree(entries), indent=2, ensure_ascii=False)
        is_cut = result.truncated
        while len(text.encode()) > self._budget:
            entries, is_cut = entries[: len(entries) // 2], True
            text = json.dumps(_tree(entries), indent=2, ensure_ascii=False)
        if is_cut:
            return [Text(text), Text("The tree is cut; start at a directory in it, or give excludePatterns.")]
        return text

    async def handle_move_file(self, client: ClientContext, params: Params) -> str:
        """Move or rename; never replaces."""
        source, destination = params["source"], params["destination"]
        await client.files.move(source, destination)
        self._changed(client, source)
        self._changed(client, destination)
        return f"Successfully moved {escaped(source)} to {escaped(destination)}"

    async def handle_search_files(self, client: ClientContext, params: Params) -> str:
        """Find names by a glob."""
        path = params["path"]
        pattern = _glob(params["pattern"])
        below = _relative_to(client, path)
        result = await client.files.walk(
            path,
            select=lambda location, _kind: pattern.matches(below(location)),
            prune=_excluder(client, path, params.get("excludePatterns", ())),
        )
        lines = [escaped(entry.location.absolute) for entry in result.entries[:_MAX_FOUND]]
        if not lines and not result.truncated:
            return "No matches found"
        return self._listing(lines, result.truncated or len(result.entries) > _MAX_FOUND)

    async def handle_get_file_info(self, client: ClientContext, params: Params) -> str:
        """Return what is known without reading."""
        status = await client.files.stat(params["path"])
        facts = {
            "size": status.size,
            "modified": _time(status.modified),
            "accessed": _time(status.accessed),
            "changed": _time(status.changed),
            "isDirectory": str(status.kind is FileKind.DIRECTORY).lower(),
            "isFile": str(status.kind is FileKind.FILE).lower(),
            "permissions": f"{status.mode & 0o777:03o}",
        }
        return "\n".join(f"{name}: {value}" for name, value in facts.items())

    async def handle_list_allowed_directories(self, client: ClientContext, _params: Params) -> str:
        """Name the client's folders."""
        return "\n".join(("Allowed directories:", *(escaped(path) for path in client.files.roots)))

    async def watch(self, client: ClientContext, path: str) -> None:
        """Tell of outside changes of a file from now on, as `resource_updated` of its URI; needs FILE_READ of it.

        Called when a client subscribes to the file; watching one more time than needed costs nothing.

        Raises:
            PermissionDeniedError: The client may not read it.
            ResourceUnavailableError: Its directory is missing.
        """
        watcher = self._watcher
        if watcher is None:
            from mcp_server.resources.filesystem.directory_watcher import DirectoryWatcher

            watcher = self._watcher = DirectoryWatcher(on_change=lambda name: self.resource_updated(file_uri(name)))
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(watcher.fileno(), watcher.drain)
        await client.files.watch(path, watcher)

    async def stop(self) -> None:
        """Stop watching."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(watcher.fileno())
            watcher.close()
        await super().stop()

    async def _read_resource(self, path: str, client: ClientContext) -> Any:
        return await self._contents(client, path, 0)

    async def _read_resource_part(self, path: str, offset: str, client: ClientContext) -> Any:
        if not (offset.isascii() and offset.isdigit() and len(offset) <= len(str(2**63))):
            return None
        return await self._contents(client, path, int(offset))

    async def _contents(self, client: ClientContext, path: str, offset: int) -> Any:
        """Return a part of a file and, where it goes on, the address of the next."""
        content = await client.files.read(path, offset=offset, max_bytes=self._budget)
        absolute = client.files.absolute(path)
        data: bytes | str = content.data
        end = offset + len(content.data)
        try:
            start = cut_at_line(content.data) if content.truncated else content.data
            data = start.decode()
            end = offset + len(start)
        except UnicodeDecodeError:
            # No text, or a part that starts within a character: bytes then, and nothing is lost.
            data = content.data
        kind = media_type(absolute, is_text=isinstance(data, str))
        part = EmbeddedResource(file_uri(absolute, offset), data, kind)
        if end >= content.size:
            return [part]
        rest = f"The file goes on here: {content.size - end} of {content.size} bytes are left."
        return [part, EmbeddedResource(file_uri(absolute, end), rest)]

    def _changed(self, client: ClientContext, path: str) -> None:
        self.resource_updated(file_uri(client.files.absolute(path)))

    def _with_rest(self, client: ClientContext, path: str, text: str, end: int, size: int) -> list[Any]:
        note = f"[cut at byte {end} of {size}; the link reads on, and so do head and tail]"
        return [Text(text), Text(note), self._rest_link(client, path, end, size)]

    def _rest_link(self, client: ClientContext, path: str, end: int, size: int) -> ResourceLink:
        absolute = client.files.absolute(path)
        return ResourceLink(
            file_uri(absolute, end),
            _link_name(absolute),
            description=f"The rest, from byte {end} of {size} on",
            mime_type=media_type(absolute, is_text=True),
            size=size - end,
        )

    async def _entries(self, client: ClientContext, path: str) -> tuple[list[DirectoryEntry], bool]:
        entries: list[DirectoryEntry] = []
        offset: int | None = 0
        is_cut = False
        while offset is not None and len(entries) < _MAX_LISTED:
            listing = await client.files.list(path, offset=offset)
            entries.extend(listing.entries)
            offset, is_cut = listing.next_offset, listing.truncated
        return entries, is_cut or offset is not None

    def _listing(self, lines: Sequence[str], is_cut: bool) -> str:
        text, is_long = fit_lines("\n".join(lines), self._budget)
        if is_cut or is_long:
            return f"{text.rstrip()}\n[the list is cut; search_files with a narrower pattern finds the rest]"
        return text


def _decoded(data: bytes, path: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ResourceUnavailableError(
            "not_text", f"'{escaped(path)}' is not text in UTF-8; read_media_file reads any file"
        ) from error


def _mark(entry: DirectoryEntry) -> str:
    return _MARKS.get(entry.kind, "[SPECIAL]")


def _link_name(absolute: str) -> str:
    return escaped(absolute.rpartition("/")[2]) or "/"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _relative_to(client: ClientContext, path: str) -> Callable[[FileLocation], list[str]]:
    start = len(client.files.absolute(path)) + 1
    return lambda location: location.absolute[start:].split("/")


def _excluder(client: ClientContext, path: str, patterns: Sequence[str]) -> Callable[[FileLocation], bool] | None:
    """Return what refuses every name one of the patterns means: a plain name at any depth, a glob from the start."""
    if not patterns:
        return None
    globs = [_glob(text if "*" in text else f"**/{text}") for text in patterns]
    below = _relative_to(client, path)

    def excludes(location: FileLocation) -> bool:
        parts = below(location)
        return any(glob.matches(parts) for glob in globs)

    return excludes


def _glob(text: str) -> GlobPattern:
    from mcp_server.resources.filesystem.glob_pattern import GlobPattern

    return GlobPattern.compile(text)


def _tree(entries: Sequence[WalkEntry]) -> list[dict[str, Any]]:
    top: list[dict[str, Any]] = []
    # The children of the directory last seen at each depth.
    levels = [top]
    for entry in entries:
        del levels[entry.depth :]
        node: dict[str, Any] = {"name": escaped(entry.location.name), "type": entry.kind.value}
        if entry.kind is FileKind.DIRECTORY:
            node["children"] = []
            levels.append(node["children"])
        levels[entry.depth - 1].append(node)
    return top


filesystem = FilesystemModule()
