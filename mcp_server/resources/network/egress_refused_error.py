"""Why a request of a sandbox is not carried out."""

from __future__ import annotations


class EgressRefusedError(Exception):
    """Ends one request of a sandbox with a status and a sentence; never leaves the proxy.

    Args:
        status: The HTTP status of the answer.
        text: Why, without an address that the sandbox did not write itself.

    >>> EgressRefusedError(403, "this host is not granted").answer()[:22]
    b'HTTP/1.1 403 Forbidden'
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text

    def answer(self) -> bytes:
        """Return the whole answer."""
        from http import HTTPStatus

        body = self.text.encode() + b"\n"
        phrase = HTTPStatus(self.status).phrase
        head = f"HTTP/1.1 {self.status} {phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"Connection: close\r\n\r\n" + body
