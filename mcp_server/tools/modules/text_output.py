"""Keeping results within what a model can take, and naming where the rest is."""

from __future__ import annotations

import codecs
from typing import Final

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES

# Some clients refuse results above 25,000 tokens, which is about 100 KB of prose; larger ones are cut by the client
# without a word. A quarter of a mebibyte is the most that still reaches a model whole anywhere.
OUTPUT_BUDGET_BYTES: Final = 256 * KIBIBYTES

# What needs no escaping in a path of a URI. Source: RFC 3986, section 3.3.
_PATH_CHARACTERS: Final = "/!$&'()*+,;=:@-._~"

MEDIA_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
    ".pdf": "application/pdf",
}
_TEXT_TYPES: Final = {
    ".md": "text/markdown",
    ".html": "text/html",
    ".css": "text/css",
    ".csv": "text/csv",
    ".json": "application/json",
    ".xml": "application/xml",
}
_UNITS: Final = ("B", "KB", "MB", "GB", "TB")


def file_uri(absolute: str, offset: int = 0) -> str:
    """Return the URI of a file, or of the part of it that starts at an offset.

    >>> file_uri("/a b/c?.txt", 10)
    'file:///a%20b/c%3F.txt?offset=10'
    """
    from urllib.parse import quote

    uri = f"file://{quote(absolute, safe=_PATH_CHARACTERS)}"
    return f"{uri}?offset={offset}" if offset else uri


def media_type(path: str, *, is_text: bool = False) -> str:
    """Return what a file's name says of its content.

    >>> media_type("a.PNG"), media_type("a.md", is_text=True), media_type("a.unknown")
    ('image/png', 'text/markdown', 'application/octet-stream')
    """
    name = path.rpartition("/")[2]
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if is_text:
        return _TEXT_TYPES.get(suffix, "image/svg+xml" if suffix == ".svg" else "text/plain")
    return MEDIA_TYPES.get(suffix, "application/octet-stream")


def cut_at_line(data: bytes) -> bytes:
    r"""Return the start of UTF-8 data up to its last whole line, or its last whole character if it is one long line.

    >>> cut_at_line(b"ab\ncd"), cut_at_line("é".encode()[:1] + b""), cut_at_line(b"abc")
    (b'ab\n', b'', b'abc')
    """
    end = data.rfind(b"\n") + 1
    if end:
        return data[:end]
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(data).encode()
    except UnicodeDecodeError:
        return data


def fit_lines(text: str, budget: int) -> tuple[str, bool]:
    r"""Return as many whole lines as the budget holds, and whether some were left out.

    >>> fit_lines("aa\nbb\n", 4)
    ('aa\n', True)
    """
    data = text.encode("utf-8", "replace")
    if len(data) <= budget:
        return text, False
    return cut_at_line(data[:budget]).decode("utf-8", "replace"), True


def human_size(size: int) -> str:
    """Return a size for people, in steps of 1024.

    >>> human_size(0), human_size(1536)
    ('0 B', '1.50 KB')
    """
    number = float(size)
    for unit in _UNITS:
        if number < KIBIBYTES or unit == _UNITS[-1]:
            return f"{size} B" if unit == "B" else f"{number:.2f} {unit}"
        number /= KIBIBYTES
    raise AssertionError("the last unit takes everything")
