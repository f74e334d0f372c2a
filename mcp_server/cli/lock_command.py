"""`mcp-server lock`."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import suppress
from pathlib import Path
from typing import Any

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.options import add_server_options, make_server
from mcp_server.cli.output import Output
from mcp_server.core.config_loader import ConfigLoader
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.definition_drift import DefinitionDrift
from mcp_server.tools.definition_lock import DefinitionLock


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser(
        "lock",
        help="lock the definitions of the tools, or check whether they have changed",
        description="Write down what the tools are (name, description, input schema, permissions), so that a server "
        "whose policy names the file under [definitions] does not start, or says so, when one has changed.",
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing, and exit with 1 at a difference")
    parser.add_argument("--file", metavar="FILE", help="the lock file, when the policy names none or another")
    add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Write the lock, or compare with it.

    Raises:
        ConfigurationError: No file is named, it cannot be read or written, or a module cannot be imported.
    """
    server = make_server(arguments)
    rules = server.config.policy.definitions
    path = arguments.file or (None if rules is None else rules.lock)
    if path is None:
        raise ConfigurationError('say which file with --file, or name it in the policy: [definitions] lock = "..."')
    server.catalog.bind()
    lock = DefinitionLock.of(server.catalog.tools())
    before = ConfigLoader().read_lock(path) if arguments.check or os.path.exists(path) else DefinitionLock({})
    drift = before.drift(server.catalog.tools())
    if not arguments.check:
        _write(Path(path), lock.to_text())
    _tell(drift, output, count=len(lock.digests), path=path, is_written=not arguments.check)
    return ExitCode.NO if arguments.check and drift else ExitCode.DONE


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all: half a lock would refuse every start."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ConfigurationError(f"the lock cannot be written: {error.strerror}", source=str(path)) from error


def _tell(drift: DefinitionDrift, output: Output, *, count: int, path: str, is_written: bool) -> None:
    kinds = {"changed": drift.changed, "new": drift.added, "gone": drift.missing}
    if output.as_json:
        output.data(
            {"file": path, "tools": count, "written": is_written, **{name: list(each) for name, each in kinds.items()}}
        )
        return
    if drift:
        output.table(("tool", "is"), [(name, kind) for kind, names in kinds.items() for name in names])
    if is_written:
        output.line(f"{count} tools are locked in {path}")
    else:
        output.line(f"{count} tools; {drift.summary}" if drift else f"{count} tools, all of them as locked")
