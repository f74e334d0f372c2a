"""What of a call's arguments may stand in the log."""

from __future__ import annotations

import hmac
import math
from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic_core import to_json

from mcp_server.security.audit.canonical_json import MAX_SAFE_INTEGER, canonical_json, is_plain, utf16_order
from mcp_server.security.audit.secret_scanner import SecretScanner

# Together they keep a digest well below the 16 KiB of a record: what is larger is replaced by its length and digest.
_MAX_PLAIN_BYTES: Final = 4096
_MAX_MEMBERS: Final = 32
_MAX_NODES: Final = 64
_MAX_TOTAL_PLAIN_BYTES: Final = 6144
_MAX_DEPTH: Final = 8
_MAX_NAME_BYTES: Final = 64

_OMITTED: Final = "omitted"
_REMEMBERED_NAMES: Final = 1024
# No name is shown like this: longer ones begin with "hmac:".
_SECRET: Final = "secret:" + "x" * _MAX_NAME_BYTES


class ArgumentDigester:
    """Sorts the values of a call into those the log may hold and those it may only recognise.

    - What the permission is about (a path, a URL) stands plain: it is the point of the record.
    - Numbers, booleans, null and the values of enumerations stand plain; there is little to hide in them.
    - Other text becomes `{"hmac": ..., "len": bytes}` with a key of this log, so that a short value cannot be guessed
      from its hash, and a known one can still be found by whoever has the key.
    - What is named like a secret is left out, whatever it is. A secret in a plain text (a token in a URL) turns the
      text into an HMAC and says what it looked like.

    Args:
        key: The log's key, 32 random bytes.
        scanner: Recognises secrets.

    Source: `docs/reference/audit-records.md`.

    >>> digest = ArgumentDigester(bytes(32)).digest({"path": "a.txt", "text": "hello", "token": "x"}, plain=["path"])
    >>> digest["path"], digest["text"]["len"], digest["token"]
    ('a.txt', 5, {'omitted': 'name'})
    """

    def __init__(self, key: bytes, *, scanner: SecretScanner | None = None) -> None:
        keyed: Any = hmac.new(key, digestmod="sha256")
        # The object of the C library, where there is one below: the same without three calls on the way to it.
        self._keyed: hmac.HMAC = getattr(keyed, "_hmac", None) or keyed
        self._known_names: dict[str, str] = {}
        self._scanner = scanner if scanner is not None else SecretScanner()

    def hash_value(self, text: str) -> str:
        """Return the HMAC under which a text stands in the log, hexadecimal."""
        return self._hash(text.encode("utf-8", "surrogatepass"))

    def digest_json(self, arguments: Mapping[str, Any], plain: Collection[str] = ()) -> bytes:
        """Return `digest` as canonical JSON."""
        if len(arguments) == 1:
            # One text: the smallest call there is, and its form needs no general encoder.
            ((name, value),) = arguments.items()
            if type(value) is str and name.isidentifier() and name.isascii():
                shown_as = self._known_names.get(name) or self._learn(name)
                if shown_as != _SECRET:
                    if name in plain:
                        shown = self._text(value, True, [_MAX_NODES, _MAX_TOTAL_PLAIN_BYTES])
                        return b'{"%b":%b}' % (name.encode(), to_json(shown))
                    data = value.encode("utf-8", "surrogatepass")
                    keyed = self._keyed.copy()
                    keyed.update(data)
                    return b'{"%b":{"hmac":"%b","len":%d}}' % (name.encode(), keyed.hexdigest().encode(), len(data))
        digest = self.digest(arguments, plain)
        return to_json(digest) if is_plain(digest) else canonical_json(digest)

    def digest(self, arguments: Mapping[str, Any], plain: Collection[str] = ()) -> dict[str, Any]:
        """Return the form of a call's arguments that may be logged.

        Args:
            arguments: The arguments, as decoded from JSON.
            plain: Dotted paths of the values that stand plain, with everything below them: bound arguments and
                enumerations. A list's items have the path of the list.

        Returns:
            Members in canonical order; bounded in size.
        """
        names = list(arguments) if len(arguments) < 2 else sorted(arguments, key=utf16_order)
        if len(names) > _MAX_MEMBERS:
            return self._summary(arguments)
        budget: list[int] = []
        result: dict[str, Any] = {}
        for name in names:
            value = arguments[name]
            shown_as = self._known_names.get(name) or self._learn(name)
            if shown_as == _SECRET:
                result[self._safe_name(name)] = {_OMITTED: "name"}
            elif type(value) is str and name not in plain:
                data = value.encode("utf-8", "surrogatepass")
                keyed = self._keyed.copy()
                keyed.update(data)
                result[shown_as] = {"hmac": keyed.hexdigest(), "len": len(data)}
            else:
                budget = budget or [_MAX_NODES, _MAX_TOTAL_PLAIN_BYTES]
                result[shown_as] = self._value(value, name, plain, name in plain, _MAX_DEPTH, budget)
        return result

    def _value(
        self, value: Any, path: str, plain: Collection[str], is_plain: bool, depth: int, budget: list[int]
    ) -> Any:
        budget[0] -= 1
        if isinstance(value, str):
            return self._text(value, is_plain, budget)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, int):
            return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else self._summary(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else repr(value)
        if not isinstance(value, Mapping | list | tuple) or depth == 0 or len(value) > min(budget[0], _MAX_MEMBERS):
            return self._summary(value)
        if isinstance(value, Mapping):
            result = {}
            for name in sorted(value, key=utf16_order):
                shown_as = self._known_names.get(name) or self._learn(name)
                below = f"{path}.{name}"
                if shown_as == _SECRET:
                    result[self._safe_name(name)] = {_OMITTED: "name"}
                    continue
                is_shown = is_plain or below in plain
                result[shown_as] = self._value(value[name], below, plain, is_shown, depth - 1, budget)
            return result
        return [self._value(item, path, plain, is_plain, depth - 1, budget) for item in value]

    def _text(self, text: str, is_plain: bool, budget: list[int]) -> Any:
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError:  # a lone surrogate: the text is no text, and is not shown
            data = text.encode("utf-8", "surrogatepass")
            is_plain = False
        length = len(data)
        if not is_plain or length > _MAX_PLAIN_BYTES or length > budget[1]:
            return {"hmac": self._hash(data), "len": length}
        looks_like = self._scanner.find(text)
        if looks_like is not None:
            return {"hmac": self._hash(data), "len": length, "looks_like": looks_like}
        budget[1] -= length
        return text

    def _summary(self, value: Any) -> dict[str, Any]:
        """Return length and HMAC of something too large, too deep or too long to be told member by member."""
        if isinstance(value, int):
            data = hex(value).encode()
        else:
            try:
                data = to_json(value)
            except (ValueError, RecursionError):  # a lone surrogate, or nested beyond what can be written
                data = b""
        return {"hmac": self._hash(data), "len": len(data)}

    def _learn(self, name: str) -> str:
        """Return under which name an argument is logged, or the mark of a secret; remember it."""
        shown_as = _SECRET if self._scanner.names_secret(name) else self._safe_name(name)
        # Names come from clients, so what is remembered is bounded.
        if len(self._known_names) < _REMEMBERED_NAMES and len(name) <= _MAX_NAME_BYTES:
            self._known_names[name] = shown_as
        return shown_as

    def _safe_name(self, name: str) -> str:
        """Return a member name, or its HMAC when it is so long that it may be more than a name."""
        data = name.encode("utf-8", "surrogatepass")
        if len(data) <= _MAX_NAME_BYTES and (name.isascii() or _is_unicode(name)):
            return name
        return f"hmac:{self._hash(data)}"

    def _hash(self, data: bytes) -> str:
        keyed = self._keyed.copy()
        keyed.update(data)
        return keyed.hexdigest()


def _is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8, that is, holds no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
