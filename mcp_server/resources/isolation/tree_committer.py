"""Taking back what a run did, as far as it is allowed."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.atomic_writer import temporary_token
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.names import is_plain
from mcp_server.resources.filesystem.path_parser import TEMPORARY_PREFIX
from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.path_predicate import PathPredicate
from mcp_server.resources.isolation.refusal import Refusal, refusal_of, staged_refusal_of
from mcp_server.resources.isolation.snapshot_entry import SnapshotEntry
from mcp_server.resources.isolation.tree_reader import TreeReader

_WRITES: Final = (EffectKind.CREATED, EffectKind.CHANGED)
# Whatever has these may hold what was moved there, and nobody has looked.
_UNSEEN: Final = frozenset({Refusal.TOO_DEEP, Refusal.TOO_MANY, Refusal.CLOSED, Refusal.MOUNT, Refusal.UNAVAILABLE})
_CHUNK_BYTES: Final = 1024 * 1024


class TreeCommitter:
    """Carries effects over into the client's folder, through its `ClientFiles`.

    1. Everything is judged before anything is written: names, protected names, limits, permissions, approval.
    2. New and changed files are written, directories before what is in them. Each is read from the staging directory
       once more, by a descriptor, and must be what was judged; it is written only where the folder still holds what
       was copied in, or nothing where nothing was.
    3. Files are removed where they still are what was copied in; unless what they hold was moved to a place that
       refused it, for then it would be lost.

    What is refused on the way changes nothing else: each file is its old or its new self, and the ledger says which.

    Args:
        manager: The client's files.
        reader: Reads in the staging directory.
        copied: What was copied in, by path.
        may_write: Whether a place, absolute and relative to the folder, may be written.
        may_delete: Whether it may be removed.

    >>> TreeCommitter.planned.__annotations__["return"]
    'EffectLedger'
    """

    __slots__ = ("_copied", "_manager", "_may_delete", "_may_write", "_reader")

    def __init__(
        self,
        *,
        manager: ClientFiles,
        reader: TreeReader,
        copied: Mapping[str, SnapshotEntry],
        may_write: PathPredicate,
        may_delete: PathPredicate,
    ) -> None:
        self._manager = manager
        self._reader = reader
        self._copied = copied
        self._may_write = may_write
        self._may_delete = may_delete

    def planned(self, effects: EffectLedger, *, approved: EffectLedger | None = None) -> EffectLedger:
        """Return what of `effects` would be carried out, as far as that can be known; changes nothing.

        Args:
            effects: What the run did.
            approved: What somebody agreed to, None for everything. What is not exactly that, content included, is
                refused; and what was agreed to and is not there any more is told.
        """
        judged = [effect for effect in map(self._judged, effects) if effect is not None]
        if approved is not None:
            wanted = {effect for effect in approved if effect.kind is not EffectKind.REFUSED}
            judged = [
                effect
                if effect in wanted or effect.kind is EffectKind.REFUSED
                else effect.refused(Refusal.NOT_APPROVED)
                for effect in judged
            ]
            present = {effect.path for effect in judged}
            judged += [effect.refused(Refusal.NOT_APPROVED) for effect in wanted if effect.path not in present]
        return effects.with_effects(judged)

    def carry_out(self, planned: EffectLedger) -> EffectLedger:
        """Do what `planned` says and return what was done."""
        done: list[Effect] = [
            self._written(effect) if effect.kind in _WRITES else effect
            for effect in planned
            if effect.kind is not EffectKind.DELETED
        ]
        homeless = [effect for effect in done if effect.attempted in _WRITES and not effect.is_directory]
        hashes = {effect.sha256 for effect in homeless if effect.sha256 is not None}
        sizes = {effect.size_bytes for effect in homeless if effect.sha256 is None}
        is_blind = any(effect.reason in _UNSEEN and effect.sha256 is None for effect in done)
        # The last path first: what is in a directory goes before the directory.
        for effect in reversed(planned.of(EffectKind.DELETED)):
            is_moved = effect.size_bytes > 0 and (effect.sha256 in hashes or effect.size_bytes in sizes)
            if not effect.is_directory and (is_moved or is_blind):
                done.append(effect.refused(Refusal.LAST_COPY))
            else:
                done.append(self._removed(effect))
        return planned.with_effects(done)

    def _judged(self, effect: Effect) -> Effect | None:
        """Return the effect as far as it is allowed, None for one that is none."""
        if effect.kind is EffectKind.REFUSED:
            return effect
        if not all(map(is_plain, effect.path.split("/"))):
            return effect.refused(Refusal.NAME)
        try:
            location = self._manager.locate(effect.path)
            if location.root is not self._manager.roots[0]:
                return effect.refused(Refusal.OTHER_FOLDER)
            if location.relative != effect.path:
                return effect.refused(Refusal.NAME)
            if effect.kind is EffectKind.CREATED and effect.is_directory and self._is_directory(location):
                return None
            is_whole = effect.kind is EffectKind.DELETED or not effect.is_directory
            self._manager.check_change(location, whole=is_whole)
        except SandboxViolationError as error:
            return effect.refused(refusal_of(error))
        may = self._may_delete if effect.kind is EffectKind.DELETED else self._may_write
        if not may(location.absolute, location.relative):
            return effect.refused(Refusal.NOT_PERMITTED)
        if effect.kind in _WRITES and effect.size_bytes > self._manager.limits.max_write_bytes:
            return effect.refused(Refusal.TOO_LARGE)
        return effect

    def _is_directory(self, location: FileLocation) -> bool:
        try:
            return self._manager.stat(location).kind is FileKind.DIRECTORY
        except MCPServerError:
            return False

    def _written(self, effect: Effect) -> Effect:
        location = self._manager.locate(effect.path)
        try:
            if effect.is_directory:
                self._manager.make_directory(location, parents=False, exist_ok=False)
                return effect
        except MCPServerError as error:
            return effect.refused(refusal_of(error))
        try:
            data = self._reader.read(effect.path, max_bytes=effect.size_bytes)
        except LimitExceededError:
            return effect.refused(Refusal.UNSTABLE)
        except (MCPServerError, OSError) as error:
            return effect.refused(staged_refusal_of(error))
        if hashlib.sha256(data).hexdigest() != effect.sha256:
            return effect.refused(Refusal.UNSTABLE)
        try:
            if effect.kind is EffectKind.CREATED:
                self._manager.write(location, data, create_only=True)
            else:
                self._manager.write(location, data, if_match=self._copied[effect.path].sha256)
        except MCPServerError as error:
            return effect.refused(refusal_of(error))
        return effect

    def _removed(self, effect: Effect) -> Effect:
        location = self._manager.locate(effect.path)
        try:
            if effect.is_directory:
                self._manager.delete(location)
            else:
                self._remove_file(location, self._copied[effect.path].sha256 or "")
        except ResourceUnavailableError as error:
            # Of what is to go, missing means that somebody else was quicker.
            reason = Refusal.CHANGED if error.reason == "missing" else refusal_of(error)
            return effect.refused(reason)
        except (MCPServerError, OSError) as error:
            return effect.refused(refusal_of(error))
        return effect

    def _remove_file(self, location: FileLocation, expected: str) -> None:
        """Remove a file that is what was copied in.

        Between looking and removing somebody could save another file under the name. So the file is given a name that
        nobody else uses, looked at again, and given back when it is not the one.
        """
        changed = ResourceUnavailableError("changed", "the file has changed since it was copied")
        with self._manager.pin(location, kind="file") as pinned:
            descriptor = pinned.reopen(os.O_RDONLY | os.O_NONBLOCK)
            try:
                if not hmac.compare_digest(_digest(descriptor), expected):
                    raise changed
                # The sign of life of our own names: no sweep takes it for one that a crash has left.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                aside = location.parent.child(f"{TEMPORARY_PREFIX}{temporary_token()}.tmp")
                self._manager.move(location, aside)
                with self._manager.pin(aside) as moved:
                    is_same = _identity(moved.status) == _identity(pinned.status)
                if not is_same:
                    self._manager.move(aside, location)
                    raise changed
                self._manager.delete(aside)
            finally:
                os.close(descriptor)


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    while data := os.read(descriptor, _CHUNK_BYTES):
        digest.update(data)
    return digest.hexdigest()


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
