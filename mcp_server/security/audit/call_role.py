"""What a record means for the pairing of intents and outcomes."""

from __future__ import annotations

from enum import StrEnum


class CallRole(StrEnum):
    """Whether a kind of record opens a call, closes it, or has nothing to do with calls.

    >>> CallRole.INTENT.value
    'intent'
    """

    INTENT = "intent"
    OUTCOME = "outcome"
    NONE = "none"
