"""Step 1 with every part of it real, except time; and certificates that TLS might have verified."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.attempt_budget import AttemptBudget
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.listener_rules import ListenerRules
from mcp_server.security.authentication.presented_token import PresentedToken
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.authentication_manager import AuthenticationManager
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.policy_loader import PolicyLoader
from tests.security.chain.fake_clock import FakeClock
from tests.support.tokens import AUDIENCE, ED_KEY, ISSUER, NOW

BEARER = ListenerRules(allows_bearer=True)

POLICY = f"""
version = 1

[issuer.as]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"

[[issuer.as.key]]
kty = "OKP"
crv = "Ed25519"
kid = "as-ed-1"
x = "{ED_KEY.public_jwk()["x"]}"

[client.reporter]
[[client.reporter.match]]
jwt = {{ issuer = "as", subject = "reporter-7" }}
[[client.reporter.match]]
mtls = {{ san_uri = "spiffe://example/reporter" }}
[[client.reporter.match]]
jwt = {{ issuer = "as", subject = "reporter-8" }}
mtls = {{ san_uri = "spiffe://example/reporter" }}

[client.writer]
[[client.writer.match]]
jwt = {{ issuer = "as", subject = "writer-1", client_id = "desk", scopes = ["notes.write"] }}
[[client.writer.match]]
mtls = {{ san_dns = "Writer.Example" }}

[client.neighbour]
[[client.neighbour.match]]
peer = {{ uid = 4242 }}

[client.local]
"""


class AuthenticationRig:
    """A manager for a policy, with its clocks and what it put on record.

    Args:
        policy: The policy's text.
        state: The state directory, for what was revoked.
    """

    def __init__(self, policy: str = POLICY, *, state: Path | None = None, budget: AttemptBudget | None = None) -> None:
        self.clock = FakeClock(NOW)
        self.monotonic = FakeClock()
        self.records: list[tuple[str, dict[str, Any]]] = []
        self.permissions = PermissionManager(policy=PolicyLoader().parse(policy))
        self.manager = AuthenticationManager(
            permissions=self.permissions,
            state_directory=state,
            budget=budget,
            report=self.report,
            clock=self.clock,
            monotonic=self.monotonic,
        )
        self.manager.prepare()

    def report(self, kind: str, fields: Any) -> None:
        # What is recorded must be JSON.
        self.records.append((kind, json.loads(json.dumps(fields))))

    def replace(self, policy: str) -> None:
        self.permissions.replace(PolicyLoader().parse(policy))

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.monotonic.advance(seconds)

    def show(self, text: str | None = None, **shown: Any) -> Principal:
        """Authenticate a connection that shows a bearer's token, or something else."""
        return self.manager.authenticate(credentials(text, **shown))

    def refusal(self, text: str | None = None, **shown: Any) -> str:
        """Return why a connection is refused; the answer is the same, whatever the reason."""
        return self.refusal_of(credentials(text, **shown))

    def refusal_of(self, shown: Credentials) -> str:
        with pytest.raises(AuthenticationError) as caught:
            self.manager.authenticate(shown)
        assert str(caught.value) == "not authenticated"
        assert vars(caught.value).keys() == {"message", "reason"}
        return caught.value.reason


def credentials(text: str | None = None, **shown: Any) -> Credentials:
    """Return what a connection shows over a listener that takes bearer's tokens."""
    if text is not None:
        shown["token"] = PresentedToken(text, is_dpop=shown.pop("is_dpop", False))
    return Credentials(**{"transport": "http", "listener": BEARER, "connection": "c1", **shown})


def certificate(
    *, uris: Sequence[str] = (), hosts: Sequence[str] = (), starts: float = NOW - 60, ends: float = NOW + 600
) -> bytes:
    """Return a certificate in DER with these names; the key is made for it and forgotten."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "admin")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime.fromtimestamp(starts, dt.UTC))
        .not_valid_after(dt.datetime.fromtimestamp(ends, dt.UTC))
    )
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(each) for each in uris]
    names += [x509.DNSName(each) for each in hosts]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def thumbprint(der: bytes) -> str:
    """Return what a token that is bound to a certificate says of it."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    return encode_base64url(digest.finalize())
