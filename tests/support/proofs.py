"""DPoP proofs that anybody could have made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from itertools import count
from typing import Any

from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.presented_proof import PresentedProof
from tests.support.tokens import EC_KEY, NOW

TARGET = "https://mcp.example/mcp"
JKT = EC_KEY.verification_key().thumbprint
_NUMBERS = count(1)


def proof(token: str, key: SigningKey = EC_KEY, *, header: Mapping[str, Any] | None = None, **changed: Any) -> str:
    """Return a good proof for a token, with members of its header or claims changed; None leaves one out."""
    public = key.public_jwk() if not key.algorithm.is_symmetric else key.private_jwk()
    jwk = {name: value for name, value in public.items() if name in ("kty", "crv", "x", "y", "k")}
    members = {"typ": "dpop+jwt", "alg": key.algorithm.value, "jwk": jwk, **(header or {})}
    claims = {
        "jti": f"proof-{next(_NUMBERS)}",
        "htm": "POST",
        "htu": TARGET,
        "iat": NOW,
        "ath": encode_base64url(sha256(token.encode()).digest()),
        **changed,
    }
    parts = [
        encode_base64url(json.dumps({name: value for name, value in each.items() if value is not None}).encode())
        for each in (members, claims)
    ]
    signing_input = ".".join(parts)
    return f"{signing_input}.{encode_base64url(key.sign(signing_input.encode()))}"


def shown(*values: str, method: str = "POST", target: str = TARGET) -> PresentedProof:
    """Return proofs as a request shows them."""
    return PresentedProof(values, method=method, target=target)
