from __future__ import annotations

from mcp_server.security.authentication.key_sets.key_set import KeySet
from mcp_server.security.authentication.tokens.issuer_config import IssuerConfig
from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules
from tests.support.tokens import AUDIENCE, EC_KEY, ED_KEY, ISSUER

RULES = IssuerRules("as", issuer=ISSUER, audience=AUDIENCE)


def test_its_form_tells_keys_apart() -> None:
    forms = [
        IssuerConfig(RULES, inline=KeySet.of([key.public_jwk()])).to_json()["keys"] for key in (ED_KEY, EC_KEY)
    ] + [IssuerConfig(RULES, file="/a", holds_secrets=secret).to_json()["keys"] for secret in (True, False)]
    assert len({str(form) for form in forms}) == 4
    assert ED_KEY.verification_key().thumbprint in str(forms[0])
