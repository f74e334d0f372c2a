"""Where a message holds its signature, and what the signature is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp_server.security.audit.canonical_json import canonical_json

SIGNATURE_MEMBER: Final = "dev.mcpserver/sig"
"""The member of `_meta` that holds the signature."""

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES
MAX_MESSAGE_BYTES: Final = 4 * MEBIBYTES
"""The same as a message may have on any transport."""
MAX_ELEMENTS: Final = 50_000
"""Members and items of one signed message: sorting them is work that a stranger can ask for."""

_META: Final = "_meta"


def signature_of(message: Mapping[str, Any], member: str = SIGNATURE_MEMBER) -> str | None:
    """Return the signature that a message holds, None when it holds none.

    Raises:
        ValueError: The place for it is no object, or it is no text: whoever sends that tries something.

    >>> signature_of({"method": "ping", "params": {"_meta": {"dev.mcpserver/sig": "a..b"}}})
    'a..b'
    """
    meta = _meta_of(message)
    if meta is None or member not in meta:
        return None
    signature = meta[member]
    if not isinstance(signature, str):
        raise ValueError("the signature is no text")
    return signature


def signed_part(message: Mapping[str, Any], member: str = SIGNATURE_MEMBER) -> dict[str, Any]:
    """Return the message without its signature, and nothing else touched; the message itself stays as it is.

    A message without a place for a signature gets one, empty: that is what is signed.

    Raises:
        ValueError: The place for the signature is no object.

    >>> signed_part({"method": "ping"})
    {'method': 'ping', 'params': {'_meta': {}}}
    """
    _meta_of(message)
    return _with_meta(message, lambda meta: {name: value for name, value in meta.items() if name != member})


def with_signature(message: Mapping[str, Any], signature: str, member: str = SIGNATURE_MEMBER) -> dict[str, Any]:
    """Return the message with a signature in its place.

    Raises:
        ValueError: The place for the signature is no object.
    """
    _meta_of(message)
    return _with_meta(message, lambda meta: {**meta, member: signature})


def canonical_bytes(message: Mapping[str, Any]) -> bytes:
    """Return the bytes that a signature is over.

    Raises:
        ValueError: The message has no canonical form (an integer beyond 2^53-1, NaN, a surrogate by itself), or is too
            large or too deep to be given one.

    Source: RFC 8785.
    """
    _check_size(message)
    data = canonical_json(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise ValueError("the message is too large to be signed")
    return data


def _check_size(message: Any) -> None:
    """Count elements, without descending in Python's own stack."""
    left = MAX_ELEMENTS
    pending: list[Any] = [message]
    while pending:
        each = pending.pop()
        if isinstance(each, Mapping):
            left -= len(each)
            pending.extend(each.values())
        elif isinstance(each, list | tuple):
            left -= len(each)
            pending.extend(each)
        if left < 0:
            raise ValueError("the message has too many elements to be signed")


def _path(message: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where the holder of `_meta` is: a request's or notification's params, a result, or an error's data."""
    if "method" in message:
        return ("params",)
    return ("error", "data") if "error" in message else ("result",)


def _meta_of(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    holder: Any = message
    for name in (*_path(message), _META):
        if name not in holder:
            return None
        holder = holder[name]
        if not isinstance(holder, Mapping):
            raise ValueError("the place for a signature is no object")
    return holder  # type: ignore[no-any-return] # a Mapping, as was just checked


def _with_meta(message: Mapping[str, Any], change: Any) -> dict[str, Any]:
    path = _path(message)
    copied = dict(message)
    holder = copied
    for name in path:
        holder[name] = dict(holder.get(name, {}))
        holder = holder[name]
    holder[_META] = change(holder.get(_META, {}))
    return copied
