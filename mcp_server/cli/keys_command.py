"""`mcp-server keys generate`, `mcp-server keys rotate` and `mcp-server keys list`."""

from __future__ import annotations

import re
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, Final

from mcp_server.cli.admin_records import record_action
from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output
from mcp_server.core.config_loader import ConfigLoader
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.tokens.signing_key_store import KEYS_DIRECTORY, SigningKeyStore

# The name of a directory too.
_ISSUER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser("keys", help="make, replace and list the keys that sign tokens on this machine")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="generate|rotate|list")
    generate = verbs.add_parser("generate", help="make the first key of an issuer")
    _add_place(generate)
    generate.set_defaults(run=run_generate)
    rotate = verbs.add_parser("rotate", help="replace the key that signs; the old one verifies until its tokens end")
    _add_place(rotate)
    rotate.add_argument(
        "--compromised",
        action="store_true",
        help="somebody else may have seen the key: replace it at once, and refuse all its tokens",
    )
    rotate.set_defaults(run=run_rotate)
    shown = verbs.add_parser("list", help="list the keys that verify tokens of an issuer")
    _add_place(shown)
    shown.set_defaults(run=run_list)


def run_generate(arguments: Namespace, output: Output) -> ExitCode:
    """Make the first key."""
    state = ConfigLoader().state_directory(arguments.state)
    store = key_store(state, arguments.issuer)
    record_action(state, "key.next", {"issuer": arguments.issuer, "reason": "first"})
    return _tell(output, arguments.issuer, store.generate(), "made")


def run_rotate(arguments: Namespace, output: Output) -> ExitCode:
    """Replace the key."""
    state = ConfigLoader().state_directory(arguments.state)
    store = key_store(state, arguments.issuer)
    reason = "compromised" if arguments.compromised else "rotated"
    record_action(state, "key.next", {"issuer": arguments.issuer, "reason": reason})
    return _tell(output, arguments.issuer, store.rotate(is_compromised=arguments.compromised), reason)


def run_list(arguments: Namespace, output: Output) -> ExitCode:
    """List the keys; the private one is not shown anywhere."""
    keys = key_store(ConfigLoader().state_directory(arguments.state), arguments.issuer).published()
    columns = ("key", "algorithm", "made", "replaced")
    rows = [(each.key_id, each.jwk["alg"], _moment(each.created_at), _moment(each.replaced_at)) for each in keys]
    output.table(columns, rows, title=None if output.as_json else f"keys of issuer {arguments.issuer}")
    return ExitCode.DONE


def key_store(state: Path, issuer: str) -> SigningKeyStore:
    """Return the store of an issuer's keys.

    Raises:
        ConfigurationError: The name is none.
    """
    if not _ISSUER_NAME.fullmatch(issuer):
        raise ConfigurationError(
            f"{issuer!r} is no issuer's name: up to 64 letters, digits, '_', '-' or '.', a letter or digit first"
        )
    return SigningKeyStore(state / KEYS_DIRECTORY / issuer, clock=time.time, wait=time.sleep)


def _add_place(parser: ArgumentParser) -> None:
    parser.add_argument("issuer", metavar="ISSUER", help="the issuer's name in the policy: [issuer.ISSUER]")
    parser.add_argument("--state", metavar="DIR", help="the server's state directory")


def _tell(output: Output, issuer: str, key_id: str, what: str) -> ExitCode:
    if output.as_json:
        output.data({"issuer": issuer, "key": key_id, "what": what})
    else:
        output.line(f"issuer {issuer}: tokens are signed with key {key_id} from now on")
    return ExitCode.DONE


def _moment(seconds: int | None) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
