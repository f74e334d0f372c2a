"""Client certificates."""

from __future__ import annotations

from collections.abc import Callable

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.certificates.client_certificate import ClientCertificate
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.authentication.tokens.revocation_list import RevocationList


class CertificateAuthenticator:
    """Read the names of a client certificate that TLS has verified, and look again whether it still holds.

    TLS asks once, when a connection begins. A certificate that ends while the connection goes on ends the client's
    rights all the same, with its next call.

    Args:
        clock: Seconds since 1970.
        revocations: Returns the list in force; raises `LookupError` when it cannot be known.

    Source: RFC 8705, section 2.

    >>> authenticator = CertificateAuthenticator(clock=lambda: 0.0)
    >>> authenticator.examine(Credentials(transport="tcp", certificate=b"no certificate"), None)
    Traceback (most recent call last):
    mcp_server.errors.authentication_error.AuthenticationError: not authenticated
    """

    kind = EvidenceKind.MTLS

    def __init__(
        self, *, clock: Callable[[], float], revocations: Callable[[], RevocationList] = RevocationList
    ) -> None:
        self._clock = clock
        self._revocations = revocations

    def examine(self, credentials: Credentials, earlier: Evidence | None) -> Evidence | None:
        """Return what the certificate says, None when none was shown.

        Raises:
            AuthenticationError: It is malformed, does not hold yet or any more, or was revoked.
        """
        if credentials.certificate is None:
            return None
        try:
            certificate = ClientCertificate.parse(credentials.certificate)
        except ValueError:
            # The library's texts may repeat what the certificate holds.
            raise AuthenticationError("certificate: malformed, or of nobody in particular") from None
        if not certificate.not_before <= self._clock() < certificate.not_after:
            raise AuthenticationError("certificate: expired, or not valid yet")
        try:
            self._revocations().check_certificate(certificate.key_digest)
        except (ValueError, LookupError) as error:
            raise AuthenticationError(f"certificate: {error}") from None
        facts = {("spki_sha256", certificate.key_digest)}
        facts |= {("san_uri", each) for each in certificate.uris}
        facts |= {("san_dns", each) for each in certificate.host_names}
        subject = next(iter((*certificate.uris, *certificate.host_names)), certificate.key_digest)
        return Evidence(
            self.kind,
            frozenset(facts),
            valid_until=certificate.not_after,
            methods=("mtls",),
            bound_certificate=certificate.thumbprint,
            subject=subject,
        )
