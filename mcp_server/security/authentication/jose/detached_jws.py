"""A signature beside what it signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from mcp_server.security.authentication.jose.base64url import decode_base64url
from mcp_server.security.authentication.jose.signature_algorithm import SignatureAlgorithm
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.jose.verification_key import VerificationKey


@dataclass(frozen=True, slots=True)
class DetachedJWS:
    """A compact JWS with an unencoded, detached payload: its middle segment is empty.

    Args:
        header: The protected header; nothing of it is to be believed before `verify` returned.
        protected: The header's segment as it was written.
        signature: The signature.

    Source: RFC 7797, sections 3, 4 and 6; RFC 7515, appendix F.

    >>> DetachedJWS.parse("eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..AAAA", max_bytes=99).header["alg"]
    'HS256'
    """

    header: dict[str, Any]
    protected: str
    signature: bytes

    @classmethod
    def parse(cls, text: str, *, max_bytes: int) -> Self:
        """Take a text apart.

        Args:
            text: A header, nothing, and a signature.
            max_bytes: The longest text that is looked at.

        Raises:
            ValueError: It is longer, not ASCII, or has other segments; or its header is no JSON object, or does not
                say, and demand to be understood, that the payload is unencoded.
        """
        if len(text) > max_bytes:
            raise ValueError(f"longer than {max_bytes} bytes")
        segments = text.split(".", 3)
        if not text.isascii() or len(segments) != 3 or not segments[0] or segments[1] or not segments[2]:
            raise ValueError("not a header, nothing and a signature")
        header = read_object(decode_base64url(segments[0]))
        if header.get("b64") is not False or header.get("crit") != ["b64"]:
            raise ValueError("the payload is not said to be unencoded")
        return cls(header, segments[0], decode_base64url(segments[2]))

    def verify(self, key: VerificationKey, payload: bytes) -> None:
        """Return when `payload` was signed by `key`, with the key's algorithm.

        Raises:
            ValueError: It was not.
        """
        if SignatureAlgorithm.named(self.header.get("alg")) is not key.algorithm:
            raise ValueError("the header names another algorithm than the key's")
        key.verify(f"{self.protected}.".encode("ascii") + payload, self.signature)
