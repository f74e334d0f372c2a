"""What came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError

# What pages are written in. Not all that Python knows: some of its codecs are slow on purpose-made input, and some
# are no encodings of text at all.
_CHARSETS: Final = frozenset(
    (
        *("utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be"),
        *("iso-8859-1", "latin-1", "iso-8859-2", "iso-8859-5", "iso-8859-9", "iso-8859-15"),
        *("windows-1250", "windows-1251", "windows-1252", "windows-1254", "koi8-r"),
        *("shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "gb2312", "gbk", "gb18030", "big5"),
    )
)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """The answer to a request: written by a stranger, whatever the address was granted for.

    Args:
        status: The status code.
        headers: The headers, names in lower case, several of one name joined by a comma.
        body: The body, decompressed.
        url: Where the request ended, after redirects.

    >>> reply = HttpReply(200, {"content-type": "application/json"}, b'{"a": 1}', "https://api.example.org/")
    >>> reply.is_success, reply.json()
    (True, {'a': 1})
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str

    @property
    def is_success(self) -> bool:
        """Whether the status says that it went well, 200 to 299."""
        return 200 <= self.status < 300

    def text(self) -> str:
        """Return the body as text, in the encoding that the server names, UTF-8 when it names none.

        Raises:
            ResourceUnavailableError: `not_text`: it is not in that encoding, or the encoding is unknown.
        """
        charset = "utf-8"
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"').lower()
        if charset not in _CHARSETS:
            raise ResourceUnavailableError("not_text", "the answer is in an encoding that is not known here")
        try:
            return self.body.decode(charset)
        except UnicodeDecodeError as error:
            raise ResourceUnavailableError("not_text", f"the answer is not in {charset}") from error

    def json(self) -> Any:
        """Return the body as a JSON value.

        Raises:
            ResourceUnavailableError: `not_text`: it is none.
        """
        try:
            return from_json(self.body, allow_inf_nan=False)
        except ValueError as error:
            raise ResourceUnavailableError("not_text", "the answer is no JSON") from error
