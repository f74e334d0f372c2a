"""The side of a broker that opens files."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.broker.facts import stat_fields, status_fields
from mcp_server.resources.broker.frame import Frame
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.path_parser import MAX_NAME_BYTES, MAX_PARTS, MAX_PATH_BYTES
from mcp_server.resources.filesystem_manager import FileSystemManager

# Opened for use, for a handle alone (`O_PATH`) is nothing that Landlock looks at, and so nothing that may be handed
# over. Without waiting: whoever holds a lease on a file could let us wait.
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY
_KINDS: Final = ("any", "file", "directory")


class Broker:
    """Answers one question after the other, from a table that is fixed; may be asked by several threads.

    It takes no location for checked because the server made it: names are looked at again, and the folder is chosen
    anew, before anything is opened. What the kernel would let it open beyond that is not its business.

    Args:
        files: Opens, reads and changes.
        opener: Enters directories from an open one.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     broker = Broker(files=FileSystemManager(roots=[RootConfig(folder)]), opener=WalkingOpener())
    ...     broker.answer(Frame({"id": 1, "do": "make_directory", "at": [0, ["a"]], "parents": True, "exist_ok": True}))
    ...     broker.answer(Frame({"id": 2, "do": "delete", "at": [0, ["..", "b"]], "recursive": True}))[0]["refusal"][:2]
    ({'id': 1, 'value': True}, -1)
    ['sandbox', 'escape']
    """

    __slots__ = ("_files", "_opener", "_table")

    def __init__(self, *, files: FileSystemManager, opener: PathOpener) -> None:
        self._files = files
        self._opener = opener
        self._table: Final = {
            "delete": self._delete,
            "enter": self._enter,
            "make_directory": self._make_directory,
            "move": self._move,
            "pin": self._pin,
            "stat": self._stat,
            "sweep": self._sweep,
            "write": self._write,
        }

    def answer(self, frame: Frame) -> tuple[dict[str, Any], int]:
        """Do what is asked for, and return the head of the answer and what is handed over with it, -1 for nothing.

        Whatever was handed over with the question is closed here; what is handed over is the caller's to close.
        """
        number = frame.head.get("id")
        try:
            work = self._table[frame.head["do"]]
            value, descriptor = work(frame)
        except SandboxViolationError as error:
            return {"id": number, "refusal": ["sandbox", error.reason, error.message]}, -1
        except ResourceUnavailableError as error:
            return {"id": number, "refusal": ["resource", error.reason, error.message]}, -1
        except LimitExceededError as error:
            return {"id": number, "refusal": ["limit", error.limit, error.message]}, -1
        except OSError as error:
            return {"id": number, "errno": error.errno or errno.EIO}, -1
        except Exception as error:  # noqa: BLE001 - a bug is the server's to tell of; the next question may be another
            return {"id": number, "bug": type(error).__name__}, -1
        finally:
            frame.close()
        return {"id": number, "value": value}, descriptor

    def _pin(self, frame: Frame) -> tuple[Any, int]:
        location, kind = self._location(frame.head["at"]), frame.head["kind"]
        if kind not in _KINDS:
            raise ValueError("there is no such kind")
        with self._files.pin(location, kind=kind) as pinned:
            try:
                is_directory = pinned.kind is FileKind.DIRECTORY
                return None, pinned.reopen(_DIRECTORY if is_directory else _READ)
            except OSError as error:
                # It can be looked at, and not be read; whether anybody wants to is known later.
                return [error.errno or errno.EIO, status_fields(pinned.status)], -1

    def _enter(self, frame: Frame) -> tuple[Any, int]:
        (directory,) = frame.descriptors
        root, name = self._files.roots[_index(frame.head["root"])], frame.head["name"]
        _check_names([name])
        return None, self._opener.open(directory, (name,), _DIRECTORY, cross_mounts=root.config.cross_mounts)

    def _stat(self, frame: Frame) -> tuple[Any, int]:
        return stat_fields(self._files.stat(self._location(frame.head["at"]))), -1

    def _write(self, frame: Frame) -> tuple[Any, int]:
        location, if_match = self._location(frame.head["at"]), frame.head["if_match"]
        if if_match is not None and not isinstance(if_match, str):
            raise TypeError("a digest is a text")
        found = self._files.write(location, frame.body, create_only=_flag(frame.head, "create_only"), if_match=if_match)
        return stat_fields(found), -1

    def _make_directory(self, frame: Frame) -> tuple[Any, int]:
        location, head = self._location(frame.head["at"]), frame.head
        return self._files.make_directory(
            location, parents=_flag(head, "parents"), exist_ok=_flag(head, "exist_ok")
        ), -1

    def _move(self, frame: Frame) -> tuple[Any, int]:
        self._files.move(self._location(frame.head["at"]), self._location(frame.head["to"]))
        return None, -1

    def _delete(self, frame: Frame) -> tuple[Any, int]:
        self._files.delete(self._location(frame.head["at"]), recursive=_flag(frame.head, "recursive"))
        return None, -1

    def _sweep(self, frame: Frame) -> tuple[Any, int]:
        # One folder is one bounded walk, and so an answer in time; all of them together might not be.
        return self._files.sweep_root(self._files.roots[_index(frame.head["root"])]), -1

    def _location(self, place: Any) -> FileLocation:
        """Return the place that a folder's number and names stand for, in the innermost folder that holds it.

        Raises:
            SandboxViolationError: `escape` or `name`: no parser lets such names through.
        """
        index, parts = place
        _check_names(parts)
        root = self._files.roots[_index(index)]
        return self._files.innermost(FileLocation(root, tuple(parts)))


def _index(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("a folder's number is whole, and not below zero")
    return value


def _flag(head: Mapping[str, Any], name: str) -> bool:
    value = head[name]
    if not isinstance(value, bool):
        raise TypeError("a flag is true or false")
    return value


def _check_names(parts: Any) -> None:
    if not isinstance(parts, list) or not all(isinstance(each, str) for each in parts):
        raise TypeError("names are a list of texts")
    if len(parts) > MAX_PARTS or sum(len(os.fsencode(each)) + 1 for each in parts) > MAX_PATH_BYTES + 1:
        raise SandboxViolationError("name", "the path is too long")
    for each in parts:
        if each in (".", "..") or "/" in each:
            raise SandboxViolationError("escape", "the path leads out of its folder")
        if not each or "\0" in each or len(os.fsencode(each)) > MAX_NAME_BYTES:
            raise SandboxViolationError("name", "the path holds an unusable name")
