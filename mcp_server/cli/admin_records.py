"""What an operator does by the command line, on record before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mcp_server.core.constants import MAX_AUDIT_STREAMS
from mcp_server.errors.already_locked_error import AlreadyLockedError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit_logger import AuditLogger

ADMIN_STREAM: Final = "_admin"
"""The log of what operators do; no client can have this name."""


def record_action(state: Path, kind: str, fields: Mapping[str, Any]) -> None:
    """Put an action on record, in the log of operators; when this returns, it may be done.

    Args:
        state: The state directory.
        kind: The record's kind.
        fields: Its fields, without secrets.

    Raises:
        ConfigurationError: The log cannot be opened, so the action must not be done.
        AuditUnavailableError: The record was not written, so neither.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the state directory cannot be made ({error.strerror}); choose another with --state", source=str(state)
        ) from error
    for number in range(MAX_AUDIT_STREAMS):
        stream = ADMIN_STREAM if number == 0 else f"{ADMIN_STREAM}.{number + 1}"
        log = AuditLogger(directory=state / "audit" / stream, stream=stream)
        try:
            log.open()
        except AlreadyLockedError:
            # Another command is at it.
            continue
        try:
            log.append(kind, fields)
        finally:
            log.close()
        return
    raise ConfigurationError("too many commands are running at once; try again", source=str(state))
