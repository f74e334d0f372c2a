"""One archive, from a client's file to its folder."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Final, Self

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_formats import reader_of
from mcp_server.resources.archives.archive_limits import KIBIBYTES, MEBIBYTES, ArchiveLimits
from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.archive_plan import ArchivePlan
from mcp_server.resources.archives.archive_reader import ArchiveReader
from mcp_server.resources.archives.member_refusal import MemberRefusal
from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.refusal import Refusal, refusal_of

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext

_PIECE_BYTES: Final = 1 * MEBIBYTES
# A small archive stays in memory; a larger one goes to a file without a name.
_MAX_MEMORY_BYTES: Final = 1 * MEBIBYTES
# What a model reads of a long ledger; it counts all.
_MAX_LISTED: Final = 250


class ArchiveExtraction:
    """Reads an archive of a client, and writes what of it may be written through the client's own door.

    1. The archive is copied, piece by piece: whatever happens to the file meanwhile, all that follows sees one content.
    2. It is read through to its end, so that names are known to be in nobody's way before the first is written.
    3. What the client may not write, or what is there already, is left out; a human is asked once for all the rest.
    4. It is read again, and each file is written when its content is whole and checked: nothing is replaced.

    Reading is done in threads, in pieces between which the clock is looked at.

    Args:
        client: Whose archive it is.
        file: The copy.
        digest: SHA-256 of the copy, hexadecimal.
        reader: Reads the copy.
        plan: What is in it.
        limits: How much is read.

    >>> ArchiveExtraction.open.__annotations__["path"]
    'str'
    """

    def __init__(
        self,
        *,
        client: ClientContext,
        file: IO[bytes],
        digest: str,
        reader: ArchiveReader,
        plan: ArchivePlan,
        limits: ArchiveLimits,
    ) -> None:
        self._client = client
        self._file = file
        self._digest = digest
        self._reader = reader
        self._limits = limits
        self.plan: Final = plan

    @classmethod
    async def open(cls, client: ClientContext, path: str, *, limits: ArchiveLimits) -> Self:
        """Return the archive `path`, copied and read through; close it afterwards.

        Raises:
            PermissionDeniedError: It may not be read.
            ResourceUnavailableError: It is no archive, or nothing of it can be read.
            LimitExceededError: It is too large, or a bound was reached before anything could be read.
        """
        file = tempfile.SpooledTemporaryFile(max_size=_MAX_MEMORY_BYTES, prefix="mcp-server-")  # noqa: SIM115 - closed below
        try:
            digest = await _copy(client, path, file, limits)
            budget = ArchiveBudget(limits, is_cancelled=lambda: client.cancelled)
            reader = await client.run_sync(reader_of, path, file)
            plan = await client.run_sync(ArchivePlan.of, reader, budget)
        except BaseException:
            file.close()
            raise
        return cls(client=client, file=file, digest=digest, reader=reader, plan=plan, limits=limits)

    def close(self) -> None:
        """Forget the copy."""
        self._file.close()

    async def extract(self, destination: str, *, is_dry_run: bool = False) -> EffectLedger:
        """Write what may be written below `destination`, and return what was written and what was left out.

        Args:
            destination: A directory, made where it is missing.
            is_dry_run: Whether to return what would happen, and write nothing.

        Raises:
            PermissionDeniedError: A human was asked, and did not agree; nothing was written.
        """
        client = self._client
        base = client.files.absolute(destination)
        shown = _relative(base, client.files.roots)
        refused = [
            _effect(member, _join(shown, member.parts) if member.has_plain_name else member.name).refused(
                member.refusal
            )
            for member in self.plan.members
            if member.refusal is not None
        ]
        files = {member.index: member for member in self.plan.accepted if not member.is_directory}
        directories = [(), *self.plan.directories] if self.plan.accepted else []
        planned = {
            _join(base, parts): Effect(EffectKind.CREATED, _join(shown, parts), is_directory=True)
            for parts in directories
        }
        made = await self._judged(planned, are_directories=True)
        planned = {_join(base, member.parts): _effect(member, _join(shown, member.parts)) for member in files.values()}
        written = await self._judged(planned)
        if not is_dry_run:
            await self._agree([path for path, effect in (made | written).items() if _is_open(effect)], base)
            await self._make(made)
            await self._write(base, files, written)
        return EffectLedger([*refused, *made.values(), *written.values()], max_listed=_MAX_LISTED)

    async def _judged(self, planned: Mapping[str, Effect], *, are_directories: bool = False) -> dict[str, Effect]:
        """Return the effects as far as they are allowed; without the directories that are there already."""
        plan = self._client.files.plan

        def work() -> list[Refusal | None]:
            return plan.refusals(list(planned), are_directories=are_directories)

        refusals = await self._client.run_sync(work)
        return {
            path: effect if refusal is None else effect.refused(refusal)
            for (path, effect), refusal in zip(planned.items(), refusals, strict=True)
            if not (are_directories and refusal is Refusal.EXISTS)
        }

    async def _agree(self, paths: list[str], base: str) -> None:
        about = hashlib.sha256(f"{self._digest}\0{base}".encode("utf-8", "surrogateescape")).hexdigest()
        if paths:
            await self._client.files.plan.agree(paths, about=about)

    async def _make(self, made: dict[str, Effect]) -> None:
        for path, effect in made.items():
            if _is_open(effect):
                try:
                    await self._client.files.mkdir(path)
                except MCPServerError as error:
                    made[path] = effect.refused(_reason(error))

    async def _write(self, base: str, files: Mapping[int, ArchiveMember], written: dict[str, Effect]) -> None:
        wanted = {index for index, member in files.items() if _is_open(written[_join(base, member.parts)])}
        budget = ArchiveBudget(self._limits, is_cancelled=lambda: self._client.cancelled)
        found = self._reader.members(budget, wanted)
        while wanted:
            try:
                following = await self._client.run_sync(_next_content, found)
            except (LimitExceededError, ResourceUnavailableError):
                following = None
            if following is None:
                break
            member, data = following
            path = _join(base, member.parts)
            wanted.discard(member.index)
            try:
                await self._client.files.write_bytes(path, data, create_only=True)
            except MCPServerError as error:
                written[path] = written[path].refused(_reason(error))
        for index in wanted:
            path = _join(base, files[index].parts)
            written[path] = written[path].refused(MemberRefusal.INCOMPLETE)


async def _copy(client: ClientContext, path: str, file: IO[bytes], limits: ArchiveLimits) -> str:
    """Copy the client's file and return its hash."""
    digest = hashlib.sha256()
    offset = 0

    def take(data: bytes) -> None:
        digest.update(data)
        file.write(data)

    while True:
        content = await client.files.read(path, offset=offset, max_bytes=_PIECE_BYTES)
        offset += len(content.data)
        if max(offset, content.size) > limits.max_archive_bytes:
            raise LimitExceededError(
                "max_archive_bytes", f"an archive may have {limits.max_archive_bytes // KIBIBYTES} KiB"
            )
        try:
            await client.run_sync(take, content.data)
        except OSError as error:
            raise ResourceUnavailableError("full", "there is no room to read the archive now") from error
        if not content.truncated:
            return digest.hexdigest()


def _next_content(found: Iterator[tuple[ArchiveMember, bytes | None]]) -> tuple[ArchiveMember, bytes] | None:
    """Return the next member whose content was wanted; None when there is no more."""
    for member, data in found:
        if data is not None:
            return member, data
    return None


def _effect(member: ArchiveMember, path: str) -> Effect:
    return Effect(EffectKind.CREATED, path, member.size_bytes, is_directory=member.is_directory)


def _is_open(effect: Effect) -> bool:
    return effect.kind is EffectKind.CREATED


def _reason(error: MCPServerError) -> str:
    return Refusal.NOT_PERMITTED if isinstance(error, PermissionDeniedError) else refusal_of(error)


def _join(base: str, parts: tuple[str, ...]) -> str:
    return "/".join((base.rstrip("/"), *parts)) if base else "/".join(parts)


def _relative(absolute: str, roots: tuple[str, ...]) -> str:
    """Return a place as the client would name it: relative to its first folder, absolute in the others."""
    first = roots[0].rstrip("/")
    return absolute.removeprefix(first).lstrip("/") if f"{absolute}/".startswith(f"{first}/") else absolute
