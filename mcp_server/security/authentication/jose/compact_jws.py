"""A signed text in three segments, taken apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from mcp_server.security.authentication.jose.base64url import decode_base64url
from mcp_server.security.authentication.jose.signature_algorithm import SignatureAlgorithm
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.jose.verification_key import VerificationKey


@dataclass(frozen=True, slots=True)
class CompactJWS:
    """The parts of a JWS in compact serialization; nothing of them is to be believed before `verify` returned.

    Args:
        header: The protected header; there is no other.
        payload: What was signed.
        signing_input: The bytes that the signature is over.
        signature: The signature.

    Source: RFC 7515, sections 3.1, 5.2 and 7.1.

    >>> jws = CompactJWS.parse("eyJhbGciOiJIUzI1NiJ9.e30.AAAA", max_bytes=100)
    >>> jws.header, jws.payload
    ({'alg': 'HS256'}, b'{}')
    """

    header: dict[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str, *, max_bytes: int) -> Self:
        """Take a text apart.

        Args:
            text: Three segments of base64url, none of them empty.
            max_bytes: The longest text that is looked at.

        Raises:
            ValueError: It is longer, not ASCII, has other segments, or its header is no JSON object.
        """
        if len(text) > max_bytes:
            raise ValueError(f"longer than {max_bytes} bytes")
        if not text.isascii():
            raise ValueError("not ASCII")
        segments = text.split(".", 3)
        if len(segments) != 3 or not all(segments):
            raise ValueError("not three segments")
        header, payload, signature = (decode_base64url(segment) for segment in segments)
        return cls(read_object(header), payload, text.rpartition(".")[0].encode("ascii"), signature)

    def check_header(self, allowed: Iterable[str]) -> None:
        """Refuse a header with any other member.

        A member that names or brings a key, an address or an extension is refused even where it would be harmless:
        whoever sends one tries something.

        Raises:
            ValueError: It has one.
        """
        if not self.header.keys() <= set(allowed):
            raise ValueError("the header has members that are not allowed")

    def verify(self, key: VerificationKey) -> None:
        """Return when the text was signed by `key`, with the key's algorithm.

        Raises:
            ValueError: It was not.

        Source: RFC 8725, sections 3.1 and 3.2.
        """
        if SignatureAlgorithm.named(self.header.get("alg")) is not key.algorithm:
            raise ValueError("the header names another algorithm than the key's")
        key.verify(self.signing_input, self.signature)
