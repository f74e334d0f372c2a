"""The keys of an issuer that lives on this machine."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.key_sets.key_set import MAX_KEY_SET_BYTES, KeySet
from mcp_server.security.authentication.own_file import OwnFile
from mcp_server.security.authentication.tokens.issuer_rules import MOST_LEEWAY_SECONDS, MOST_LIFETIME_SECONDS
from mcp_server.security.authentication.tokens.published_key import PublishedKey

KEYS_DIRECTORY: Final = ".mcp-server-keys"
"""In the state directory. No policy grants a path with this name: it is among the shipped denials."""
PUBLIC_FILE: Final = "keys.json"
SIGNING_FILE: Final = "signing.json"

SECONDS: Final = 1.0
PUBLISH_SECONDS: Final = 2 * SECONDS
"""How long a new key is published before it signs: a server looks once a second."""
MAX_PUBLISHED: Final = 2
"""The key that signs, and the one before it, for as long as its tokens live."""

_DIRECTORY_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_MAX_SIGNING_BYTES: Final = 4096


class SigningKeyStore:
    """Keep one private key that signs, and the public keys that verify, in files that are closed to everybody else.

    A key is replaced by overlap: the new one is published, then it signs, and the old one verifies for as long as
    tokens of it may live. The old private half is gone as soon as the new one signs. A key that somebody else may have
    seen is replaced at once, and all its tokens with it.

    Args:
        directory: The issuer's own directory; made with mode 0700 when its first key is.
        clock: Seconds since 1970.
        wait: Waits some seconds.

    >>> import tempfile
    >>> store = SigningKeyStore(Path(tempfile.mkdtemp()) / "home", clock=lambda: 60.0)
    >>> key_id = store.generate()
    >>> store.signing_key().key_id == key_id, [key.replaced_at for key in store.published()]
    (True, [None])
    """

    def __init__(
        self, directory: Path, *, clock: Callable[[], float], wait: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._wait = wait

    @property
    def public_file(self) -> Path:
        """The key set that a server reads."""
        return self._directory / PUBLIC_FILE

    def generate(self) -> str:
        """Make the first key, and return its id.

        Raises:
            ConfigurationError: There is one already, or the directory cannot be used.
        """
        with self._locked():
            if self.public_file.exists() or (self._directory / SIGNING_FILE).exists():
                raise ConfigurationError(
                    "there are keys already; to replace them: mcp-server keys rotate", source=str(self._directory)
                )
            key = SigningKey.generate()
            self._write_signing(key)
            self._write_public([_published(key, created_at=int(self._clock()))])
        return key.key_id

    def rotate(self, *, is_compromised: bool = False) -> str:
        """Replace the key that signs, and return the new one's id.

        Args:
            is_compromised: Whether somebody else may have seen the old one: then it does not verify any more either.

        Raises:
            ConfigurationError: There is none, or the one before it still has tokens that live.
        """
        with self._locked():
            now = int(self._clock())
            published = [] if is_compromised else self._living(now)
            if len(published) >= MAX_PUBLISHED:
                raise ConfigurationError(
                    f"the key before this one still verifies tokens, until {_moment(_last_moment(published[0]))}; "
                    "wait, or replace both at once, and with them all tokens: --compromised",
                    source=str(self._directory),
                )
            if not is_compromised:
                self.signing_key()
            key = SigningKey.generate()
            replaced = [
                PublishedKey(each.jwk, each.created_at, each.replaced_at if each.replaced_at is not None else now)
                for each in published
            ]
            self._write_public([*replaced, _published(key, created_at=now)])
            if not is_compromised:
                self._wait(PUBLISH_SECONDS)
            self._write_signing(key)
        return key.key_id

    def signing_key(self) -> SigningKey:
        """Return the key that signs.

        Raises:
            ConfigurationError: There is none, or its file is damaged or open to others.
        """
        path = self._directory / SIGNING_FILE
        if not path.exists():
            raise self._missing()
        data = OwnFile(path, what="the signing key", max_bytes=_MAX_SIGNING_BYTES, is_secret=True).read()
        try:
            return SigningKey.from_jwk(read_object(data))
        except ValueError:
            # The text of the error is about a secret.
            raise ConfigurationError(
                "the signing key is damaged; replace it: mcp-server keys rotate --compromised", source=str(path)
            ) from None

    def published(self) -> list[PublishedKey]:
        """Return the keys that verify, the oldest first.

        Raises:
            ConfigurationError: There are none, or the file is damaged or open to others.
        """
        if not self.public_file.exists():
            raise self._missing()
        data = OwnFile(self.public_file, what="the key set", max_bytes=MAX_KEY_SET_BYTES).read()
        try:
            KeySet.parse(data)
            return [PublishedKey.from_jwk(each) for each in read_object(data)["keys"]]
        except ValueError as error:
            raise ConfigurationError(f"the key set is damaged: {error}", source=str(self.public_file)) from error

    def _missing(self) -> ConfigurationError:
        return ConfigurationError(
            f"the issuer {self._directory.name!r} has no keys yet; make them: mcp-server keys generate "
            f"{self._directory.name}",
            source=str(self._directory),
        )

    def _living(self, now: int) -> list[PublishedKey]:
        return [each for each in self.published() if each.replaced_at is None or now <= _last_moment(each)]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        import fcntl

        try:
            self._directory.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
            self._directory.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
            for each in (self._directory.parent, self._directory):
                found = os.stat(each, follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                    raise ConfigurationError(
                        "the directory of keys must be yours and closed to everybody else (mode 0700)", source=str(each)
                    )
            descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise ConfigurationError(
                f"the directory of keys cannot be used: {error.strerror}", source=str(self._directory)
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write_signing(self, key: SigningKey) -> None:
        self._replace(SIGNING_FILE, key.private_jwk())

    def _write_public(self, keys: list[PublishedKey]) -> None:
        self._replace(PUBLIC_FILE, {"keys": [each.to_jwk() for each in keys]})

    def _replace(self, name: str, value: dict[str, Any]) -> None:
        """Replace a file; a reader sees the old one or the new one, whole, even after a power cut."""
        temporary = self._directory / f"{name}.new"
        temporary.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(temporary, flags, _FILE_MODE), "wb") as file:
            file.write(json.dumps(value, indent=1).encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._directory / name)


def _published(key: SigningKey, *, created_at: int) -> PublishedKey:
    return PublishedKey(key.public_jwk(), created_at)


def _last_moment(key: PublishedKey) -> int:
    """Return when the last token that a replaced key can have signed ends."""
    return (key.replaced_at or 0) + MOST_LIFETIME_SECONDS + MOST_LEEWAY_SECONDS


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
