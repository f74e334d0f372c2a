"""The three answers a policy can give."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What a rule says of a resource; deny beats ask beats allow, and silence is deny.

    >>> Effect("ask") is Effect.ASK
    True
    """

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"
