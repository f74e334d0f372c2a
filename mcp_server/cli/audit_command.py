"""`mcp-server audit verify` and `mcp-server audit tail`."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, Final

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output
from mcp_server.core.config_loader import ConfigLoader
from mcp_server.core.constants import DEFAULT_CLIENT
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.record_filter import RecordFilter
from mcp_server.security.audit.record_formatter import RecordFormatter

FOLLOW_SECONDS: Final = 0.2
"""How often a followed log is looked at."""


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser("audit", help="read the audit log, or verify that it was not altered")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verify|tail")
    verify = verbs.add_parser(
        "verify", help="check the chain of hashes; the exit status tells whether the log is intact"
    )
    _add_place(verify)
    verify.add_argument(
        "--deep", action="store_true", help="check every record's form and the pairing of calls as well"
    )
    verify.set_defaults(run=run_verify)
    tail = verbs.add_parser("tail", help="show the last records")
    _add_place(tail)
    tail.add_argument("-n", "--lines", type=int, default=20, metavar="N", help="how many (default: %(default)s)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on showing records as they are written")
    tail.add_argument("--kind", metavar="KIND", help="only this kind, such as call.denied, or all of call")
    tail.add_argument("--tool", metavar="TOOL", help="only this tool")
    tail.set_defaults(run=run_tail)


def run_verify(arguments: Namespace, output: Output) -> ExitCode:
    """Verify the log."""
    directory = _directory(arguments)
    verdict = AuditVerifier().verify(directory, deep=arguments.deep)
    if output.as_json:
        output.data(
            {
                "state": verdict.state,
                "records": verdict.records,
                "segments": verdict.segments,
                "beyond_head": verdict.beyond_head,
                "open_calls": verdict.open_calls,
                "seq": verdict.seq,
                "segment": verdict.segment,
                "line": verdict.line,
                "reason": verdict.reason,
            }
        )
    elif verdict.is_intact:
        output.line(f"intact: {verdict.records} records in {verdict.segments} segments")
    else:
        place = "" if verdict.line is None else f" (segment {verdict.segment}, line {verdict.line})"
        output.line(f"{verdict.state.value} at record {verdict.seq}{place}: {verdict.reason}")
    return ExitCode.DONE if verdict.is_intact else ExitCode.NO


def run_tail(arguments: Namespace, output: Output) -> ExitCode:
    """Show the last records, and further ones as they come."""
    reader = AuditReader(_directory(arguments))
    wanted = RecordFilter(kind=arguments.kind, tool=arguments.tool)
    formatter = RecordFormatter()

    def show(record: dict[str, Any]) -> None:
        if output.as_json:
            output.data(record)
        else:
            output.line(formatter.format(record))

    last = reader.tail(max(arguments.lines, 0), wanted)
    for record in last:
        show(record)
    if arguments.follow:
        after = last[-1].get("seq") if last else None
        for record in reader.follow(_wait, wanted, after_seq=after):
            show(record)
            sys.stdout.flush()
    return ExitCode.DONE


def _add_place(parser: ArgumentParser) -> None:
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", help="the log's directory (default: the client's, in --state)"
    )
    parser.add_argument("--state", metavar="DIR", help="the server's state directory")
    parser.add_argument("--client", default=DEFAULT_CLIENT, metavar="NAME", help="whose log (default: %(default)s)")


def _directory(arguments: Namespace) -> Path:
    directory = (
        Path(arguments.directory)
        if arguments.directory
        else ConfigLoader().state_directory(arguments.state) / "audit" / arguments.client
    )
    if not directory.is_dir():
        raise ConfigurationError(
            "there is no audit log here; name its directory, or --state and --client", source=str(directory)
        )
    return directory


def _wait() -> bool:
    time.sleep(FOLLOW_SECONDS)
    return True
