"""`mcp-server token issue`, `mcp-server token inspect` and `mcp-server token revoke`."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, Final

from mcp_server.cli.admin_records import record_action
from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.keys_command import key_store
from mcp_server.cli.output import Output
from mcp_server.core.config_loader import ConfigLoader
from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.authenticators.authenticator_factory import (
    REVOCATION_FILE,
    AuthenticatorFactory,
)
from mcp_server.security.authentication.certificates.client_certificate import ClientCertificate
from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.authentication.jose.compact_jws import CompactJWS
from mcp_server.security.authentication.jose.strict_json import read_object
from mcp_server.security.authentication.tokens.issuer_config import IssuerConfig
from mcp_server.security.authentication.tokens.issuer_rules import MOST_LEEWAY_SECONDS, MOST_LIFETIME_SECONDS
from mcp_server.security.authentication.tokens.revocation_file import RevocationFile
from mcp_server.security.authentication.tokens.revocation_list import FOR_GOOD
from mcp_server.security.authentication.tokens.token_issuer import TokenIssuer
from mcp_server.security.authentication.tokens.token_verifier import MAX_TOKEN_BYTES
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader

MINUTES: Final = 60
DEFAULT_LIFETIME_SECONDS: Final = 15 * MINUTES
"""A token that is issued by hand is used at once."""


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser("token", help="issue, inspect and revoke access tokens")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="issue|inspect|revoke")
    issue = verbs.add_parser("issue", help="print a token that leads to a client of the policy")
    _add_place(issue)
    issue.add_argument("--client", required=True, metavar="NAME", help="the client's name in the policy")
    issue.add_argument(
        "--lifetime",
        type=int,
        default=DEFAULT_LIFETIME_SECONDS,
        metavar="SECONDS",
        help="how long it lives (default: %(default)s)",
    )
    issue.add_argument("--scope", action="append", default=[], metavar="WORD", help="a scope; may be repeated")
    issue.add_argument(
        "--certificate", metavar="FILE", help="bind it to this client certificate (PEM), so that nobody else can use it"
    )
    issue.add_argument("--jkt", metavar="THUMBPRINT", help="bind it to the key of this thumbprint (RFC 7638, SHA-256)")
    issue.set_defaults(run=run_issue)
    inspect = verbs.add_parser("inspect", help="say what a token says, and whether it would be accepted")
    _add_place(inspect)
    _add_file(inspect)
    inspect.set_defaults(run=run_inspect)
    revoke = verbs.add_parser("revoke", help="refuse a token from now on, or all tokens of somebody")
    _add_place(revoke)
    _add_file(revoke)
    what = revoke.add_mutually_exclusive_group()
    what.add_argument("--id", metavar="JTI", help="the token of this id")
    what.add_argument("--subject", metavar="SUB", help="all tokens that speak for this subject")
    what.add_argument("--client-id", metavar="ID", help="all tokens that were issued to this client_id")
    what.add_argument(
        "--certificate", metavar="FILE", help="no token: every client certificate with the key of this one (PEM)"
    )
    what.add_argument("--all", action="store_true", help="all tokens of the issuer")
    revoke.add_argument(
        "--for-good", action="store_true", help="those that are issued later too, and not only those issued until now"
    )
    revoke.set_defaults(run=run_revoke)


def run_issue(arguments: Namespace, output: Output) -> ExitCode:
    """Print a token."""
    state = ConfigLoader().state_directory(arguments.state)
    policy = PolicyLoader().load(arguments.policy)
    config, facts = _way_to(policy, arguments.client, arguments.issuer)
    issuer = TokenIssuer(rules=config.rules, key=key_store(state, config.rules.name).signing_key(), clock=time.time)
    named = dict(facts)
    certificate = None if arguments.certificate is None else _certificate(arguments.certificate)
    try:
        text, token = issuer.issue(
            subject=named.get("subject", arguments.client),
            client_id=named.get("client_id", arguments.client),
            lifetime_seconds=arguments.lifetime,
            scopes=[*(value for name, value in facts if name == "scope"), *arguments.scope],
            certificate_thumbprint=None if certificate is None else certificate.thumbprint,
            key_thumbprint=arguments.jkt,
        )
    except ValueError as error:
        raise ConfigurationError(f"this token would not be accepted: {error}") from error
    about = {
        "client": arguments.client,
        "issuer": config.rules.name,
        "subject": token.subject,
        "token_id": token.token_id,
        "expires_at": token.issued_at + arguments.lifetime,
        "bound": token.is_bound,
    }
    # Under another name, for what is named like a secret is left out of records.
    record_action(state, "admin.token_issue", {"jti" if name == "token_id" else name: about[name] for name in about})
    if output.as_json:
        output.data({**about, "token": text})
    else:
        output.line(text)
    return ExitCode.DONE


def run_inspect(arguments: Namespace, output: Output) -> ExitCode:
    """Say what a token says; the exit status tells whether it would be accepted."""
    text = _read(arguments.file)
    state = ConfigLoader().state_directory(arguments.state)
    policy = PolicyLoader().load(arguments.policy)
    header, claims = _unverified(text)
    verifier = AuthenticatorFactory(state_directory=state).verifier(policy.issuers)
    reason: str | None = None
    try:
        verifier.verify(text)
    except AuthenticationError as error:
        reason = error.reason
    if output.as_json:
        output.data({"accepted": reason is None, "reason": reason, "header": header, "claims": claims})
    else:
        rows = [(name, value) for part in (header, claims) for name, value in part.items()]
        output.table(("member", "value"), rows, title="what the token says" + (", unverified" if reason else ""))
        output.line("it is accepted" if reason is None else f"it is refused: {reason}")
    return ExitCode.DONE if reason is None else ExitCode.NO


def run_revoke(arguments: Namespace, output: Output) -> ExitCode:
    """Add to the list of what is refused."""
    state = ConfigLoader().state_directory(arguments.state)
    policy = PolicyLoader().load(arguments.policy)
    now = int(time.time())
    latest = now + MOST_LIFETIME_SECONDS + MOST_LEEWAY_SECONDS
    before = FOR_GOOD if arguments.for_good else now
    entry: dict[str, Any]
    if arguments.certificate is not None:
        entry = {"certificate": _certificate(arguments.certificate).key_digest}
    elif arguments.id is not None:
        entry = {"issuer": _issuer(policy, arguments.issuer).rules.issuer, "token": arguments.id, "until": latest}
    elif arguments.subject is not None or arguments.client_id is not None:
        name = "client_id" if arguments.subject is None else "subject"
        entry = {"issuer": _issuer(policy, arguments.issuer).rules.issuer, name: getattr(arguments, name)}
        entry["before"] = before
    elif arguments.all:
        entry = {"issuer": _issuer(policy, arguments.issuer).rules.issuer, "before": before}
    else:
        _, claims = _unverified(_read(arguments.file))
        if not all(isinstance(claims.get(name), str) for name in ("iss", "jti")):
            raise ConfigurationError("this token has no issuer and id by which it could be revoked")
        if claims["iss"] not in {each.rules.issuer for each in policy.issuers.values()}:
            raise ConfigurationError("this token is of no issuer of the policy, so it is refused already")
        entry = {"issuer": claims["iss"], "token": claims["jti"], "until": latest}
    kind = "revoke.token" if arguments.certificate is None else "revoke.cert"
    record_action(state, kind, {"jti" if name == "token" else name: entry[name] for name in entry})
    try:
        RevocationFile(state / REVOCATION_FILE).add(entry, now=now)
    except OSError as error:
        raise ConfigurationError(
            f"the list cannot be written: {error.strerror}", source=str(state / REVOCATION_FILE)
        ) from error
    if output.as_json:
        output.data({"revoked": entry})
    else:
        output.line("revoked; a server that runs refuses it within a second")
    return ExitCode.DONE


def _add_place(parser: ArgumentParser) -> None:
    parser.add_argument("--policy", required=True, metavar="FILE", help="the policy file that names the issuer")
    parser.add_argument("--issuer", metavar="NAME", help="which issuer of the policy, where it has several")
    parser.add_argument("--state", metavar="DIR", help="the server's state directory")


def _add_file(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--file", default="-", metavar="FILE", help="where the token is read from (default: standard input)"
    )


def _read(file: str) -> str:
    """Return the token of a file; never of the command line, which everybody on the machine can read."""
    try:
        if file == "-":
            text = sys.stdin.read(MAX_TOKEN_BYTES + 2)
        else:
            with Path(file).open(encoding="utf-8") as opened:
                text = opened.read(MAX_TOKEN_BYTES + 2)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("the token cannot be read", source=file) from error
    return text.strip()


def _unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        jws = CompactJWS.parse(text, max_bytes=MAX_TOKEN_BYTES)
        return jws.header, read_object(jws.payload)
    except ValueError as error:
        raise ConfigurationError(f"this is no token: {error}") from error


def _issuer(policy: Policy, name: str | None) -> IssuerConfig:
    if name is None and len(policy.issuers) == 1:
        return next(iter(policy.issuers.values()))
    if name is None or name not in policy.issuers:
        known = ", ".join(policy.issuers) or "none"
        raise ConfigurationError(f"say which issuer with --issuer; the policy has {known}")
    return policy.issuers[name]


def _way_to(policy: Policy, client: str, name: str | None) -> tuple[IssuerConfig, frozenset[tuple[str, str]]]:
    """Return the local issuer whose tokens lead to a client, and what they must say."""
    profile = policy.clients.get(client)
    if profile is None:
        raise ConfigurationError(f"the policy names no client {client!r}; it names {', '.join(policy.clients)}")
    local = {each.rules.issuer: each for each in policy.issuers.values() if each.is_local}
    for match in profile.matches:
        facts = match.demands.get(EvidenceKind.JWT, frozenset())
        config = local.get(dict(facts).get("issuer", ""))
        if config is not None and name in (None, config.rules.name):
            return config, facts
    raise ConfigurationError(
        f"no token of an issuer of this machine leads to client {client!r}; write in the policy: [issuer.NAME] with "
        f'local_keys = true, and [[client.{client}.match]] with jwt = {{ issuer = "NAME", subject = "{client}" }}'
    )


def _certificate(file: str) -> ClientCertificate:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        certificate = x509.load_pem_x509_certificate(Path(file).read_bytes())
        return ClientCertificate.parse(certificate.public_bytes(Encoding.DER))
    except (OSError, ValueError) as error:
        raise ConfigurationError("is no certificate in PEM", source=file) from error
