"""A client's files, as copies, for one sandboxed run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from threading import Lock
from typing import Any, Self

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.protected_names import ProtectedNames
from mcp_server.resources.isolation.copy_report import CopyReport
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.staging_area import StagingArea
from mcp_server.security.call_gate import CallGate
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


class StagedWorkspace:
    """Copy in what the client may read, and write back what it may write, each name asked of the gate.

    Nothing has happened to the client's folder until `take_back`; what of the effects the policy asks a human about is
    asked then, for all of it at once, and is what is written, content included.

    Args:
        area: The staging directory.
        files: The client's files.
        gate: Decides on every name.
        run_blocking: Runs a function with its arguments in a thread.
    """

    __slots__ = ("_area", "_files", "_gate", "_run_blocking")

    def __init__(
        self,
        *,
        area: StagingArea,
        files: ClientFiles,
        gate: CallGate,
        run_blocking: Callable[..., Awaitable[Any]],
    ) -> None:
        self._area = area
        self._files = files
        self._gate = gate
        self._run_blocking = run_blocking

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        *,
        make: Callable[[], StagingArea],
        files: ClientFiles,
        gate: CallGate,
        run_blocking: Callable[..., Awaitable[Any]],
    ) -> AsyncIterator[Self]:
        """Make a directory for one run, and remove it afterwards, however that ends.

        Args:
            make: Makes the staging directory; blocking.
            files: The client's files.
            gate: Decides on every name.
            run_blocking: Runs a function with its arguments in a thread.
        """
        lock = Lock()
        made: list[StagingArea] = []
        is_given_up = False

        def work() -> None:
            area = make()
            with lock:
                if not is_given_up:
                    made.append(area)
                    return
            # Whoever wanted it was cancelled while it was made.
            area.discard()

        try:
            await run_blocking(work)
            yield cls(area=made[0], files=files, gate=gate, run_blocking=run_blocking)
        finally:
            with lock:
                is_given_up = True
            for area in made:
                await run_blocking(area.discard)

    def fileno(self) -> int:
        """Return a descriptor of the directory that the run gets as its workspace."""
        return self._area.fileno()

    async def copy_in(
        self,
        names: Iterable[str] | None = None,
        *,
        hidden: Sequence[str] = (),
        substitutes: Mapping[str, Callable[[bytes], bytes]] | None = None,
    ) -> CopyReport:
        """Copy files in: those named, each of which must be permitted, or all of the folder that may be read.

        Args:
            names: The files; None for the folder.
            hidden: Of the folder, names that are left out whatever may be read, in the form of `ProtectedNames`.
            substitutes: Of the folder, files of which the copy is what the function makes of their content.

        Raises:
            PermissionDeniedError: One of the named files may not be read.
            LimitExceededError: The folder is too large to be copied whole: a part of it would be taken for all of it,
                and what is missing for deleted.
            ResourceUnavailableError: There is no room.
        """
        if names is None:
            report = await self._copied(None, self._may_see(hidden, substitutes or {}), substitutes)
            if not report.is_whole:
                raise self._too_large()
            return report
        locations = [self._files.locate(name) for name in names]
        for location in locations:
            await self._gate.require(PermissionType.FILE_READ, location.absolute, location.relative)
        permitted = {location.absolute for location in locations}
        report = await self._copied(locations, lambda absolute, relative: absolute in permitted)
        if report.files < len(permitted):
            reasons = ", ".join(map(str, report.skipped)) or "it is not there"
            raise ResourceUnavailableError("missing", f"not every file could be given to the program: {reasons}")
        return report

    async def copy_granted(self, names: Iterable[str] | None, *, beside: Iterable[str] = ()) -> None:
        """Copy in what may be read without a question, and the directories that are listed or written in; no more.

        Args:
            names: Files and directories that were permitted already, and what lies below them; None for the folder.
            beside: What may be written: the directory of each is made, where it is one.

        Raises:
            LimitExceededError: It is too much to be copied whole.
            ResourceUnavailableError: There is no room.
        """
        gate = self._gate
        permitted = None if names is None else frozenset(names)

        def may_read(absolute: str, relative: str) -> bool:
            return (permitted is not None and absolute in permitted) or gate.allows(
                PermissionType.FILE_READ, absolute, relative
            )

        def may_list(absolute: str, relative: str) -> bool:
            return (
                (permitted is not None and absolute in permitted)
                or gate.allows(PermissionType.DIRECTORY_LIST, absolute, relative)
                or gate.could_allow(PermissionType.FILE_WRITE, absolute, relative)
            )

        def work() -> CopyReport:
            found = None if permitted is None else [self._files.locate(name) for name in sorted(permitted)]
            report = self._area.copy_in(self._files, found, may_read=may_read, may_list=may_list)
            self._area.make_directories(self._files, [self._files.locate(name).parent for name in beside])
            return report

        report: CopyReport = await self._run_blocking(work)
        if not report.is_whole:
            raise self._too_large()

    async def take_back(self) -> EffectLedger:
        """Write back what the run did, as far as it is permitted; return what was done and what was refused.

        Raises:
            ConsentRequiredError: A human was asked, and did not agree; nothing was written.
        """
        may_write, may_delete = self._could(PermissionType.FILE_WRITE), self._could(PermissionType.FILE_DELETE)
        ledger: EffectLedger = await self._run_blocking(self._area.preview, self._files, may_write, may_delete)
        wanted: list[tuple[PermissionType, str, str | None, Permission | None]] = []
        digest = sha256()
        for effect in ledger:
            if effect.kind is not EffectKind.REFUSED:
                location = self._files.locate(effect.path)
                kind = PermissionType.FILE_DELETE if effect.kind is EffectKind.DELETED else PermissionType.FILE_WRITE
                wanted.append((kind, location.absolute, location.relative, None))
                digest.update(f"{effect.kind}\0{effect.path}\0{effect.sha256}\0".encode("utf-8", "surrogateescape"))
        if wanted:
            await self._gate.require_all(wanted, about=digest.hexdigest())
        done: EffectLedger = await self._run_blocking(self._commit, may_write, may_delete, ledger)
        return done

    def _commit(self, may_write: Any, may_delete: Any, ledger: EffectLedger) -> EffectLedger:
        return self._area.commit(self._files, may_write, may_delete, approved=ledger)

    async def _copied(self, names: Any, may_read: Callable[[str, str], bool], substitutes: Any = None) -> CopyReport:
        def work() -> CopyReport:
            return self._area.copy_in(self._files, names, may_read=may_read, substitutes=substitutes)

        report: CopyReport = await self._run_blocking(work)
        return report

    def _too_large(self) -> LimitExceededError:
        limits = self._area.limits
        return LimitExceededError(
            "workspace_copy",
            f"the folder is too large for a program to work on a copy of it: a copy holds {limits.max_files} files and "
            f"directories, {limits.max_depth} levels deep, and {limits.max_bytes} bytes in all; nothing was run. Name "
            "the files where the tool lets you, or ask the operator to raise copied_files or copied_bytes in [sandbox]",
        )

    def _may_see(self, hidden: Sequence[str], substitutes: Container[str]) -> Callable[[str, str], bool]:
        """Return what says whether a name is copied: it may be read without asking anybody, and is not left out."""
        left_out = ProtectedNames(hidden)

        def may_see(absolute: str, relative: str) -> bool:
            if relative not in substitutes and left_out.covers(relative.split("/")):
                return False
            return self._gate.allows(PermissionType.FILE_READ, absolute, relative)

        return may_see

    def _could(self, permission_type: PermissionType) -> Callable[[str, str], bool]:
        """Return what says whether it may be used if a human agrees."""
        return lambda absolute, relative: self._gate.could_allow(permission_type, absolute, relative)
