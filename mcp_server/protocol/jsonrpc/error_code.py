"""The numbers that go into `error.code`."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """Every JSON-RPC error code this library knows, in three groups.

    The first group is JSON-RPC's own, the second belongs to the Model Context Protocol, and the third is this
    library's: it lies outside -32768..-32000, because the specification reserves that range and forbids undefined codes
    in it.

    Source: JSON-RPC 2.0, section 5.1; MCP 2026-07-28, basic, "Error codes".

    >>> ErrorCode.METHOD_NOT_FOUND.value
    -32601
    >>> ErrorCode(4030).name
    'FORBIDDEN'
    """

    PARSE_ERROR = -32700
    """The text is not JSON."""
    INVALID_REQUEST = -32600
    """The text is JSON, but not a message; or a batch where none is allowed."""
    METHOD_NOT_FOUND = -32601
    """Unknown in this revision, or not declared by this server."""
    INVALID_PARAMS = -32602
    """Bad parameters; unknown tool or prompt; bad cursor; 2026-07-28: an incomplete `_meta`, a missing resource."""
    INTERNAL_ERROR = -32603
    """A fault of the server."""

    RESOURCE_NOT_FOUND = -32002
    """Handshake revisions only; 2026-07-28 forbids it."""
    URL_ELICITATION_REQUIRED = -32042
    """2025-11-25 only; 2026-07-28 forbids it."""
    HEADER_MISMATCH = -32020
    """2026-07-28: a header is missing, malformed, or says something else than the body."""
    MISSING_CLIENT_CAPABILITY = -32021
    """2026-07-28: the client did not declare what the request needs."""
    UNSUPPORTED_PROTOCOL_VERSION = -32022
    """2026-07-28: the request names a revision that is not served."""

    UNAUTHENTICATED = 4010
    """Nobody we know is calling."""
    FORBIDDEN = 4030
    """The caller may not do this."""
    CONSENT_REQUIRED = 4031
    """A human has to agree first."""
    SANDBOX_REFUSED = 4032
    """The call tried to leave its sandbox."""
    SIGNATURE_OR_REPLAY = 4091
    """A signature does not match, or the message was seen before."""
    LIMIT_EXCEEDED = 4290
    """Smaller, slower or later."""
    AUDIT_UNAVAILABLE = 5030
    """Evidence cannot be written, so nothing is done."""
    RESOURCE_UNAVAILABLE = 5031
    """Allowed, but missing, busy or of the wrong kind."""
