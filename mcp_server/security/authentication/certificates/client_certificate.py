"""What a client certificate says."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from mcp_server.security.authentication.jose.base64url import encode_base64url

MAX_CERTIFICATE_BYTES: Final = 16 * 1024
"""A leaf has one to two kibibytes; with many names, four."""
MAX_NAMES: Final = 32
"""Names of one certificate that are looked at; one with more is no client's."""

SPIFFE: Final = "spiffe://"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The parts of a leaf certificate that anything is decided by. TLS has verified it; nothing of that is done here.

    The subject's common name is not among them: nobody checks what is written there.

    Args:
        thumbprint: SHA-256 of the whole certificate, base64url: what a token is bound to.
        key_digest: SHA-256 of its public key (SubjectPublicKeyInfo), hexadecimal; it outlives a renewal.
        uris: The addresses among its alternative names.
        host_names: The host names among them, in lower case.
        not_before: From when it holds, in seconds since 1970.
        not_after: Until when.

    Source: RFC 8705, sections 2.1.2 and 3.1; RFC 5280, section 4.2.1.6; SPIFFE X.509-SVID, section 2.
    """

    thumbprint: str
    key_digest: str
    uris: tuple[str, ...]
    host_names: tuple[str, ...]
    not_before: float
    not_after: float

    @classmethod
    def parse(cls, der: bytes) -> Self:
        """Return what a certificate in DER says.

        Raises:
            ValueError: It is none, or its names are not those of one client.
        """
        if len(der) > MAX_CERTIFICATE_BYTES:
            raise ValueError(f"longer than {MAX_CERTIFICATE_BYTES} bytes")
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        certificate = x509.load_der_x509_certificate(der)
        uris: tuple[str, ...] = ()
        host_names: tuple[str, ...] = ()
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            pass
        except x509.DuplicateExtension:
            raise ValueError("has its names twice") from None
        else:
            if len(names) > MAX_NAMES:
                raise ValueError(f"has more than {MAX_NAMES} names")
            uris = tuple(names.get_values_for_type(x509.UniformResourceIdentifier))
            host_names = tuple(each.lower() for each in names.get_values_for_type(x509.DNSName))
        if any(each.lower().startswith(SPIFFE) for each in uris) and len(uris) != 1:
            raise ValueError("has a SPIFFE id beside another address, and is nobody's")
        spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(
            encode_base64url(sha256(der).digest()),
            sha256(spki).hexdigest(),
            uris,
            host_names,
            certificate.not_valid_before_utc.timestamp(),
            certificate.not_valid_after_utc.timestamp(),
        )
