"""What stands in the place of a message that was refused."""

from __future__ import annotations

from typing import NamedTuple


class InvalidMessage(NamedTuple):
    """A frame, or an element of a batch, that is no message; it is answered with an error, and the connection lives on.

    Args:
        code: The JSON-RPC error code of the answer.
        message: What was wrong, fit for the sender.
        id: The sender's id where it could be read without doubt, else None, which goes out as null.

    >>> InvalidMessage(-32700, "not JSON", None).id is None
    True
    """

    code: int
    message: str
    id: str | int | None
