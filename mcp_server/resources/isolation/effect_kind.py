"""What a run did to one name."""

from __future__ import annotations

from enum import StrEnum


class EffectKind(StrEnum):
    """What became of a file or directory; what is refused stays in quarantine and never reaches the folder.

    >>> EffectKind("created")
    <EffectKind.CREATED: 'created'>
    """

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    REFUSED = "refused"
