from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.authentication.certificates.client_certificate import ClientCertificate
from mcp_server.security.authentication.jose.compact_jws import CompactJWS
from tests.support.authentication_rig import certificate, thumbprint

POLICY = """
version = 1

[issuer.home]
issuer = "https://desk.example"
audience = "https://mcp.example/mcp"
local_keys = true

[issuer.elsewhere]
issuer = "https://id.example"
audience = "https://mcp.example/mcp"
key_file = "nowhere.json"

[client.ada]
[[client.ada.match]]
jwt = { issuer = "home", subject = "ada", scopes = ["notes.read"] }

[client.bob]
[[client.bob.match]]
jwt = { issuer = "elsewhere", subject = "bob" }
"""


@pytest.fixture
def place(tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    policy = tmp_path / "desk.toml"
    policy.write_text(POLICY.replace('key_file = "nowhere.json"', "local_keys = true"))
    policy.chmod(0o600)
    state = tmp_path / "state"
    for issuer in ("home", "elsewhere"):
        assert run("keys", "generate", issuer, "--state", state).code == 0
    monkeypatch.setattr("mcp_server.cli.keys_command.time.sleep", lambda seconds: None)
    return ("--policy", str(policy), "--state", str(state))


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Type a text into the standard input of the next command."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_token_is_issued_and_accepted(run: Any, place: Any, types: Any) -> None:
    text = run("token", "issue", "--client", "ada", *place).out
    claims = json.loads(CompactJWS.parse(text.strip(), max_bytes=8192).payload)
    assert {name: claims[name] for name in ("iss", "aud", "sub", "client_id", "scope")} == {
        "iss": "https://desk.example",
        "aud": "https://mcp.example/mcp",
        "sub": "ada",
        "client_id": "ada",
        "scope": "notes.read",
    }
    assert claims["exp"] - claims["iat"] == 900
    types(text)
    done = run("token", "inspect", *place, "--json")
    assert (done.code, done.data["accepted"], done.data["claims"]) == (0, True, claims)


def test_a_spoilt_token_is_shown_and_refused(run: Any, place: Any, types: Any, tmp_path: Path) -> None:
    text = run("token", "issue", "--client", "ada", *place).out.strip()
    spoilt = text[:-10] + "AAAAAA" + text[-4:]
    (tmp_path / "token").write_text(spoilt)
    done = run("token", "inspect", "--file", tmp_path / "token", *place)
    assert done.code == 1
    assert "unverified" in done.out
    assert "it is refused: token: the signature is not this key's" in done.out
    types("no token")
    assert (run("token", "inspect", *place).code, run("token", "inspect", "--file", "/none", *place).code) == (2, 2)


@pytest.mark.parametrize(
    "how",
    [
        ("--id",),
        ("--subject", "ada"),
        ("--client-id", "ada"),
        ("--subject", "ada", "--for-good"),
        ("--all",),
        (),
    ],
)
def test_a_revoked_token_is_refused(run: Any, place: Any, types: Any, how: tuple[str, ...]) -> None:
    made = run("token", "issue", "--client", "ada", *place, "--json").data
    types(made["token"])
    assert run("token", "inspect", *place).code == 0
    types(made["token"])
    which = (*how, made["token_id"]) if how == ("--id",) else how
    issuer = ("--issuer", "home") if how else ()
    done = run("token", "revoke", *which, *issuer, *place)
    assert (done.code, "within a second" in done.out) == (0, True)
    types(made["token"])
    seen = run("token", "inspect", *place, "--json")
    assert (seen.code, "revoked" in seen.data["reason"]) == (1, True)


def test_each_is_on_record_before_it_is_done_and_no_token_is(run: Any, place: Any) -> None:
    made = run("token", "issue", "--client", "ada", *place, "--json").data
    run("token", "revoke", "--issuer", "home", "--id", made["token_id"], *place)
    log = Path(place[-1]) / "audit" / "_admin"
    records = {each["kind"]: each for each in AuditReader(log).tail(40)}
    issued = records["admin.token_issue"]
    assert (issued["client"], issued["subject"], issued["jti"]) == ("ada", "ada", made["token_id"])
    assert records["revoke.token"]["jti"] == made["token_id"]
    signature = made["token"].rpartition(".")[2]
    assert all(signature not in each.read_text() for each in log.glob("*.jsonl"))


def test_without_a_log_no_token_is_issued(run: Any, place: Any) -> None:
    log = Path(place[-1]) / "audit" / "_admin"
    segment = max(log.glob("*.jsonl"))
    segment.chmod(0o600)
    segment.write_bytes(segment.read_bytes()[:-40] + b"x" * 39 + b"\n")
    done = run("token", "issue", "--client", "ada", *place)
    assert (done.code, done.out) == (2, "")


def test_a_token_is_bound_to_a_certificate_or_key(run: Any, place: Any, tmp_path: Path) -> None:
    der = certificate()
    (tmp_path / "c.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    made = run(
        "token", "issue", "--client", "ada", "--certificate", tmp_path / "c.pem", "--jkt", "B" * 43, *place, "--json"
    ).data
    claims = json.loads(CompactJWS.parse(made["token"], max_bytes=8192).payload)
    assert claims["cnf"] == {"x5t#S256": thumbprint(der), "jkt": "B" * 43}
    assert made["bound"] is True
    for wrong in (("--certificate", tmp_path / "desk.toml"), ("--jkt", "short")):
        assert run("token", "issue", "--client", "ada", *wrong, *place).code == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("issue", "--client", "eve"), "names no client 'eve'"),
        (("issue", "--client", "ada", "--issuer", "elsewhere"), "local_keys = true"),
        (("issue", "--client", "ada", "--lifetime", "3601"), "would not be accepted"),
        (("issue", "--client", "ada", "--scope", '"'), "would not be accepted"),
        (("revoke", "--all"), "--issuer"),
        (("revoke", "--all", "--issuer", "other"), "home, elsewhere"),
    ],
)
def test_wrong_use_says_what_to_do(run: Any, place: Any, arguments: tuple[str, ...], why: str) -> None:
    done = run("token", *arguments, *place)
    assert (done.code, why in done.err) == (2, True), done.err


def test_a_token_of_nobody_here_is_not_revoked(run: Any, place: Any, types: Any) -> None:
    from tests.support.tokens import token

    types(token())
    assert "refused already" in run("token", "revoke", *place).err
    types(token(jti=None))
    assert "no issuer and id" in run("token", "revoke", *place).err


def test_an_issuer_whose_keys_are_missing_says_so(run: Any, tmp_path: Path, types: Any) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text(POLICY.replace('key_file = "nowhere.json"', "local_keys = true"))
    policy.chmod(0o600)
    done = run("token", "issue", "--client", "ada", "--policy", policy, "--state", tmp_path / "state")
    assert "mcp-server keys generate home" in done.err


def test_a_certificate_is_revoked_by_its_key(run: Any, place: Any, tmp_path: Path) -> None:
    der = certificate()
    (tmp_path / "c.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    done = run("token", "revoke", "--certificate", tmp_path / "c.pem", *place, "--json")
    digest = ClientCertificate.parse(der).key_digest
    assert done.data == {"revoked": {"certificate": digest}}
    (record,) = [
        each for each in AuditReader(Path(place[-1]) / "audit" / "_admin").tail(40) if each["kind"] == "revoke.cert"
    ]
    assert record["certificate"] == digest
    assert run("token", "revoke", "--certificate", tmp_path / "desk.toml", *place).code == 2
