from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader
from tests.support.tokens import ED_KEY

KEY = f"""[[issuer.as.key]]
kty = "OKP"
crv = "Ed25519"
kid = "k1"
x = "{ED_KEY.public_jwk()["x"]}"
"""
AS = f"""[issuer.as]
issuer = "https://as.example"
audience = "https://mcp.example/mcp"
{KEY}"""
MATCH = '[client.ada]\n[[client.ada.match]]\njwt = { issuer = "as", subject = "ada" }\n'


def parse(text: str, base: Path | None = None) -> Policy:
    return PolicyLoader().parse(f"version = 1\n{text}", base=base)


def test_an_issuer_and_a_way_are_read() -> None:
    policy = parse(AS + MATCH)
    config = policy.issuers["as"]
    assert (config.rules.issuer, config.rules.audience) == ("https://as.example", "https://mcp.example/mcp")
    assert config.inline is not None
    assert list(config.inline.keys) == ["k1"]
    (match,) = policy.clients["ada"].matches
    # The way names the issuer by what its tokens say, not by the name of its table.
    assert match.demands[EvidenceKind.JWT] == {("issuer", "https://as.example"), ("subject", "ada")}


def test_a_key_file_is_relative_to_the_policy(tmp_path: Path) -> None:
    text = AS.replace(
        KEY, 'key_file = "keys.json"\nsecret_keys = true\nmax_lifetime_seconds = 60\nleeway_seconds = 0\n'
    )
    config = parse(text, tmp_path).issuers["as"]
    assert (config.file, config.holds_secrets) == (str(tmp_path / "keys.json"), True)
    assert (config.rules.max_lifetime_seconds, config.rules.leeway_seconds) == (60, 0)


def test_whatever_decides_changes_the_digest(tmp_path: Path) -> None:
    texts = [
        "[client.ada]\n",
        AS + "[client.ada]\n",
        AS + MATCH,
        AS + MATCH.replace('"ada" }', '"eve" }'),
        AS.replace("/mcp", "/other") + MATCH,
        AS.replace("[[issuer", "accept_untyped_tokens = true\n[[issuer") + MATCH,
        AS.replace('"k1"', '"k2"') + MATCH,
        AS.replace(KEY, 'key_file = "/k"\n') + MATCH,
    ]
    assert len({parse(text).digest for text in texts}) == len(texts)
    assert parse("[client.ada]\n").digest == parse("[client.ada]\n\n").digest


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("[issuer.as]\nissuer = 'https://a'\n", 2, "'audience' in"),
        ("[issuer.as]\nissuer = ''\naudience = 'x'\n", 3, "issuer is missing, empty"),
        ("[issuer.as]\nissuer = \"a\\u0007\"\naudience = 'x'\n", 3, "control"),
        ("[issuer.'a b']\nissuer = 'a'\naudience = 'x'\n", 2, "issuer name"),
        ("[issuer.as]\nissuer = 'a'\naudience = 'x'\n", 2, "where its keys come from"),
        ("[issuer.as]\nissuer = 'a'\naudience = 'x'\nkey_file = '/a'\nkey = []\n", 2, "in one way"),
        ("[issuer.as]\nissuer = 'a'\naudience = 'x'\nkey = []\n", 5, "at least one"),
        ("[issuer.as]\nissuer = 'a'\naudience = 'x'\nkey = [1]\n", 5, "must be a table"),
        ("[issuer.as]\nissuer = 'a'\naudience = 'x'\nkey = {}\n", 5, "list of tables"),
        ("[issuer.as]\nissuer = 'a'\naudience = 'x'\nkey_file = 'rel'\n", 5, "absolute path"),
        ("[issuer.as]\nissuer = 'a'\naudience = 'x'\nkey_file = '/a'\nmax_lifetime_seconds = 86401\n", 6, "from 1 to"),
        ("[issuer.as]\nissuer = 'a'\naudience = 'x'\nkey_file = '/a'\nleeway_seconds = 61\n", 6, "from 0 to 60"),
        (
            "[issuer.as]\nissuer = 'a'\naudience = 'x'\nkey_file = '/a'\naccept_untyped_token = true\n",
            6,
            "did you mean",
        ),
        (AS.replace("[[issuer", "secret_keys = true\n[[issuer"), 5, "never in the policy"),
        (AS.replace('kid = "k1"', f'd = "{ED_KEY.private_jwk()["d"]}"'), 5, "public keys only"),
        (AS + AS.replace("issuer.as", "issuer.bs"), 11, "issuer.as] already"),
        (AS + MATCH.replace("match]]", "match]]\njwts = 1"), 12, "did you mean 'jwt'"),
        (AS + MATCH.replace('"as"', '"sa"'), 12, "must be one of 'as'"),
        (MATCH, 4, "must be one of|has none"),
        (AS + MATCH.replace(', subject = "ada"', ""), 12, "subject or a client_id"),
        (AS + MATCH.replace('"ada" }', '"ada", scopes = ["a b"] }'), 12, "no scope"),
        (AS + MATCH.replace('"ada" }', '"" }'), 12, "subject is missing, empty"),
        (AS + "[client.ada]\n[[client.ada.match]]\n", 11, "must name a subject"),
        ("[client.ada]\nmatch = 'x'\n", 3, "list of tables"),
        ("[client.ada]\n[[client.ada.match]]\nmtls = {}\n", 4, "must name one of"),
        ("[client.ada]\n[[client.ada.match]]\nmtls = { san_uri = 'a', san_dns = 'b' }\n", 4, "must name one of"),
        ("[client.ada]\n[[client.ada.match]]\nmtls = { san_dns = '*.example' }\n", 4, "wildcards"),
        ("[client.ada]\n[[client.ada.match]]\nmtls = { san_uri = '' }\n", 4, "no name"),
        ("[client.ada]\n[[client.ada.match]]\nmtls = { spki_sha256 = 'AB' }\n", 4, "64 lower-case"),
        ("[client.ada]\n[[client.ada.match]]\npeer = {}\n", 4, "name a user"),
        ("[client.ada]\n[[client.ada.match]]\npeer = { uid = true }\n", 4, "whole number"),
        ("[client.ada]\n[[client.ada.match]]\npeer = { gid = 7 }\n", 4, "unknown key 'gid'"),
        (AS + MATCH + MATCH.replace("[client.ada]\n", ""), 13, "written twice"),
        ("[client.ada]\nmessage_key_file = 'rel'\n", 3, "absolute path"),
        ("[client.ada]\nstarted_by = []\n", 3, "or be left out"),
        ("[client.ada]\nstarted_by = ['claude']\n", 3, "written plainly"),
        ("[client.ada]\nstarted_by = ['/usr/bin/../bin/claude']\n", 3, "written plainly"),
        ("[client.ada]\n[[client.ada.match]]\npeer = { uid = 7, program = 'x' }\n", 4, "written plainly"),
        ("[client.ada]\nmessage_key_file = '/a'\nmessage_key = []\n", 3, "in one way"),
        ("[client.ada]\nmessage_key = []\n", 3, "at least one"),
        ("[client.ada]\n[[client.ada.match]]\nkey = { id = '../x' }\n", 4, "no key id"),
        ("[client.ada]\n[[client.ada.match]]\nkey = {}\n", 4, "'id' in"),
        ("[client.ada]\n[[client.ada.match]]\nkey = { id = 'k1' }\n", 3, "has no key 'k1'"),
        (AS + MATCH + MATCH.replace("client.ada", "client.eve"), 14, "client 'ada' already"),
    ],
)
def test_a_mistake_has_its_line(text: str, line: int, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        parse(text)
    assert caught.value.line == line
    assert ED_KEY.private_jwk()["d"] not in str(caught.value)


def test_the_number_of_ways_is_bounded() -> None:
    ways = "".join(f"[[client.ada.match]]\npeer = {{ uid = {number} }}\n" for number in range(65))
    with pytest.raises(ConfigurationError, match="more than 64"):
        parse("[client.ada]\n" + ways)


def test_a_key_file_that_a_tool_could_reach_is_refused(tmp_path: Path) -> None:
    for name in ("desk", "desk2", "keys"):
        (tmp_path / name).mkdir()
    (tmp_path / "keys" / "link").symlink_to(tmp_path / "desk" / "deep")
    issuer = AS.replace(KEY, 'key_file = "{}"\n')
    client = '[client.ada]\nfolders = ["desk"]\n'
    for inside in ("desk/keys.json", "desk/../desk/keys.json", "keys/link", "./desk/deep/keys.json"):
        with pytest.raises(ConfigurationError, match="tools could reach it") as caught:
            parse(issuer.format(inside) + client, tmp_path)
        assert caught.value.line == 5
    for outside in ("keys/keys.json", "desk2/keys.json", "desk/../keys.json"):
        assert parse(issuer.format(outside) + client, tmp_path).issuers


def test_the_keys_of_messages_are_read(tmp_path: Path) -> None:
    signing = KEY.replace("issuer.as.key", "client.ada.message_key")
    config = parse("[client.ada]\n" + signing).clients["ada"].message_keys
    assert config is not None
    assert config.inline is not None
    assert list(config.inline.keys) == ["k1"]
    in_file = parse('[client.ada]\nmessage_key_file = "keys.json"\n', tmp_path).clients["ada"].message_keys
    assert in_file is not None
    assert in_file.file == str(tmp_path / "keys.json")
    digests = {parse(f"[client.ada]\n{text}").digest for text in ("", signing, "message_key_file = '/a'\n")}
    assert len(digests) == 3


def test_a_client_has_two_keys_at_most_and_public_ones_only(tmp_path: Path) -> None:
    signing = KEY.replace("issuer.as.key", "client.ada.message_key")
    three = "".join(signing.replace("k1", f"k{number}") for number in range(3))
    with pytest.raises(ConfigurationError, match="more than 2 keys"):
        parse("[client.ada]\n" + three)
    with pytest.raises(ConfigurationError, match="public keys only"):
        parse("[client.ada]\n" + signing.replace("x =", f'd = "{ED_KEY.private_jwk()["d"]}"\nx ='))
    (tmp_path / "desk").mkdir()
    with pytest.raises(ConfigurationError, match="tools could reach it"):
        parse('[client.ada]\nfolders = ["desk"]\nmessage_key_file = "desk/k.json"\n', tmp_path)
