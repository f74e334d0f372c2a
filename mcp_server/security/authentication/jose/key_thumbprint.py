"""The name of a public key that only depends on the key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from mcp_server.security.authentication.jose.base64url import encode_base64url

_REQUIRED_MEMBERS: Final = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}


def key_thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of a public key, base64url.

    Raises:
        ValueError: It is no public key, or a member is missing.

    Source: RFC 7638, section 3; RFC 8037, section 2.

    >>> key_thumbprint({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
    """
    names = _REQUIRED_MEMBERS.get(str(jwk.get("kty")))
    if names is None or not all(isinstance(jwk.get(name), str) for name in names):
        raise ValueError("no public key that has a thumbprint")
    # In the order of their names, without blanks; base64url and the names of curves need no escapes.
    members = {name: jwk[name] for name in names}
    return encode_base64url(sha256(json.dumps(members, separators=(",", ":")).encode("utf-8")).digest())
