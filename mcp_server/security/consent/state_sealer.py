"""State that travels through the client and comes back unread and unchanged."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TTL_SECONDS: Final = 600.0
"""How long sealed state is accepted. Source: the reference implementation's bound for `requestState`."""

MAX_STATE_CHARACTERS: Final = 1 << 20
"""Longest sealed text that is looked at."""

MAX_USED: Final = 10_000
"""Nonces of used states that are remembered until they have expired; past it no further state is accepted."""


class StateSealer:
    """Seal a mapping with AES-256-GCM, bound to a context, for a time and for one use.

    Args:
        key: 32 bytes; made anew for each server process, so that a restart voids what is under way.
        clock: Seconds since the epoch.
        random: Makes random bytes.

    Source: MCP 2026-07-28, basic/patterns/mrtr, "requestState"; NIST SP 800-38D.

    >>> sealer = StateSealer(key=bytes(32))
    >>> sealer.open(sealer.seal({"round": 1}, b"claude tools/call"), b"claude tools/call")
    {'round': 1}
    """

    def __init__(
        self,
        *,
        key: bytes,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if len(key) != 32:
            raise ValueError("the sealing key has 32 bytes")
        self._key = key
        self._clock = clock
        self._random = random
        self._cipher: AESGCM | None = None
        self._used: dict[bytes, float] = {}

    def seal(self, state: Mapping[str, Any], binding: bytes, ttl_seconds: float = TTL_SECONDS) -> str:
        """Return `state` as opaque text that only `open` with the same `binding` reads again.

        Args:
            state: A JSON object.
            binding: What the state belongs to: principal, method, digest of the parameters.
            ttl_seconds: How long it is accepted, in seconds.
        """
        nonce = self._random(12)
        body = json.dumps({"exp": self._clock() + ttl_seconds, "state": dict(state)}).encode()
        sealed = nonce + self._aead().encrypt(nonce, body, binding)
        return self._text(sealed)

    def open(self, text: object, binding: bytes) -> dict[str, Any]:
        """Return the state that `seal` was given, once.

        Raises:
            ValueError: It was altered, belongs to something else, is too old, or was used before.
        """
        if not isinstance(text, str) or len(text) > MAX_STATE_CHARACTERS or not text.isascii():
            raise ValueError("it is not valid")
        # Every defect looks the same from outside: no oracle about which check failed.
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            if self._text(raw) != text:
                # Base64 writes some bytes in several ways; only our own is ours.
                raise ValueError("not as it was written")
            nonce = raw[:12]
            body = json.loads(self._aead().decrypt(nonce, raw[12:], binding))
        except Exception as error:
            raise ValueError("it is not valid") from error
        now = self._clock()
        if body["exp"] <= now or nonce in self._used:
            raise ValueError("it is not valid any more")
        self._remember(nonce, body["exp"], now)
        return dict(body["state"])

    @staticmethod
    def _text(sealed: bytes) -> str:
        return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")

    def _remember(self, nonce: bytes, expires: float, now: float) -> None:
        if len(self._used) >= MAX_USED:
            self._used = {each: until for each, until in self._used.items() if until > now}
            if len(self._used) >= MAX_USED:
                raise ValueError("too many were used; try again later")
        self._used[nonce] = expires

    def _aead(self) -> AESGCM:
        if self._cipher is None:
            # Imported on first use: most sessions never seal anything, and every start would pay for it.
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._cipher = AESGCM(self._key)
        return self._cipher
