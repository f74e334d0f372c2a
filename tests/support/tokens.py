"""Tokens that anybody could have made, and keys to make them with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp_server.security.authentication.change_counter import ChangeCounter
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.key_sets.inline_key_source import InlineKeySource
from mcp_server.security.authentication.key_sets.key_set import KeySet
from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules
from mcp_server.security.authentication.tokens.revocation_list import RevocationList
from mcp_server.security.authentication.tokens.token_verifier import TokenVerifier
from tests.security.chain.fake_clock import FakeClock

NOW = 1_795_230_000
ISSUER = "https://as.example"
AUDIENCE = "https://mcp.example/mcp"
VECTORS = Path(__file__).resolve().parents[1] / "vectors"

ED_KEY = SigningKey.from_jwk(
    # Source: RFC 8037, appendix A.1; published, so it protects nothing.
    {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "as-ed-1",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }
)
EC_KEY = SigningKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "kid": "client-ec",
        "d": "UpuF81l-kOxbjf7T4mNSv0r5tN67Gim7rnf6EFpcYDs",
        "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
        "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
    }
)
SECRET_KEY = SigningKey.from_jwk({"kty": "oct", "kid": "home-1", "k": encode_base64url(bytes(range(32)))})


def vector(*path: str) -> Any:
    """Return a published vector."""
    return json.loads(VECTORS.joinpath(*path).read_text(encoding="utf-8"))


def claims(**changed: Any) -> dict[str, Any]:
    """Return good claims with some of them changed, and those that are None left out."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "reporter-7",
        "client_id": "desk",
        "jti": "t-1",
        "iat": NOW - 60,
        "exp": NOW + 600,
        "scope": "notes.read notes.write",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(key: SigningKey = ED_KEY, header: Mapping[str, Any] | None = None, **changed: Any) -> str:
    """Return a token of `key` with some claims changed."""
    members = {"typ": "at+jwt"} if header is None else header
    return key.compact(members, json.dumps(claims(**changed)).encode())


def raw_token(header: bytes, payload: bytes, key: SigningKey = ED_KEY) -> str:
    """Return an honestly signed text of any header and payload."""
    signing_input = f"{encode_base64url(header)}.{encode_base64url(payload)}"
    return f"{signing_input}.{encode_base64url(key.sign(signing_input.encode()))}"


class VerifierRig:
    """A verifier with one issuer, whose keys, revocations and time a test changes."""

    def __init__(self, *keys: SigningKey, **rules: Any) -> None:
        self.clock = FakeClock(NOW)
        self.epoch = ChangeCounter()
        self.revocations = RevocationList()
        self.rules = IssuerRules("as", **{"issuer": ISSUER, "audience": AUDIENCE, **rules})
        found = [each.verification_key() for each in keys or (ED_KEY,)]
        self.source = InlineKeySource(KeySet({each.key_id: each for each in found}))
        self.verifier = TokenVerifier(
            issuers=[(self.rules, self.source)],
            revocations=lambda: self.revocations,
            epoch=self.epoch,
            clock=self.clock,
        )
