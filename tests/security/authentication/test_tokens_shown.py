"""Tokens as they are shown to a server: N-01, N-02, N-04, N-05, N-07, N-11, N-12, N-14, and what takes a switch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.authenticators import token_authenticator
from mcp_server.security.authentication.authenticators.authenticator_factory import REVOCATION_FILE
from mcp_server.security.authentication.certificates.client_certificate import ClientCertificate
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.compact_jws import CompactJWS
from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.listener_rules import ListenerRules
from mcp_server.security.authentication.peer_identity import PeerIdentity
from mcp_server.security.authentication.presented_token import PresentedToken
from mcp_server.security.authentication.tokens.revocation_file import RevocationFile
from mcp_server.security.authentication.tokens.revocation_list import FOR_GOOD, RevocationList
from mcp_server.security.authentication.tokens.token_verifier import TokenVerifier
from mcp_server.security.authentication.tokens.verified_token_cache import VerifiedTokenCache
from tests.support.authentication_rig import POLICY, AuthenticationRig, certificate, credentials, thumbprint
from tests.support.tokens import EC_KEY, ED_KEY, ISSUER, NOW, VerifierRig, claims, raw_token, token, vector

CORPUS = vector("jwt-negative", "cases.json")


@pytest.fixture
def rig() -> AuthenticationRig:
    return AuthenticationRig()


@pytest.fixture
def corpus_rig() -> AuthenticationRig:
    keys = "".join(f"[[issuer.as.key]]\n{_toml(jwk)}" for jwk in CORPUS["jwks"]["keys"])
    subject = json.loads(CompactJWS.parse(CORPUS["cases"][0]["token"], max_bytes=8192).payload)["sub"]
    rig = AuthenticationRig(
        f'version = 1\n[issuer.as]\nissuer = "{CORPUS["issuer"]}"\naudience = "{CORPUS["audience"]}"\n{keys}'
        f'[client.someone]\n[[client.someone.match]]\njwt = {{ issuer = "as", subject = "{subject}" }}\n'
    )
    rig.clock.now = CORPUS["now"]
    return rig


def _toml(members: dict[str, str]) -> str:
    return "".join(f'{name} = "{value}"\n' for name, value in members.items())


@pytest.mark.parametrize("case", CORPUS["cases"], ids=lambda case: case["name"])
def test_n01_the_corpus_of_tokens(corpus_rig: AuthenticationRig, case: dict[str, Any]) -> None:
    if case["valid"]:
        assert corpus_rig.show(case["token"]).client == "someone"
    else:
        reason = corpus_rig.refusal(case["token"])
        assert reason.startswith("token: ")
        # Neither the token nor what it says is repeated.
        assert all(part not in reason for part in case["token"].split(".") if len(part) > 8)
    assert {kind for kind, _ in corpus_rig.records} == ({"auth.ok"} if case["valid"] else set())


def test_the_corpus_is_whole() -> None:
    valid = [case["valid"] for case in CORPUS["cases"]]
    assert (valid.count(True), valid.count(False)) == (5, 97)


@pytest.mark.parametrize(
    "values",
    [
        ["Bearer a.b.c", "Bearer d.e.f"],
        ["Bearer a.b.c", "Basic YTpi"],
        ["Bearer\ta.b.c"],
        ["bearer  a.b.c"],
        ["bearer a.b.c "],
        [" bearer a.b.c"],
        ["Bearer a.b.c, d.e.f"],
        ["Bearer a.b.c,DPoP d.e.f"],
        ["Bearer"],
        ["Bearer "],
        ["Basic YTpi"],
        ["a.b.c"],
        ["Bearer a.b.c\n"],
        ["Bearer a.b.c\r\nX: y"],
        ["Bearer \u0130.b.c"],
        [""],
    ],
)
def test_n02_n04_a_header_that_could_be_read_in_two_ways_is_refused(values: list[str]) -> None:
    with pytest.raises(ValueError, match="Authorization header"):
        PresentedToken.from_headers(values)


def test_one_plain_header_is_read() -> None:
    assert PresentedToken.from_headers([]) is None
    assert PresentedToken.from_headers(["bEARER a.b-_c"]) == PresentedToken("a.b-_c")
    assert PresentedToken.from_headers(["DPoP a.b.c"]) == PresentedToken("a.b.c", is_dpop=True)


def test_n05_the_token_of_one_client_with_the_certificate_of_another(rig: AuthenticationRig) -> None:
    writer = certificate(hosts=["writer.example"])
    reporter = certificate(uris=["spiffe://example/reporter"])
    assert rig.refusal(token(), certificate=writer) == "jwt and mtls: leads to no client"
    # Each of the two alone leads to its client; and together, where the policy says so.
    assert rig.show(token()).client == "reporter"
    assert rig.show(certificate=writer).client == "writer"
    assert rig.show(token(sub="reporter-8"), certificate=reporter).client == "reporter"
    # And the stronger way does not open to half of what it demands.
    assert rig.refusal(token(sub="reporter-8")) == "jwt: leads to no client"


def test_n05_a_token_that_is_bound_to_a_certificate(rig: AuthenticationRig) -> None:
    own, stolen = certificate(), certificate()
    text = token(cnf={"x5t#S256": thumbprint(own)})
    principal = rig.show(text, certificate=own, listener=ListenerRules())
    assert (principal.client, principal.methods) == ("reporter", ("mtls", "jwt"))
    assert rig.refusal(text, certificate=stolen) == "token: bound to another certificate"
    assert rig.refusal(text) == "token: bound to a certificate, and none was shown"


def test_n05_the_certificate_of_a_token_must_not_be_another_clients(rig: AuthenticationRig) -> None:
    writer = certificate(hosts=["writer.example"])
    text = token(cnf={"x5t#S256": thumbprint(writer)})
    assert rig.refusal(text, certificate=writer) == "jwt and mtls: leads to no client"


def test_n05_without_the_barrier_the_stolen_token_works(
    rig: AuthenticationRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = token(cnf={"x5t#S256": thumbprint(certificate())})
    stolen = certificate()
    rig.refusal(text, certificate=stolen)
    monkeypatch.setattr(token_authenticator, "compare_digest", lambda one, other: True)
    monkeypatch.setattr(
        "mcp_server.security.authentication.clients.client_matcher.ClientMatcher._is_all_spoken_for", lambda *_: True
    )
    assert rig.show(text, certificate=stolen).client == "reporter"


def test_n07_a_token_that_is_bound_to_a_key_is_no_bearers(rig: AuthenticationRig) -> None:
    text = token(cnf={"jkt": "A" * 43})
    assert rig.refusal(text) == "token: its scheme does not fit how it is bound"
    assert rig.refusal(token(), is_dpop=True) == "token: its scheme does not fit how it is bound"


def test_a_bearers_token_takes_a_switch_of_the_listener(rig: AuthenticationRig) -> None:
    assert rig.show(token()).methods == ("jwt",)
    assert "bearer" in rig.refusal(token(), listener=ListenerRules())


@pytest.mark.parametrize(
    "entry",
    [
        {"token": "t-1", "until": NOW + 600},
        {"subject": "reporter-7", "before": NOW},
        {"client_id": "desk", "before": FOR_GOOD},
        {"before": NOW},
    ],
)
def test_n11_a_revoked_token_is_refused_although_it_is_remembered(tmp_path: Path, entry: dict[str, Any]) -> None:
    rig = AuthenticationRig(state=tmp_path)
    connection = credentials(token())
    assert rig.manager.authenticate(connection).client == "reporter"
    RevocationFile(tmp_path / REVOCATION_FILE).add({"issuer": ISSUER, **entry}, now=NOW)
    # Looked at once a second.
    assert rig.manager.authenticate(connection).client == "reporter"
    rig.pass_time(1)
    assert "revoked" in rig.refusal_of(connection)
    assert "revoked" in rig.refusal(token())
    # Another token of the same issuer goes on, where that is what was said.
    other = token(sub="writer-1", jti="t-2", client_id="desk", iat=NOW + 1)
    assert ("client_id" in entry) is (rig_refuses(rig, other))


def rig_refuses(rig: AuthenticationRig, text: str) -> bool:
    try:
        rig.show(text)
    except AuthenticationError:
        return True
    return False


def test_n11_without_the_barrier_the_revoked_token_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = AuthenticationRig(state=tmp_path)
    RevocationFile(tmp_path / REVOCATION_FILE).add({"issuer": ISSUER, "token": "t-1", "until": NOW + 600}, now=NOW)
    rig.pass_time(1)
    assert "revoked" in rig.refusal(token())
    monkeypatch.setattr(RevocationList, "check", lambda self, token: None)
    assert rig.show(token()).client == "reporter"


@pytest.mark.parametrize("damage", ["{", '{"version":2,"revoked":[]}', '{"version":1,"revoked":[{"issuer":"x"}]}'])
def test_n11_a_list_that_cannot_be_read_refuses_every_token(tmp_path: Path, damage: str) -> None:
    rig = AuthenticationRig(state=tmp_path)
    connection = credentials(token())
    rig.manager.authenticate(connection)
    (tmp_path / REVOCATION_FILE).write_text(damage)
    rig.pass_time(1)
    reason = "the revocation list cannot be read, so no token or certificate is accepted"
    assert rig.refusal_of(connection) == f"token: {reason}"
    assert rig.refusal(certificate=certificate(hosts=["writer.example"])) == f"certificate: {reason}"
    # Who shows neither has nothing that could have been revoked.
    assert rig.show(peer=PeerIdentity(uid=4242)).client == "neighbour"


def test_a_list_that_is_gone_stays_in_force_under_the_next_policy_too(tmp_path: Path) -> None:
    RevocationFile(tmp_path / REVOCATION_FILE).add({"issuer": ISSUER, "token": "t-1", "until": NOW + 600}, now=NOW)
    rig = AuthenticationRig(state=tmp_path)
    assert rig.refusal(token()) == "token: revoked"
    (tmp_path / REVOCATION_FILE).unlink()
    rig.pass_time(1)
    rig.replace(POLICY + "[client.another]\n")
    assert rig.refusal(token()) == "token: revoked"
    assert rig.show(token(jti="t-2")).client == "reporter"


def test_a_revoked_certificate_is_refused_on_a_connection_that_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = AuthenticationRig(state=tmp_path)
    stolen, other = (certificate(hosts=["writer.example"]) for _ in range(2))
    connection = credentials(certificate=stolen)
    assert rig.manager.authenticate(connection).client == "writer"
    digest = ClientCertificate.parse(stolen).key_digest
    RevocationFile(tmp_path / REVOCATION_FILE).add({"certificate": digest}, now=NOW)
    rig.pass_time(1)
    assert rig.refusal_of(connection) == "certificate: revoked"
    # A token that is bound to it goes with it, and another certificate of the same name does not.
    assert rig.refusal(token(cnf={"x5t#S256": thumbprint(stolen)}), certificate=stolen) == "certificate: revoked"
    assert rig.show(certificate=other).client == "writer"
    # The negative control.
    monkeypatch.setattr(RevocationList, "check_certificate", lambda self, key_digest: None)
    assert rig.manager.authenticate(connection).client == "writer"


def test_n12_a_token_ends_between_two_calls_of_one_connection(rig: AuthenticationRig) -> None:
    connection = credentials(token(exp=NOW + 10))
    for _ in range(3):
        assert rig.manager.authenticate(connection).client == "reporter"
    rig.pass_time(69)
    assert rig.manager.authenticate(connection).client == "reporter"
    rig.pass_time(1)
    assert rig.refusal_of(connection) == "token: expired"


def test_n12_a_certificate_ends_between_two_calls_of_one_connection(rig: AuthenticationRig) -> None:
    connection = credentials(certificate=certificate(hosts=["writer.example"], ends=NOW + 10))
    assert rig.manager.authenticate(connection).client == "writer"
    rig.pass_time(10)
    assert rig.refusal_of(connection) == "certificate: expired, or not valid yet"


def test_n12_without_the_barrier_the_call_after_the_end_is_answered(
    rig: AuthenticationRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = credentials(token(exp=NOW + 10))
    rig.manager.authenticate(connection)
    rig.pass_time(70)
    monkeypatch.setattr(type(rig.manager), "_still_holds", lambda self, known: True)
    assert rig.manager.authenticate(connection).client == "reporter"


def test_n14_what_a_client_calls_itself_leads_nowhere(rig: AuthenticationRig) -> None:
    # Neither a name in a token that nobody looks at, nor the common name of the certificate, which is "admin".
    admin = AuthenticationRig("version = 1\n[client.admin]\n[client.admin.limits]\ncalls_per_minute = 1\n")
    assert admin.refusal(certificate=certificate()) == "mtls: leads to no client"
    assert rig.refusal(token(sub="x", name="reporter", clientInfo={"name": "reporter"})) == "jwt: leads to no client"
    with pytest.raises(TypeError, match="client_info"):
        Credentials(transport="http", client_info={"name": "admin"})  # type: ignore[call-arg]


def test_a_key_id_selects_within_one_issuer_only() -> None:
    evil = SigningKey.generate()
    evil = SigningKey.from_jwk({**evil.private_jwk(), "kid": "as-ed-1"})
    rig = AuthenticationRig(
        'version = 1\n[issuer.evil]\nissuer = "https://evil.example"\naudience = "https://mcp.example/mcp"\n'
        f"[[issuer.evil.key]]\n{_toml(evil.public_jwk())}"
        '[issuer.as]\nissuer = "https://as.example"\naudience = "https://mcp.example/mcp"\n'
        f"[[issuer.as.key]]\n{_toml(ED_KEY.public_jwk())}"
        '[client.a]\n[[client.a.match]]\njwt = { issuer = "as", subject = "reporter-7" }\n'
    )
    assert rig.refusal(token(evil)) == "token: the signature is not this key's"
    assert rig.refusal(token(evil, iss="https://evil.example")) == "jwt: leads to no client"
    assert rig.show(token()).client == "a"


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "cty", "b64", "zip", "crit", "enc"])
def test_a_header_that_brings_anything_is_refused_before_the_key_is_looked_at(
    member: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = VerifierRig()
    header = {"alg": "EdDSA", "kid": "as-ed-1", "typ": "at+jwt", member: "https://evil.example/"}
    text = raw_token(json.dumps(header).encode(), json.dumps(claims()).encode())
    with pytest.raises(AuthenticationError) as caught:
        rig.verifier.verify(text)
    assert caught.value.reason == "token: the header has members that are not allowed"
    # The negative control: the signature is honest, and only this barrier stands before it.
    monkeypatch.setattr(CompactJWS, "check_header", lambda self, allowed: None)
    assert rig.verifier.verify(text).subject == "reporter-7"


def test_a_public_key_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of an issuer is public; with HMAC anybody could sign with it."""
    public = ED_KEY.public_jwk()["x"]
    forged = SigningKey.from_jwk({"kty": "oct", "kid": "as-ed-1", "k": public})
    rig = VerifierRig()
    with pytest.raises(AuthenticationError) as caught:
        rig.verifier.verify(token(forged))
    assert caught.value.reason == "token: the header names another algorithm than the key's"
    # The negative control: who lets the header decide is answered by the forged signature.
    from mcp_server.security.authentication.jose.verification_key import VerificationKey

    def by_the_header(self: CompactJWS, key: VerificationKey) -> None:
        forged.verification_key().verify(self.signing_input, self.signature)

    monkeypatch.setattr(CompactJWS, "verify", by_the_header)
    assert rig.verifier.verify(token(forged)).subject == "reporter-7"


def test_another_spelling_of_a_token_is_not_the_token() -> None:
    rig = VerifierRig(EC_KEY)
    text = token(EC_KEY)
    head, _, signature = text.rpartition(".")
    rig.verifier.verify(text)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(signature[-1])
    spellings = [f"{head}.{signature}==", f"{head}.{signature[:-1]}{alphabet[last | 1]}", f"{text}\n"]
    for spelling in spellings:
        if spelling != text:
            with pytest.raises(AuthenticationError):
                rig.verifier.verify(spelling)
    assert len(rig.verifier._cache) == 1


def test_a_token_of_yesterdays_epoch_is_not_remembered_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was taken away: what it signed is refused, although it was verified a moment ago."""
    rig = VerifierRig()
    rig.verifier.verify(token())
    monkeypatch.setattr(rig.source, "_keys", VerifierRig(EC_KEY).source.keys())
    # The negative control: without the epoch it would still be remembered.
    assert rig.verifier.verify(token()).subject == "reporter-7"
    rig.epoch.advance()
    with pytest.raises(AuthenticationError):
        rig.verifier.verify(token())


def test_no_secret_is_in_what_is_said_or_shown(rig: AuthenticationRig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    text = token(jti="canary-of-this-test")
    secret = text.rpartition(".")[2]
    shown = credentials(text)
    principal = rig.manager.authenticate(shown)
    spoilt = text[:-4] + "AAAA"
    reason = rig.refusal(spoilt)
    said = "\n".join(map(repr, (shown, shown.token, principal, rig.records, reason, rig.manager._principals)))
    for each in (secret, text, spoilt):
        assert each not in said + caplog.text


def test_the_memory_of_tokens_is_bounded() -> None:
    rig = VerifierRig()
    rig.verifier._cache = VerifiedTokenCache(max_entries=3)
    for number in range(10):
        rig.verifier.verify(token(jti=f"t-{number}"))
    assert len(rig.verifier._cache) == 3
    assert isinstance(rig.verifier, TokenVerifier)


def test_a_signature_over_other_claims_is_refused(rig: AuthenticationRig) -> None:
    header, _, signature = token().split(".")
    other = encode_base64url(json.dumps(claims(sub="writer-1")).encode())
    assert rig.refusal(f"{header}.{other}.{signature}") == "token: the signature is not this key's"
