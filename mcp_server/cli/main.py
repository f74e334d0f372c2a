"""The command line."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Final

from mcp_server.errors.mcp_server_error import MCPServerError

COMMANDS: Final = ("serve", "demo", "tools", "lock", "call", "policy", "audit", "token", "keys", "doctor", "version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, see `ExitCode`.

    Args:
        argv: The arguments, without the program's name.
    """
    # Nothing that an import makes is garbage; looking for some takes a twentieth of the start. `serve` switches the
    # collector on again when it is ready, every other command here.
    gc.disable()
    from mcp_server.cli.exit_code import ExitCode
    from mcp_server.cli.output import Output

    given = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser(given).parse_args(given)
    output = Output(as_json=arguments.json)
    if arguments.command != "serve":
        gc.enable()
    try:
        status = int(arguments.run(arguments, output))
        # Here and not at the interpreter's end, where a reader that has left would change the exit status.
        sys.stdout.flush()
        return status
    except MCPServerError as error:
        output.error(str(error))
        return ExitCode.USAGE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough, as in `mcp-server tools | head`.
        with suppress(OSError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stdout.fileno())
            os.close(null)
        return ExitCode.DONE
    finally:
        gc.enable()


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the named command's file is imported, for `serve` must start quickly."""
    parser = argparse.ArgumentParser(
        prog="mcp-server",
        description="Let AI clients act on this computer safely: authenticate, permit, sandbox, execute, audit.",
        epilog="exit status: 0 done, 1 the answer is no, 2 wrong use, 3 cannot be done here, 4 interrupted",
    )
    parser.add_argument("--json", action="store_true", default=False, help="print JSON")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    named = next((each for each in given if not each.startswith("-")), None)
    for name in COMMANDS if named not in COMMANDS else (named,):
        import_module(f"mcp_server.cli.{name}_command").add_parser(commands)
    for command in _all_parsers(commands):
        command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    return parser


def _all_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[argparse.ArgumentParser]:
    """Return the parsers of all commands without commands of their own, so that options may stand at the end."""
    found: list[argparse.ArgumentParser] = []
    for parser in commands.choices.values():
        nested = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        found += [leaf for each in nested for leaf in _all_parsers(each)] if nested else [parser]
    return found
