"""Signatures over messages, judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.audit.canonical_json import parse_json
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.detached_jws import DetachedJWS
from mcp_server.security.authentication.jose.jwk_reader import key_id_of
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.messages.message_form import (
    MAX_MESSAGE_BYTES,
    SIGNATURE_MEMBER,
    canonical_bytes,
    signature_of,
    signed_part,
)
from mcp_server.security.authentication.messages.message_key_ring import MessageKeyRing
from mcp_server.security.authentication.messages.signature_mode import SignatureMode
from mcp_server.security.authentication.messages.signed_message import SignedMessage
from mcp_server.security.authentication.replay_window import ReplayWindow

MAX_SIGNATURE_BYTES: Final = 4 * 1024
"""A header of half a kibibyte and the signature of the longest RSA key."""
SECONDS_BACK: Final = 60
"""How old a message may be: long enough for a slow way, short enough to be remembered whole."""
SECONDS_AHEAD: Final = 10
MESSAGE_TYPE: Final = "mcp-msg+jws"
MAX_DEPTH: Final = 64

_REQUIRED: Final = frozenset(("alg", "b64", "crit", "typ", "kid", "iat", "jti", "aud"))
_ALLOWED: Final = _REQUIRED | {"ath", "req"}
# 128 bits take 22 characters.
_IDENTITY: Final = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class MessageVerifier:
    """Decide whether a message is what the holder of a known key signed, for us, now, and for the first time.

    1. The cheap things first: the signature's size and form, its header, type, audience and time.
    2. What it belongs to: an answer names the request that it answers, a request names none.
    3. The key, and the client whose it is. The key decides the algorithm.
    4. The canonical form of the message without the signature.
    5. The signature.
    6. Whether it was seen before; last, so that only who holds a key can make us remember anything.

    Args:
        keys: Returns whose keys there are now.
        audience: What this end calls itself; a message for another is refused.
        window: What was seen before.
        member: The member of `_meta` that holds the signature.

    Source: RFC 7797; RFC 8785; `docs/reference/message-signatures.md`.

    >>> window = ReplayWindow(seconds_back=60, seconds_ahead=10, clock=lambda: 0.0)
    >>> verifier = MessageVerifier(keys=lambda: MessageKeyRing({}), audience="mcp:desk", window=window)
    >>> verifier.verify({"method": "ping"}, mode=SignatureMode.ACCEPT) is None
    True
    >>> verifier.verify({"method": "ping"}, mode=SignatureMode.REQUIRE)
    Traceback (most recent call last):
    mcp_server.errors.authentication_error.AuthenticationError: not authenticated
    """

    def __init__(
        self,
        *,
        keys: Callable[[], MessageKeyRing],
        audience: str,
        window: ReplayWindow,
        member: str = SIGNATURE_MEMBER,
    ) -> None:
        self._keys = keys
        self._audience = audience
        self._window = window
        self._member = member

    @classmethod
    def with_clock(
        cls,
        clock: Callable[[], float],
        *,
        keys: Callable[[], MessageKeyRing],
        audience: str,
        member: str = SIGNATURE_MEMBER,
    ) -> MessageVerifier:
        """Return a verifier with a window of the usual size.

        Args:
            clock: Seconds since 1970, never running backwards.
            keys: As above.
            audience: As above.
            member: As above.
        """
        window = ReplayWindow(seconds_back=SECONDS_BACK, seconds_ahead=SECONDS_AHEAD, clock=clock)
        return cls(keys=keys, audience=audience, window=window, member=member)

    def verify(
        self, message: Mapping[str, Any], *, mode: SignatureMode, request_digest: str | None = None
    ) -> SignedMessage | None:
        """Return the verified message; None where signatures are off, or where there is none and none is demanded.

        Args:
            message: A message that was read strictly: no member twice, no NaN.
            mode: What the listener demands.
            request_digest: For an answer, the `digest` of the request that it must be the answer to.

        Raises:
            AuthenticationError: There is no signature and one is demanded, or it does not hold. Why is for the audit.
        """
        if not mode.is_on:
            return None
        try:
            text = signature_of(message, self._member)
            if text is None:
                if mode is SignatureMode.REQUIRE:
                    raise ValueError("none, and one is demanded")
                return None
            return self._verify(message, text, request_digest)
        except (ValueError, LookupError, RecursionError) as error:
            # The texts are our own: none of them repeats a part of the message.
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise AuthenticationError(f"signature: {reason}") from None

    def verify_bytes(
        self, data: bytes, *, mode: SignatureMode, request_digest: str | None = None
    ) -> SignedMessage | None:
        """Return the same for a message that nobody has read yet.

        Raises:
            AuthenticationError: It is no JSON object that two readers understand alike, or as above.
        """
        try:
            if len(data) > MAX_MESSAGE_BYTES:
                raise ValueError(f"longer than {MAX_MESSAGE_BYTES} bytes")
            message = read_object(data, max_depth=MAX_DEPTH)
        except ValueError as error:
            raise AuthenticationError(f"message: {error}") from None
        return self.verify(message, mode=mode, request_digest=request_digest)

    def _verify(self, message: Mapping[str, Any], text: str, request_digest: str | None) -> SignedMessage:
        # (1) The cheap things.
        jws = DetachedJWS.parse(text, max_bytes=MAX_SIGNATURE_BYTES)
        header = jws.header
        identity, made_at = self._check_header(header)
        self._window.check_time(made_at)
        # (2) What it belongs to.
        _check_request(header.get("req"), request_digest)
        # (3) The key.
        key_id = key_id_of(header)
        owner, key = self._keys().find(key_id or "")
        # (4) The canonical form.
        payload = canonical_bytes(signed_part(message, self._member))
        # (5) The signature.
        jws.verify(key, payload)
        # (6) Replay.
        self._window.admit(key.key_id, identity, made_at)
        verified: dict[str, Any] = parse_json(payload)
        return SignedMessage(owner, key.key_id, verified, digest_of(text), header.get("ath"))

    def _check_header(self, header: Mapping[str, Any]) -> tuple[str, int]:
        if not header.keys() <= _ALLOWED or not header.keys() >= _REQUIRED:
            raise ValueError("the header lacks a member, or has one that is not allowed")
        if header["typ"] != MESSAGE_TYPE:
            raise ValueError("typ is not that of a message")
        if header["aud"] != self._audience:
            raise ValueError("aud names somebody else")
        identity, made_at = header["jti"], header["iat"]
        if not isinstance(identity, str) or not _IDENTITY.fullmatch(identity):
            raise ValueError("jti is no text of 128 random bits")
        # `true` is an int in Python, and no time.
        if type(made_at) is not int:
            raise ValueError("iat is no time")
        for name in ("ath", "req"):
            if name in header and not (isinstance(header[name], str) and _DIGEST.fullmatch(header[name])):
                raise ValueError(f"{name} is no digest")
        return identity, made_at


def digest_of(signature: str) -> str:
    """Return the digest of a signature's text, as answers name it.

    >>> digest_of("a..b")
    '9itCQUxRT6aJ0-CHujl8YCpLosiX8Kwssyz3cMNEK_I'
    """
    return encode_base64url(sha256(signature.encode("ascii")).digest())


def _check_request(named: str | None, expected: str | None) -> None:
    if expected is None:
        if named is not None:
            raise ValueError("an answer where none was awaited")
    elif named is None or not compare_digest(named, expected):
        raise ValueError("the answer to another request")
