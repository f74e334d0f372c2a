"""Signing messages."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.messages.message_form import (
    SIGNATURE_MEMBER,
    canonical_bytes,
    signed_part,
    with_signature,
)
from mcp_server.security.authentication.messages.message_verifier import MESSAGE_TYPE, digest_of

ID_BYTES: Final = 16
"""128 random bits."""


class MessageSigner:
    """Put a signature into a message, of a client or of the server.

    Args:
        key: The key that signs.
        audience: What the other end calls itself.
        clock: Seconds since 1970.
        new_id: Makes the id of a signature: 22 to 64 characters of base64url, never the same twice.
        member: The member of `_meta` that holds the signature.

    Source: RFC 7797; RFC 8785.

    >>> signer = MessageSigner(key=SigningKey.generate(), audience="mcp:desk", clock=lambda: 0.0)
    >>> message, digest = signer.sign({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    >>> list(message["params"]["_meta"]), len(digest)
    (['dev.mcpserver/sig'], 43)
    """

    def __init__(
        self,
        *,
        key: SigningKey,
        audience: str,
        clock: Callable[[], float],
        new_id: Callable[[], str] = lambda: encode_base64url(secrets.token_bytes(ID_BYTES)),
        member: str = SIGNATURE_MEMBER,
    ) -> None:
        self._key = key
        self._audience = audience
        self._clock = clock
        self._new_id = new_id
        self._member = member

    def sign(
        self, message: Mapping[str, Any], *, request_digest: str | None = None, token_digest: str | None = None
    ) -> tuple[dict[str, Any], str]:
        """Return the message with its signature, and the signature's digest, which the answer will name.

        Args:
            message: A request, notification, result or error, as it will be sent: whatever is changed later breaks it.
            request_digest: For an answer, the `digest` of the signed request.
            token_digest: SHA-256 of the access token that the message goes with, base64url.

        Raises:
            ValueError: The message has no canonical form, or no place for a signature.
        """
        header: dict[str, Any] = {
            "b64": False,
            "crit": ["b64"],
            "typ": MESSAGE_TYPE,
            "iat": int(self._clock()),
            "jti": self._new_id(),
            "aud": self._audience,
        }
        bound = {"ath": token_digest, "req": request_digest}
        header |= {name: value for name, value in bound.items() if value is not None}
        payload = canonical_bytes(signed_part(message, self._member))
        signature = self._key.detached(header, payload)
        return with_signature(message, signature, self._member), digest_of(signature)
