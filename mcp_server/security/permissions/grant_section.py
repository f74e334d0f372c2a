"""What a policy file says in `[[client.NAME.grant]]`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_limits import MAX_USES, GrantLimits, shown_time
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_section import PolicySection

# Each is looked at by itself where no list decides; a hundred passing exceptions are a policy of their own.
MAX_GRANTS: Final = 256
# The last day that a date can be written for in every zone: 9999-12-31T00:00:00Z.
LATEST_SECONDS: Final = 253_402_214_400
_KEYS: Final = ("allow", "ask", "not_before", "expires", "max_uses")


def read_grants(
    sections: list[PolicySection],
    *,
    client: str,
    seen: dict[Any, str],
    compile_rule: Callable[..., PolicyRule],
) -> tuple[PolicyRule, ...]:
    """Return the limited grants of a client, in the order in which they were written.

    Args:
        sections: The tables.
        client: The client's name.
        seen: The rules of its lists, by what they are about, with their ids; grants are added.
        compile_rule: Makes a rule of a text.

    Raises:
        ConfigurationError: Something of them is not understood, or limits nothing.
    """
    if len(sections) > MAX_GRANTS:
        raise sections[0].error(f"client {client!r} has more than {MAX_GRANTS} grants; write rules in its lists")
    return tuple(_grant(at, section, client, seen, compile_rule) for at, section in enumerate(sections))


def _grant(
    at: int, section: PolicySection, client: str, seen: dict[Any, str], compile_rule: Callable[..., PolicyRule]
) -> PolicyRule:
    if "deny" in section:
        raise section.error("a denial has no end; write it in the client's 'deny', and let the grant end", "deny")
    section.check_keys(_KEYS)
    if ("allow" in section) is ("ask" in section):
        raise section.error(f"{section.name} must have one of 'allow' and 'ask', with one rule")
    key = "allow" if "allow" in section else "ask"
    text = section.string(key)
    rule_id = f"{client}.grant[{at}]"
    try:
        rule = compile_rule(rule_id, Effect(key), text, line=section.line_of(key))
    except ConfigurationError as error:
        raise section.error(error.message, key) from error
    about = (rule.types, tuple(pattern.canonical for pattern in rule.patterns))
    limits = _limits(section, client, rule, about)
    if about in seen:
        raise section.error(
            f"{text!r} is written without a limit as {seen[about]}, so that this grant says nothing", key
        )
    if (about, key, limits.key) in seen:
        raise section.error(f"{text!r} is granted twice, first as {seen[about, key, limits.key]}", key)
    seen[about, key, limits.key] = rule_id
    return rule.limited(limits)


def _limits(section: PolicySection, client: str, rule: PolicyRule, about: Any) -> GrantLimits:
    not_before, expires = (_time(section, key) for key in ("not_before", "expires"))
    max_uses: int | None = None
    if "max_uses" in section:
        max_uses = int(section.number("max_uses", 1, least=1, most=MAX_USES))
    if not_before is None and expires is None and max_uses is None:
        raise section.error(
            f"{section.name} has no limit: write 'expires', 'not_before' or 'max_uses', or the rule in a list"
        )
    if not_before is not None and expires is not None and expires <= not_before:
        raise section.error(f"the grant can never hold: it ends at {shown_time(expires)}, before it begins", "expires")
    # On first use: most policies limit nothing.
    import json
    from hashlib import sha256

    # Without `max_uses`: whoever raises the number adds to what is left, and does not begin anew.
    identity = [client, rule.effect, rule.types, about[1], not_before, expires]
    canonical = json.dumps(identity, separators=(",", ":"), ensure_ascii=True)
    return GrantLimits(sha256(canonical.encode("ascii")).hexdigest(), not_before, expires, max_uses)


def _time(section: PolicySection, key: str) -> float | None:
    value = section.value(key)
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise section.error(
            f"{key!r} in {section.name} must be a date and time with its zone, such as 2030-01-31T18:00:00Z", key
        )
    seconds = value.timestamp()
    if not 0 <= seconds <= LATEST_SECONDS:
        raise section.error(f"{key!r} in {section.name} must lie between the years 1970 and 9999", key)
    return seconds
