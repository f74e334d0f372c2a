"""Whom TLS believes."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from threading import Lock

from mcp_server.errors.configuration_error import ConfigurationError


class TLSTrust:
    """The one context of all connections with TLS: a certificate is demanded, and must prove the name.

    Made on first use, for the machine's authorities take some milliseconds to read, and never handed a context from
    outside, for one could be told to check nothing. Reads no `SSLKEYLOGFILE`, unlike `ssl.create_default_context`: a
    variable of the environment must not have the keys of all connections written to a file.

    Args:
        authorities: Certificates in PEM to believe beside those of the machine.

    >>> context = TLSTrust().context()
    >>> context.check_hostname, context.verify_mode
    (True, <VerifyMode.CERT_REQUIRED: 2>)
    """

    def __init__(self, *, authorities: Sequence[str] = ()) -> None:
        self._authorities = tuple(authorities)
        self._context: ssl.SSLContext | None = None
        self._lock = Lock()

    @property
    def is_ready(self) -> bool:
        """Whether `context` returns at once."""
        return self._context is not None

    def context(self) -> ssl.SSLContext:
        """Return the context; the first call reads files.

        Raises:
            ConfigurationError: An authority is no certificate.
        """
        with self._lock:
            if self._context is None:
                # By its purpose, this one checks names and demands certificates.
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                context.set_alpn_protocols(["http/1.1"])
                context.load_default_certs(ssl.Purpose.SERVER_AUTH)
                for authority in self._authorities:
                    try:
                        context.load_verify_locations(cadata=authority)
                    except (ssl.SSLError, ValueError) as error:
                        raise ConfigurationError("an authority for TLS is no certificate in PEM") from error
                self._context = context
            return self._context
