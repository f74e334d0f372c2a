"""From a file of expectations to values, or to an error with its line."""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_section import LATEST_SECONDS
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_expectation import PolicyExpectation
from mcp_server.security.permissions.policy_section import PolicySection
from mcp_server.security.permissions.toml_line_locator import TomlLineLocator

# As much as a policy may have: what is longer is no list that somebody wrote.
MAX_EXPECTATION_BYTES: Final = 1024 * 1024


def read_expectations(text: str, *, source: str) -> tuple[str | None, tuple[PolicyExpectation, ...]]:
    """Return the name of the policy that a file of expectations is about, None when it names none, and what it expects.

    Args:
        text: TOML.
        source: Its name in messages.

    Raises:
        ConfigurationError: It cannot be understood, or expects nothing; with source and line.

    >>> policy, expected = read_expectations('''
    ... [[expect]]
    ... client = "ada"
    ... type = "FILE_READ"
    ... resource = "plan.md"
    ... effect = "allow"
    ... ''', source="desk.test.toml")
    >>> policy, expected[0].effect, expected[0].line
    (None, <Effect.ALLOW: 'allow'>, 2)
    """
    if len(text) > MAX_EXPECTATION_BYTES:
        raise ConfigurationError(f"is larger than {MAX_EXPECTATION_BYTES} bytes", source=source)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"is no TOML: {error}", source=source) from error
    document = PolicySection(table, path=(), source=source, locator=TomlLineLocator(text))
    document.check_keys(("policy", "expect"))
    found = tuple(_expectation(section) for section in document.tables("expect"))
    if not found:
        raise document.error("expects nothing; write [[expect]] with client, type, resource and effect")
    return document.string("policy") if "policy" in document else None, found


def _expectation(section: PolicySection) -> PolicyExpectation:
    section.check_keys(("client", "type", "resource", "effect", "at"))
    try:
        kind = PermissionType(section.string("type"))
    except ConfigurationError as error:
        if "type" not in section or error.source is not None:
            raise
        raise section.error(error.message, "type") from error
    at = section.value("at")
    if at is not None and (not isinstance(at, datetime) or at.tzinfo is None):
        raise section.error("'at' must be a date and time with its zone, such as 2030-01-31T18:00:00Z", "at")
    if at is not None and not 0 <= at.timestamp() <= LATEST_SECONDS:
        raise section.error("'at' must lie between the years 1970 and 9999", "at")
    section.string("effect")
    return PolicyExpectation(
        section.string("client"),
        kind,
        section.string("resource"),
        Effect(section.text("effect", "", choices=tuple(Effect))),
        None if at is None else at.timestamp(),
        section.line_of(),
    )
