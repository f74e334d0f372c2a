"""Where an HTTP request goes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote, urljoin

from mcp_server.resources.network.endpoint import Endpoint

MAX_URL_CHARACTERS: Final = 8_192
"""What servers take; RFC 9110, 4.1 asks for 8,000 at least."""

PORTS: Final = {"http": 80, "https": 443}

_FORM: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
# Blanks, control characters, the backslash that browsers take for a slash, and bytes that are no text.
_FORBIDDEN: Final = re.compile("[\x00-\x20\x7f-\x9f\\\\\ud800-\udfff]")
_PATH: Final = "/:@!$&'()*+,;=-._~%"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An `http` or `https` URL, taken apart once; what was judged is what is sent.

    There is no user in it: `http://good.example@evil.example/` is refused, and not read in one of two ways. A fragment
    stays with whoever wrote it.

    Made by `parse`; the fields are what it found.

    Args:
        scheme: `http` or `https`.
        endpoint: Host and port.
        target: Path and query, as the request line has them.

    >>> str(WebAddress.parse("HTTPS://API.example.org/a?b=1#c"))
    'https://api.example.org/a?b=1'
    >>> WebAddress.parse("http://good.example@evil.example/")
    Traceback (most recent call last):
    ValueError: the address names a user; send credentials as a header
    """

    scheme: str
    endpoint: Endpoint
    target: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that `text` writes.

        Raises:
            ValueError: It is none, or could be read in two ways.
        """
        if len(text) > MAX_URL_CHARACTERS:
            raise ValueError(f"the address must be a text of at most {MAX_URL_CHARACTERS} characters")
        if _FORBIDDEN.search(text):
            raise ValueError("the address holds a blank, a backslash or a control character; write it percent-encoded")
        parts = _FORM.fullmatch(text)
        if parts is None:
            raise ValueError("the address must begin with 'https://' or 'http://'")
        scheme = parts[1].lower()
        if "@" in parts[2]:
            raise ValueError("the address names a user; send credentials as a header")
        endpoint = Endpoint.parse(parts[2], default_port=PORTS[scheme])
        query = quote(parts[4], safe=_PATH + "?") if parts[4] else ""
        address = cls(scheme, endpoint, (quote(parts[3], safe=_PATH) or "/") + query)
        # Once more, for a character takes up to twelve where it is percent-encoded.
        if len(str(address)) > MAX_URL_CHARACTERS:
            raise ValueError(f"the address must be a text of at most {MAX_URL_CHARACTERS} characters")
        return address

    def join(self, location: str) -> Self:
        """Return where a redirect from here leads.

        Args:
            location: The `Location` header: absolute, or relative to this address.

        Raises:
            ValueError: It leads to nothing that is an address.
        """
        # Looked at before it is joined, for `urljoin` drops some of what must not be there.
        if len(location) > MAX_URL_CHARACTERS or _FORBIDDEN.search(location):
            raise ValueError("the redirect holds a blank, a backslash or a control character")
        return self.parse(urljoin(str(self), location))

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header has them: without a port that the scheme says already."""
        text = str(self.endpoint)
        return text.rpartition(":")[0] if self.endpoint.port == PORTS[self.scheme] else text

    @property
    def origin(self) -> tuple[str, Endpoint]:
        """What credentials belong to: scheme, host and port."""
        return self.scheme, self.endpoint

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"
