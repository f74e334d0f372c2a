"""Tokens: a text is refused, or it is one that the issuer signed; and no honest signature makes bad claims good."""

from __future__ import annotations

import json

from mcp_server.errors.authentication_error import AuthenticationError
from tests.support.tokens import AUDIENCE, ISSUER, NOW, VerifierRig, claims, raw_token, token

name = "token"

_GOOD = (token(), token(sub="é", aud=[AUDIENCE]), token(cnf={"jkt": "A" * 43}, nbf=NOW))
_HEADER = b'{"alg":"EdDSA","kid":"as-ed-1","typ":"at+jwt"}'
corpus = (*(each.encode() for each in _GOOD), json.dumps(claims()).encode(), _HEADER)
_RIG = VerifierRig()


def run(data: bytes) -> None:
    """Show the input as a token, as the claims of an honest token, and as its header."""
    text = data.decode("utf-8", "replace")
    if _is_accepted(text):
        assert text in _GOOD
    if _is_accepted(raw_token(_HEADER, data)):
        said = json.loads(data)
        assert (said["iss"], type(said["exp"]), type(said["iat"])) == (ISSUER, int, int)
        assert said["iat"] < said["exp"] <= said["iat"] + 3600
        assert said["exp"] + 60 > NOW
    if _is_accepted(raw_token(data, json.dumps(claims()).encode())):
        assert json.loads(data).keys() <= {"alg", "kid", "typ"}


def _is_accepted(text: str) -> bool:
    try:
        _RIG.verifier.verify(text)
    except AuthenticationError:
        return False
    return True
