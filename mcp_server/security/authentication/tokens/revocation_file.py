"""The list of what was revoked, in a file of the state directory."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.own_file import OwnFile
from mcp_server.security.authentication.tokens.revocation_list import FOR_GOOD, RevocationList

logger = logging.getLogger(__name__)

MEBIBYTES: Final = 1024 * 1024
MAX_REVOCATION_BYTES: Final = 2 * MEBIBYTES
"""About 15,000 entries. Those of single tokens go when the token would have ended anyway."""
MAX_REVOCATIONS: Final = 10_000

_FILE_MODE: Final = 0o600
_KEY_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAMES: Final = ("token", "subject", "client_id")


class RevocationFile:
    """Read the list, and again when it has changed; add to it, one writer at a time.

    No file is an empty list, until there was one. A list that has gone since, or cannot be read any more, is not taken
    for an empty one: what was known stays in force in the first case, and in the second no token and no certificate is
    accepted, for a check that cannot be made has failed.

    Args:
        path: The file.
        report: Puts it on record when the list cannot be read.

    >>> import tempfile
    >>> file = RevocationFile(Path(tempfile.mkdtemp()) / "revoked.json")
    >>> file.add({"issuer": "https://as.example", "token": "t1", "until": 60}, now=0)
    >>> file.has_changed(), dict(file.current().tokens)
    (True, {('https://as.example', 't1'): 60})
    """

    def __init__(
        self, path: Path, *, report: Callable[[str, Mapping[str, Any]], object] = lambda kind, fields: None
    ) -> None:
        self._path = path
        self._report = report
        self._file = OwnFile(path, what="the revocation list", max_bytes=MAX_REVOCATION_BYTES)
        self._stamp = self._file.stamp()
        self._list: RevocationList | None = RevocationList()
        if self._stamp is not None:
            self._load()

    def current(self) -> RevocationList:
        """Return the list in force.

        Raises:
            LookupError: It cannot be known.
        """
        if self._list is None:
            raise LookupError("the revocation list cannot be read, so no token or certificate is accepted")
        return self._list

    def has_changed(self) -> bool:
        """Read the file again if it was changed; return whether the list may be another."""
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        if stamp is None:
            logger.error("%s: the revocation list is gone; what it held stays in force until a restart", self._path)
            return False
        self._load()
        return True

    def add(self, entry: Mapping[str, Any], *, now: int) -> None:
        """Add one entry, and drop those of tokens that have ended.

        Args:
            entry: `issuer`, and either `token` and `until`, or `before` with `subject`, `client_id` or neither; or
                `certificate` and nothing else.
            now: Seconds since 1970.

        Raises:
            ConfigurationError: The file cannot be read or written, or is full.
        """
        import fcntl

        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = [] if self._file.stamp() is None else self._entries()
            _list_of(entries)
            kept = [each for each in entries if each.get("until", FOR_GOOD) >= now and each != entry]
            if len(kept) >= MAX_REVOCATIONS:
                raise ConfigurationError(
                    f"holds {MAX_REVOCATIONS} entries already; revoke by issuer, subject or client instead",
                    source=str(self._path),
                )
            _list_of([dict(entry)])
            self._replace(json.dumps({"version": 1, "revoked": [*kept, dict(entry)]}, indent=1).encode("utf-8"))
        except ValueError as error:
            raise ConfigurationError(str(error), source=str(self._path)) from error
        finally:
            os.close(lock)

    def _load(self) -> None:
        try:
            self._list = _list_of(self._entries())
        except (ConfigurationError, ValueError) as error:
            self._list = None
            logger.error("the revocation list cannot be used, so no token or certificate is accepted: %s", error)  # noqa: TRY400 - says all
            self._report("keyset.changed", {"issuer": None, "keys": [], "reason": "the revocation list cannot be read"})

    def _entries(self) -> list[Any]:
        try:
            document = read_object(self._file.read())
        except ValueError as error:
            raise ConfigurationError(f"the revocation list is damaged: {error}", source=str(self._path)) from error
        entries = document.get("revoked")
        if document.get("version") != 1 or not isinstance(entries, list) or len(entries) > MAX_REVOCATIONS:
            raise ConfigurationError("the revocation list is none that this version knows", source=str(self._path))
        return entries

    def _replace(self, data: bytes) -> None:
        temporary = f"{self._path}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(temporary, flags, _FILE_MODE), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._path)


def _list_of(entries: list[Any]) -> RevocationList:
    tokens: dict[tuple[str, str], int] = {}
    subjects: dict[tuple[str, str], int] = {}
    clients: dict[tuple[str, str], int] = {}
    issuers: dict[str, int] = {}
    certificates: set[str] = set()
    for entry in entries:
        if isinstance(entry, dict) and entry.keys() == {"certificate"}:
            certificates.add(_key_digest(entry["certificate"]))
            continue
        issuer, name, moment = _entry(entry)
        if name is None:
            issuers[issuer] = max(moment, issuers.get(issuer, -1))
            continue
        table = {"token": tokens, "subject": subjects, "client_id": clients}[name]
        key = (issuer, entry[name])
        table[key] = max(moment, table.get(key, -1))
    return RevocationList(tokens, subjects, clients, issuers, frozenset(certificates))


def _key_digest(value: object) -> str:
    if not isinstance(value, str) or not _KEY_DIGEST.fullmatch(value):
        raise ValueError("an entry of the revocation list names a certificate by something else than its key")
    return value


def _entry(entry: object) -> tuple[str, str | None, int]:
    """Return issuer, the name of what is revoked, and the moment of an entry."""
    if not isinstance(entry, dict) or not isinstance(entry.get("issuer"), str):
        raise ValueError("an entry of the revocation list has no issuer")
    named = [name for name in _NAMES if name in entry]
    if len(named) > 1 or not all(isinstance(entry[name], str) for name in named):
        raise ValueError("an entry of the revocation list names more than one thing, or none by a text")
    name = named[0] if named else None
    moment = entry.get("until" if name == "token" else "before")
    if type(moment) is not int or moment < 0:
        raise ValueError("an entry of the revocation list has no moment")
    if entry.keys() - {"issuer", "until" if name == "token" else "before", *named}:
        raise ValueError("an entry of the revocation list has members that nobody knows")
    return entry["issuer"], name, moment
