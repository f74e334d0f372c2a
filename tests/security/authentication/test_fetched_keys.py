"""Key sets that are fetched, from servers that do what they should not: N-08, N-09 and N-10."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.jose.signing_key import SigningKey
from mcp_server.security.authentication.key_sets import key_set_fetcher
from mcp_server.security.authentication.key_sets.key_set_fetcher import KeySetFetcher
from mcp_server.security.permissions.policy_loader import PolicyLoader
from tests.support.authentication_rig import AuthenticationRig
from tests.support.authority import Authority
from tests.support.loopback_server import LoopbackServer, ok, redirect
from tests.support.tokens import AUDIENCE, EC_KEY, ED_KEY, ISSUER, token
from tests.support.web_rig import WebRig

HOST = "id.example"
LOOPBACK = '\nkey_networks = ["127.0.0.0/8"]'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def jwks(*keys: Any) -> bytes:
    return json.dumps({"keys": [each if isinstance(each, dict) else each.public_jwk() for each in keys]}).encode()


def policy(port: int, *, key: str = "key_url", path: str = "/keys", networks: str = LOOPBACK) -> str:
    return f"""
version = 1
[issuer.as]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
{key} = "https://{HOST}:{port}{path}"{networks}
[client.reporter]
[[client.reporter.match]]
jwt = {{ issuer = "as", subject = "reporter-7" }}
"""


class Issuer:
    """A server of keys, and a manager whose policy names it."""

    def __init__(self, authority: Authority, answer: Any, **address: Any) -> None:
        self.answer = answer
        self._authority = authority
        self._address = address

    async def __aenter__(self) -> Self:
        self.server = LoopbackServer(self._answer, tls=self._authority.server(HOST))
        await self.server.__aenter__()
        self.rig = AuthenticationRig(policy(self.server.port, **self._address))
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self.server.__aexit__(*ended)

    async def _answer(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        answer = self.answer(request) if callable(self.answer) else self.answer
        if asyncio.iscoroutine(answer):
            await answer
            return
        writer.write(answer)
        await writer.drain()

    async def refresh(self) -> None:
        names = {HOST: ["127.0.0.1"], "evil.example": ["127.0.0.1"]}

        def open_http(limits: Any) -> Any:
            return WebRig(names, limits=limits, authorities=[self._authority.pem]).client

        self.rig.pass_time(31)
        await KeySetFetcher(open_http=open_http).refresh(self.rig.manager.due_sources())
        self.rig.pass_time(1)

    @property
    def failures(self) -> list[str]:
        return [
            fields["reason"]
            for kind, fields in self.rig.records
            if kind == "keyset.changed" and fields["reason"] is not None
        ]


def use(authority: Authority, answer: Any, work: Callable[[Issuer], Any], **address: Any) -> None:
    async def run() -> None:
        async with Issuer(authority, answer, **address) as issuer:
            await work(issuer)

    asyncio.run(run())


def test_keys_are_fetched_and_tokens_verified(authority: Authority) -> None:
    async def work(issuer: Issuer) -> None:
        assert issuer.rig.refusal(token()) == "token: the issuer's keys have not been fetched yet"
        await issuer.refresh()
        assert issuer.rig.show(token()).client == "reporter"
        # A key that is taken away is refused with the next call, although its tokens are remembered.
        issuer.answer = ok(jwks(EC_KEY))
        issuer.rig.pass_time(1800)
        await issuer.refresh()
        assert issuer.rig.refusal(token(exp=None, iat=None)) == "token: no key of this id"

    use(authority, ok(jwks(ED_KEY)), work)


def test_n08_an_unknown_key_id_ten_thousand_times(authority: Authority) -> None:
    async def work(issuer: Issuer) -> None:
        await issuer.refresh()
        for number in range(10_000):
            stranger = SigningKey.from_jwk({**ED_KEY.private_jwk(), "kid": f"k{number}"})
            assert issuer.rig.refusal(token(stranger)) == "token: no key of this id"
            if number % 1000 == 0:
                # Whoever fetches looks once a second; here, each time that a second has passed.
                issuer.rig.monotonic.advance(1)
                due = issuer.rig.manager.due_sources()
                assert due == [] or issuer.rig.monotonic.now - 1_000 > 30
        await issuer.refresh()
        assert len(issuer.server.requests) == 2
        assert issuer.rig.show(token()).client == "reporter"

    use(authority, ok(jwks(ED_KEY)), work)


BAD: dict[str, tuple[Any, str]] = {
    "redirect": (redirect("https://evil.example/keys"), "leads on"),
    "redirect to itself": (redirect("/keys"), "leads on"),
    "10 MB": (ok(b" " * 10_000_000), "max_body_bytes|larger"),
    "10,000 keys": (ok(jwks(*[{"kty": "OKP", "kid": f"k{number}"} for number in range(3_000)])), "more than 64"),
    "duplicate kid": (ok(jwks(EC_KEY, EC_KEY)), "another key's"),
    "use=enc": (ok(jwks(EC_KEY, {**EC_KEY.public_jwk(), "kid": "e", "use": "enc"})), "not for signatures"),
    "private d": (ok(jwks(EC_KEY.private_jwk())), "private members"),
    "secret": (ok(jwks({"kty": "oct", "kid": "s", "k": "A" * 43})), "secret key"),
    "not JSON": (ok(b"<html>"), "no JSON object"),
    "member twice": (ok(b'{"keys":[],"keys":[]}'), "twice"),
    "empty": (ok(b'{"keys":[]}'), "at least one"),
    "status 500": (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "status 500"),
    "not HTTP": (b"SSH-2.0-x\r\n\r\n", "did not answer in HTTP|broke"),
}


@pytest.mark.parametrize("name", BAD)
def test_n09_the_old_set_is_kept_and_the_failure_on_record(authority: Authority, name: str) -> None:
    bad, why = BAD[name]

    async def work(issuer: Issuer) -> None:
        await issuer.refresh()
        issuer.answer = bad
        issuer.rig.pass_time(1800)
        issuer.rig.clock.advance(-1800)
        for _ in range(2):
            await issuer.refresh()
        assert issuer.rig.show(token()).client == "reporter"
        assert len(issuer.server.requests) == 3
        assert len(issuer.failures) == 1
        assert any(each in issuer.failures[0] for each in why.split("|")), issuer.failures

    use(authority, ok(jwks(ED_KEY)), work)


def test_n09_a_slow_body_ends_in_time(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(key_set_fetcher.FETCH_LIMITS, total_seconds=0.2, max_total_seconds=0.2)
    monkeypatch.setattr(key_set_fetcher, "FETCH_LIMITS", limits)

    async def work(issuer: Issuer) -> None:
        await issuer.refresh()
        hold = asyncio.Event()
        issuer.answer = lambda request: hold.wait()
        issuer.rig.pass_time(1800)
        issuer.rig.clock.advance(-1800)
        await issuer.refresh()
        hold.set()
        assert "took longer than" in issuer.failures[0]
        assert issuer.rig.show(token()).client == "reporter"

    use(authority, ok(jwks(ED_KEY)), work)


def test_an_address_that_is_not_public_takes_a_grant(authority: Authority) -> None:
    async def work(issuer: Issuer) -> None:
        await issuer.refresh()
        assert issuer.server.requests == []
        assert "not public" in issuer.failures[0]

    use(authority, ok(jwks(ED_KEY)), work, networks="")


def test_a_server_that_does_not_prove_its_name_is_not_asked(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")

    async def work(issuer: Issuer) -> None:
        issuer._authority = other
        await issuer.refresh()
        assert issuer.server.requests == []
        assert "does not prove its name" in issuer.failures[0]

    use(authority, ok(jwks(ED_KEY)), work)


def metadata(**members: Any) -> Callable[[bytes], bytes]:
    """Return a server of metadata and, at another path, of keys."""

    def answer(request: bytes) -> bytes:
        return ok(jwks(ED_KEY)) if request.startswith(b"GET /keys ") else ok(json.dumps(members).encode())

    return answer


METADATA = {"key": "metadata_url", "path": "/.well-known/oauth-authorization-server"}


def test_metadata_say_where_the_keys_are(authority: Authority) -> None:
    async def work(issuer: Issuer) -> None:
        issuer.answer = metadata(issuer=ISSUER, jwks_uri=f"https://{HOST}:{issuer.server.port}/keys")
        await issuer.refresh()
        assert issuer.rig.show(token()).client == "reporter"

    use(authority, b"", work, **METADATA)


@pytest.mark.parametrize("issuer_name", ["https://evil.example", ISSUER + "/", ISSUER.upper(), None, [ISSUER]])
def test_n10_metadata_of_another_issuer_are_not_used(authority: Authority, issuer_name: object) -> None:
    async def work(issuer: Issuer) -> None:
        issuer.answer = metadata(issuer=issuer_name, jwks_uri=f"https://{HOST}:{issuer.server.port}/keys")
        await issuer.refresh()
        assert issuer.failures == ["not fetched: the metadata are another issuer's"]
        assert len(issuer.server.requests) == 1
        assert "not been fetched" in issuer.rig.refusal(token())

    use(authority, b"", work, **METADATA)


@pytest.mark.parametrize("uri", ["https://evil.example/keys", "http://id.example/keys", "file:///etc/x", "", None, 7])
def test_n10_metadata_that_lead_elsewhere_are_not_followed(authority: Authority, uri: object) -> None:
    async def work(issuer: Issuer) -> None:
        issuer.answer = metadata(issuer=ISSUER, jwks_uri=uri)
        await issuer.refresh()
        assert len(issuer.failures) == 1
        assert len(issuer.server.requests) == 1

    use(authority, b"", work, **METADATA)


def test_n10_without_the_barrier_the_keys_of_another_issuer_are_used(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def careless(self: KeySetFetcher, source: Any) -> str:
        document = json.loads(await self._get(source.address.url, source.address))
        return str(document["jwks_uri"])

    async def work(issuer: Issuer) -> None:
        issuer.answer = metadata(issuer="https://evil.example", jwks_uri=f"https://{HOST}:{issuer.server.port}/keys")
        await issuer.refresh()
        assert issuer.failures
        monkeypatch.setattr(KeySetFetcher, "_key_url", careless)
        await issuer.refresh()
        assert issuer.rig.show(token()).client == "reporter"

    use(authority, b"", work, **METADATA)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('key_url = "http://id.example/keys"', "https only"),
        ('key_url = "https://user:secret@id.example/keys"', "key_url"),
        ('key_url = "https://id.example/keys"\nkey_networks = ["10/33"]', "key_url"),
        ('key_file = "/k"\nkey_networks = ["10.0.0.0/8"]', "fetched"),
        ('key_url = "https://id.example/"\nmetadata_url = "https://id.example/"', "in one way"),
        ('key_url = "https://id.example/"\nsecret_keys = true', "never in the policy"),
    ],
)
def test_a_policy_with_a_bad_address_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        PolicyLoader().parse(f'version = 1\n[issuer.as]\nissuer = "a"\naudience = "b"\n{text}\n')


def test_keys_that_were_fetched_outlive_a_change_of_the_policy(authority: Authority) -> None:
    async def work(issuer: Issuer) -> None:
        await issuer.refresh()
        issuer.rig.replace(policy(issuer.server.port) + "[client.another]\n")
        assert issuer.rig.show(token()).client == "reporter"
        assert issuer.rig.manager.due_sources() == []
        issuer.rig.replace(policy(issuer.server.port, path="/elsewhere"))
        assert "not been fetched" in issuer.rig.refusal(token())

    use(authority, ok(jwks(ED_KEY)), work)
