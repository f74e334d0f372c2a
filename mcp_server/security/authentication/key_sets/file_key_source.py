"""Keys in a file, which may change."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.key_sets.key_set import MAX_KEY_SET_BYTES, KeySet
from mcp_server.security.authentication.own_file import OwnFile

logger = logging.getLogger(__name__)


class FileKeySource:
    """Read a JWK Set from a file, and again when it has changed.

    A file that cannot be used any more keeps the keys that were read before, and is on record, once for each change: a
    mistake while editing does not lock everybody out. A file that is gone takes its keys along: removing it is how one
    switches an issuer off.

    Where there are none from before, because a new policy names a file that cannot be used, there are none until it
    can.

    A file that others may read cannot hold secrets, so its keys must be public ones.

    Args:
        name: The issuer's name in the policy, for records.
        path: The file.
        report: Puts a change on record.
        is_secret: Whether the file is closed to others, and may hold secrets for HMAC.
        must_work: Whether a file that cannot be used to begin with is an error.

    Raises:
        ConfigurationError: It cannot be used to begin with, and must work.
    """

    def __init__(
        self,
        *,
        name: str,
        path: str | os.PathLike[str],
        report: Callable[[str, Mapping[str, Any]], object],
        is_secret: bool = False,
        must_work: bool = True,
    ) -> None:
        self._name = name
        self._report = report
        self._is_secret = is_secret
        self._file = OwnFile(path, what="the key set", max_bytes=MAX_KEY_SET_BYTES, is_secret=is_secret)
        # Taken before reading: what is written in between is then seen as a change.
        self._stamp = self._file.stamp()
        self._keys = KeySet()
        try:
            self._keys = self._read()
        except ConfigurationError as error:
            if must_work:
                raise
            logger.error("the keys of %s cannot be used: %s", name, error)  # noqa: TRY400 - says all
            report("keyset.changed", {"issuer": name, "keys": [], "reason": "the keys cannot be used"})

    def keys(self) -> KeySet:
        """Return the keys that were last read.

        Raises:
            LookupError: The file is gone, or never was any good.
        """
        if not self._keys.keys:
            raise LookupError("there are no keys that can be used")
        return self._keys

    def missed(self) -> None:
        """Hear that a key was missing; the file is looked at once a second anyway."""

    def has_changed(self) -> bool:
        """Read the file again if it was changed; return whether there are other keys now."""
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        before = self._keys
        reason: str | None = None
        if stamp is None:
            self._keys = KeySet()
            reason = "the file is gone"
        else:
            try:
                self._keys = self._read()
            except ConfigurationError as error:
                logger.error("the keys of issuer %s stay what they were: %s", self._name, error)  # noqa: TRY400 - says all
                reason = "the file cannot be used; the keys stay what they were"
        self._report("keyset.changed", {"issuer": self._name, "keys": sorted(self._keys.keys), "reason": reason})
        return self._keys != before

    def _read(self) -> KeySet:
        data = self._file.read()
        try:
            return KeySet.parse(data, allows_secrets=self._is_secret)
        except ValueError as error:
            raise ConfigurationError(str(error), source=self._file.path) from error
