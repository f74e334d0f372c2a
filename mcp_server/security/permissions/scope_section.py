"""What a policy file says in `[scope.NAME]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.narrowing import MAX_NARROWING_RULES
from mcp_server.security.permissions.policy_section import PolicySection
from mcp_server.security.permissions.rule_compiler import check_rule

# The characters of a scope token in RFC 6749, section 3.3, which has neither blanks nor quotes.
_SCOPE_NAME: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,64}", re.ASCII)


def read_scopes(sections: Mapping[str, PolicySection]) -> dict[str, tuple[str, ...]]:
    """Return the rules of each scope, as they were written: what they cover depends on the client that has the token.

    Raises:
        ConfigurationError: Something of them is not understood; with the line.
    """
    return {name: _scope(name, section) for name, section in sections.items()}


def _scope(name: str, section: PolicySection) -> tuple[str, ...]:
    section.check_keys(("allow",))
    if not _SCOPE_NAME.fullmatch(name):
        raise section.error(f"the scope name {name!r} must have 1 to 64 printable ASCII characters, no blank, no quote")
    if "allow" not in section:
        raise section.error(f"{section.name} must say what it covers, in 'allow'; 'allow = []' covers nothing")
    texts = section.texts("allow")
    if len(texts) > MAX_NARROWING_RULES:
        raise section.error(f"{section.name} has more than {MAX_NARROWING_RULES} rules", "allow")
    for at, text in enumerate(texts):
        try:
            check_rule(text)
        except ConfigurationError as error:
            raise section.error(error.message, "allow", at) from error
    return tuple(texts)
