"""What is checked of a text before and after it is parsed, so that a parsed value can be believed.

Parsers agree on the grammar and differ on what the grammar leaves open: names given twice, numbers that do not fit,
nesting without end. Two readers that differ there can be made to see two messages in one text, so all of it is refused.

Before parsing: size, depth and members. For a short text, counts that cannot be too low are enough, nearly always;
otherwise the text outside its strings is looked at exactly.

After parsing, in one walk over the value: numbers that overflowed to infinity, integers too wide, names given twice.
No fast parser tells of those, but outside strings a colon stands after a name and nowhere else. So the colons of the
text are never fewer than its names; when they are as many as the members of the parsed value, none was lost. When they
are more, some stand in strings (a path, a time) or a name was lost: then the colons outside strings are counted, and
they decide.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic_core import from_json

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.envelope import MAX_INTEGER_ID
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.message_limits import KIBIBYTES, MessageLimits

SHORT_BYTES: Final = 2 * KIBIBYTES
"""Up to here counting over the whole text is cheaper than taking its strings out."""

SCAN_BYTES: Final = 64 * KIBIBYTES
"""Strings are taken out piece by piece, so that never more than one piece's worth of small objects is held."""

FEW_STRINGS: Final = 256
"""Up to here strings are jumped over one by one, a loop in Python whose price is bounded by this number."""

RECOVERY_BYTES: Final = 8 * KIBIBYTES
"""How far into a refused text an id is looked for: the search is a loop in Python and its price must be bounded."""

PARSE_ERROR: Final = int(ErrorCode.PARSE_ERROR)
INVALID_REQUEST: Final = int(ErrorCode.INVALID_REQUEST)

_MAX_PARSER_MESSAGE: Final = 120

_OPENING: Final = b"{["
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
# The possessive quantifiers (`*+`) keep no way back, and the end of the text closes a string: linear on any input.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
_INTEGER: Final = re.compile(rb"-?(?:0|[1-9][0-9]{0,18})")


def outside_strings(data: bytes) -> bytes:
    r"""Return the text without its strings.

    Where the text is not JSON this may take a string for none; but up to the first mistake it sees what the parser
    sees, and the parser does not go further.

    >>> outside_strings(rb'{"a:\\":["\"]}",1]}')
    b'{:[,1]}'
    """
    if b"\\" in data:
        # First the escaped backslashes, from the left, so that what is left before a quote does escape it.
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    if len(data) <= SCAN_BYTES:
        return b"".join(data.split(b'"')[::2])
    few = _outside_few_strings(data)
    if few is not None:
        return few
    outside: list[bytes] = []
    inside = 0
    for start in range(0, len(data), SCAN_BYTES):
        pieces = data[start : start + SCAN_BYTES].split(b'"')
        outside.append(b"".join(pieces[inside::2]))
        inside ^= 1 - len(pieces) % 2
    return b"".join(outside)


def _outside_few_strings(data: bytes) -> bytes | None:
    """Return the same by jumping from quote to quote, quick where strings are long; None where there are many."""
    outside: list[bytes] = []
    start = 0
    find = data.find
    for _ in range(FEW_STRINGS):
        opening = find(b'"', start)
        if opening < 0:
            outside.append(data[start:])
            return b"".join(outside)
        outside.append(data[start:opening])
        closing = find(b'"', opening + 1)
        if closing < 0:
            return b"".join(outside)
        start = closing + 1
    return None


def parse(data: bytes, limits: MessageLimits) -> Any:
    """Return the JSON value of a text, with everything refused in which two readers could differ.

    Raises:
        ProtocolError: -32700, the text is not JSON in UTF-8; -32600, it passes a limit, names a member twice or holds a
            number that does not fit.

    >>> parse(b'{"a":1,"a":2}', MessageLimits())
    Traceback (most recent call last):
    ...
    mcp_server.errors.protocol_error.ProtocolError: the message names a member twice in one object
    """
    size = len(data)
    outside: bytes | None = None
    if size > SHORT_BYTES or size > limits.max_members or data.count(b"{") + data.count(b"[") > limits.max_depth:
        outside = _refuse_large(data, limits)
    try:
        value = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise ProtocolError(PARSE_ERROR, f"not JSON: {str(error)[:_MAX_PARSER_MESSAGE]}") from None
    names = _count_names(value, 1 << limits.max_integer_bits)
    if outside is None:
        if data.count(b":") == names:
            return value
        outside = outside_strings(data)
    if outside.count(b":") != names:
        raise ProtocolError(INVALID_REQUEST, "the message names a member twice in one object")
    return value


def _refuse_large(data: bytes, limits: MessageLimits) -> bytes:
    """Check size, depth and members of a text that may pass a limit; return what is outside its strings.

    Raises:
        ProtocolError: -32600; the text is too long, too deep or holds too many members.
    """
    size = len(data)
    if size > limits.max_message_bytes:
        raise ProtocolError(INVALID_REQUEST, f"the message is longer than {limits.max_message_bytes} bytes")
    outside = outside_strings(data)
    openings = outside.count(b"{") + outside.count(b"[")
    # A comma separates two members; the first member of a container has none before it, and an empty container counts
    # for one, because it costs memory too.
    if outside.count(b",") + openings > limits.max_members:
        raise ProtocolError(INVALID_REQUEST, f"the message holds more than {limits.max_members} members")
    if openings > limits.max_depth and _deepest(outside, limits.max_depth) > limits.max_depth:
        raise ProtocolError(INVALID_REQUEST, f"the message is nested deeper than {limits.max_depth} levels")
    return outside


def _deepest(outside: bytes, enough: int) -> int:
    """Return the deepest level, or the first one past `enough`."""
    depth = deepest = 0
    for byte in outside.translate(None, _NOT_BRACKETS):
        if byte in _OPENING:
            depth += 1
            if depth > deepest:
                deepest = depth
                if deepest > enough:
                    break
        else:
            depth -= 1
    return deepest


def _count_names(value: Any, bound: int) -> int:
    """Return the number of members of all objects in the value, and refuse numbers that do not fit.

    Recurses once a level; depth was bounded before.
    """
    total = 0
    if type(value) is dict:
        total = len(value)
        value = value.values()
    elif type(value) is not list:
        value = (value,)
    for child in value:
        kind = type(child)
        if kind is str:
            continue
        if kind is dict or kind is list:
            if child:
                total += _count_names(child, bound)
        elif kind is int:
            if not -bound < child < bound:
                raise ProtocolError(INVALID_REQUEST, "the message holds an integer that is too wide; send it as text")
        elif kind is float and child - child != 0.0:
            # A number such as 1e999 is JSON, and infinite in every reader.
            raise ProtocolError(INVALID_REQUEST, "the message holds a number that is too large")
    return total


def recover_id(head: bytes, limits: MessageLimits) -> str | int | None:
    """Find the id of a message that was refused before it was parsed, or whose text is broken.

    Only the outermost object's `id` counts, only when it is whole, and only when it occurs once in what is looked at:
    better no id than somebody else's.

    Args:
        head: The text, or its beginning.
        limits: For the longest id.

    >>> recover_id(b'{"jsonrpc":"2.0","id":7,"method":"x","params":{"id":8},,', MessageLimits())
    7
    """
    head = head[:RECOVERY_BYTES]
    depth = 0
    previous = before_previous = b""
    ids: list[bytes] = []
    for match in _TOKEN.finditer(head):
        token = match.group()
        if depth == 0 and token != b"{":
            break  # No object.
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                break  # Its end.
        elif depth == 1 and previous == b":" and before_previous == b'"id"':
            if match.end() == len(head):
                break  # It may have been cut off in the middle.
            ids.append(token)
        before_previous, previous = previous, token
    return _id_of_token(ids[0], limits) if len(ids) == 1 else None


def _id_of_token(token: bytes, limits: MessageLimits) -> str | int | None:
    if _INTEGER.fullmatch(token):
        number = int(token)
        return number if -MAX_INTEGER_ID <= number <= MAX_INTEGER_ID else None
    # Six bytes an UTF-16 unit and two units a character are the longest escape of one character.
    if token[:1] != b'"' or len(token) > 12 * limits.max_id_length + 2:
        return None
    try:
        text = from_json(token)
    except ValueError:
        return None
    return text if type(text) is str and len(text) <= limits.max_id_length else None
