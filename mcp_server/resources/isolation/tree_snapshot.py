"""What a directory held at one moment, and what has become of it since."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from types import MappingProxyType
from typing import Final, Self

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.entry_kind import EntryKind
from mcp_server.resources.isolation.refusal import Refusal, staged_refusal_of
from mcp_server.resources.isolation.snapshot_entry import SnapshotEntry
from mcp_server.resources.isolation.staging_limits import StagingLimits
from mcp_server.resources.isolation.tree_reader import TreeReader

_PLAIN: Final = (EntryKind.FILE, EntryKind.DIRECTORY)


@dataclass(frozen=True, slots=True)
class TreeSnapshot:
    """The names below a directory with what they stood for; bounded, and taken without following a link.

    What changed is told by content. Times prove nothing: the modification time can be set by whoever owns the file,
    and on a tmpfs a write through a memory map leaves all times as they were. Without a hash from before, all that
    remains is to compare inode, size and times.

    Args:
        entries: Every name, relative to the directory with `/`, bytes that are no text as surrogates.
        unseen: Names below which nothing was looked at, because they are too deep or closed. That something is
            missing there is not known.
        is_truncated: Whether there is more than the limits allowed to look at.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(os.path.join(folder, "a", "b"))
    ...     directory = os.open(folder, os.O_RDONLY)
    ...     snapshot = TreeSnapshot.take(directory, opener=WalkingOpener())
    ...     os.close(directory)
    >>> {path: str(entry.kind) for path, entry in snapshot.entries.items()}
    {'a': 'directory', 'a/b': 'directory'}
    """

    entries: Mapping[str, SnapshotEntry]
    unseen: Mapping[str, Refusal] = field(default_factory=lambda: MappingProxyType({}))
    is_truncated: bool = False

    @classmethod
    def take(
        cls,
        directory: int,
        *,
        opener: PathOpener,
        limits: StagingLimits | None = None,
        with_digests: bool = False,
    ) -> Self:
        """Return a snapshot of what lies below an open directory.

        Args:
            directory: A readable descriptor of it; stays with the caller.
            opener: Opens within it.
            limits: Entries and depth; and bytes, for the hashes.
            with_digests: Whether to read and hash every file, as far as `limits.max_bytes` reach in all.

        Raises:
            OSError: The directory itself cannot be read.
        """
        limits = limits if limits is not None else StagingLimits()
        entries: dict[str, SnapshotEntry] = {}
        unseen: dict[str, Refusal] = {}
        reader = TreeReader(directory, opener=opener) if with_digests else None
        budget = limits.max_bytes
        is_truncated = False
        with closing(_visited(directory, opener, limits)) as visited:
            for path, entry, refusal in visited:
                if len(entries) >= limits.max_files:
                    is_truncated = True
                    break
                if refusal is not None:
                    unseen[path] = refusal
                entries[path] = entry
                if reader is not None and entry.kind is EntryKind.FILE and entry.size_bytes <= budget:
                    budget -= entry.size_bytes
                    entries[path], _ = _digested(entry, path, reader)
        return cls(MappingProxyType(entries), MappingProxyType(unseen), is_truncated)

    def effects_since(
        self, earlier: TreeSnapshot, *, reader: TreeReader, limits: StagingLimits | None = None
    ) -> EffectLedger:
        """Return what has changed since `earlier`.

        What is no plain file or directory is refused, and so is everything when the snapshot is truncated: of a tree
        that was not seen whole nothing is taken. Where a file became a directory, or the reverse, both are left alone.

        Args:
            earlier: The snapshot from before, complete.
            reader: Reads within the directory this snapshot is of, to compare content and to hash what is new.
            limits: Bytes of new and changed files that are read, and effects that are listed.
        """
        limits = limits if limits is not None else StagingLimits()
        effects: list[Effect] = []
        budget = limits.max_bytes
        # Below these names nothing is compared: it was not looked at, or what stood there is now of another kind.
        blind: dict[str, Refusal] = dict(self.unseen)
        for path in sorted({*earlier.entries, *self.entries}, key=_parts):
            before, after = earlier.entries.get(path), self.entries.get(path)
            if after is None:
                if before is not None and not self.is_truncated and _above(path, blind) is None:
                    effects.append(_effect(EffectKind.DELETED, path, before))
                continue
            refusal = self.unseen.get(path) or _above(path, blind) or _refusal(before, after)
            if refusal is not None and before is not None:
                blind[path] = refusal
            if self.is_truncated:
                refusal = Refusal.TOO_MANY
            effect = _effect_on(path, before, after, refusal, reader, budget)
            if effect is None:
                continue
            if effect.kind is not EffectKind.REFUSED:
                budget -= effect.size_bytes
            effects.append(effect)
        return EffectLedger(effects, is_truncated=self.is_truncated, max_listed=limits.max_listed_effects)


def _effect_on(
    path: str,
    before: SnapshotEntry | None,
    after: SnapshotEntry,
    refusal: Refusal | None,
    reader: TreeReader,
    budget: int,
) -> Effect | None:
    """Return what happened to something that is there now, None for nothing."""
    effect = _effect(EffectKind.CREATED if before is None else EffectKind.CHANGED, path, after)
    if refusal is not None:
        # What was of that kind before and was not touched is no effect.
        return None if before is not None and before.looks_like(after) else effect.refused(refusal)
    if after.kind is EntryKind.DIRECTORY:
        return effect if before is None else None
    if before is not None and before.sha256 is None and before.looks_like(after):
        return None
    is_read_before = before is not None and before.sha256 is not None and before.size_bytes == after.size_bytes
    if after.size_bytes > budget and not is_read_before:
        return effect.refused(Refusal.TOO_LARGE)
    entry, refusal = _digested(after, path, reader)
    if refusal is not None:
        return effect.refused(refusal)
    if before is not None and before.sha256 == entry.sha256:
        return None
    return replace(effect, sha256=entry.sha256)


def _effect(kind: EffectKind, path: str, entry: SnapshotEntry) -> Effect:
    is_directory = entry.kind is EntryKind.DIRECTORY
    return Effect(kind, path, entry.size_bytes, sha256=entry.sha256, is_directory=is_directory)


def _refusal(before: SnapshotEntry | None, after: SnapshotEntry) -> Refusal | None:
    """Return why what is there now is not taken whatever its content is, None when it may be."""
    if after.kind.refusal is not None:
        return after.kind.refusal
    if before is not None and before.kind in _PLAIN and before.kind is not after.kind:
        return Refusal.OTHER_KIND
    return None


def _digested(entry: SnapshotEntry, path: str, reader: TreeReader) -> tuple[SnapshotEntry, Refusal | None]:
    """Return the entry with the hash of its content, or why that cannot be had."""
    if entry.sha256 is not None:
        return entry, None
    try:
        return replace(entry, sha256=reader.digest(path, max_bytes=entry.size_bytes)), None
    except LimitExceededError:
        # It has grown since its size was noted.
        return entry, Refusal.UNSTABLE
    except (MCPServerError, OSError) as error:
        return entry, staged_refusal_of(error)


def _above(path: str, blind: Mapping[str, Refusal]) -> Refusal | None:
    """Return the reason noted for the nearest directory above `path`, None when none of them has one."""
    while blind and "/" in path:
        path = path.rpartition("/")[0]
        if path in blind:
            return blind[path]
    return None


def _parts(path: str) -> list[str]:
    return path.split("/")


def _visited(
    directory: int, opener: PathOpener, limits: StagingLimits
) -> Generator[tuple[str, SnapshotEntry, Refusal | None], None, None]:
    """Yield what lies below, parents first, each with why nothing below it is looked at.

    Each directory is opened from its parent's descriptor: however long a path is, every step is a short one. There is
    one descriptor a level, and the levels are bounded.
    """
    opened = [os.dup(directory)]
    pending = [("", iter(_names(directory, limits)))]
    try:
        while pending:
            prefix, names = pending[-1]
            for name in names:
                try:
                    entry = SnapshotEntry.of(os.stat(name, dir_fd=opened[-1], follow_symlinks=False))
                except OSError:
                    # Gone again; what is left of it is told by its absence.
                    continue
                refusal = _not_entered(entry, len(opened), limits)
                if entry.kind is EntryKind.DIRECTORY and refusal is None:
                    try:
                        opened.append(opener.open(opened[-1], (name,), os.O_RDONLY | os.O_DIRECTORY))
                    except OSError as error:
                        refusal = staged_refusal_of(error)
                yield prefix + name, entry, refusal
                if entry.kind is EntryKind.DIRECTORY and refusal is None:
                    pending.append((f"{prefix}{name}/", iter(_names(opened[-1], limits))))
                    break
            else:
                pending.pop()
                os.close(opened.pop())
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _not_entered(entry: SnapshotEntry, depth: int, limits: StagingLimits) -> Refusal | None:
    if entry.kind is EntryKind.CLOSED:
        return Refusal.CLOSED
    return Refusal.TOO_DEEP if entry.kind is EntryKind.DIRECTORY and depth >= limits.max_depth else None


def _names(descriptor: int, limits: StagingLimits) -> list[str]:
    # One more than will be taken settles that there is too much.
    with os.scandir(descriptor) as entries:
        return sorted(entry.name for entry in islice(entries, limits.max_files + 1))
