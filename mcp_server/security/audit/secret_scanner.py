"""Recognises secrets by their name and by their looks."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

# Whole words of a name, after camelCase, kebab-case and snake_case have been taken apart.
_SECRET_WORDS: Final = frozenset(
    {"apikey", "accesskey", "auth", "authorization", "bearer", "cookie", "credential", "credentials", "jwt", "mnemonic"}
    | {"otp", "pass", "passphrase", "passwd", "password", "pin", "privatekey", "pwd", "secret", "secrets", "token"}
    | {"tokens", "totp"}
)
# Two words that only together name a secret.
_SECRET_PAIRS: Final = frozenset(
    {("api", "key"), ("private", "key"), ("access", "key"), ("secret", "key"), ("signing", "key"), ("session", "id")}
    | {("encryption", "key"), ("client", "assertion"), ("connection", "string")}
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# A net, not a proof: well-known shapes with few false alarms.
_SHAPES: Final = re.compile(
    r"(?P<jwt>\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"
    r"|(?P<pem>-----BEGIN [A-Z ]{0,40}PRIVATE KEY)"
    r"|(?P<aws_key>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)"
    r"|(?P<google_key>\bAIza[A-Za-z0-9_-]{35})"
    r"|(?P<github_token>\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}))"
    r"|(?P<slack_token>\bxox[abprs]-[A-Za-z0-9-]{10})"
    r"|(?P<vendor_key>\bsk-[A-Za-z0-9_-]{20})"
    r"|(?P<url_password>\b[a-z][a-z0-9+.-]{0,20}://[^\s/@:]{0,100}:[^\s/@]{1,200}@)"
)


class SecretScanner:
    """Tells names that announce a secret, and texts that look like one.

    >>> scanner = SecretScanner()
    >>> [scanner.names_secret(name) for name in ("apiKey", "X-Auth-Token", "path", "tokenizer")]
    [True, True, False, False]
    >>> scanner.find("postgres://app:hunter2@db/prod"), scanner.find("/home/u/a.txt")
    ('url_password', None)
    """

    def names_secret(self, name: str) -> bool:
        """Whether an argument of this name is left out of the log."""
        words = [word.lower() for word in _WORD.findall(name)]
        return any(word in _SECRET_WORDS for word in words) or any(pair in _SECRET_PAIRS for pair in pairwise(words))

    def find(self, text: str) -> str | None:
        """Return what kind of secret a text holds, None when none was recognised."""
        # Nearly every text has none of these, and looking for them costs a tenth of the search.
        if not (
            "://" in text
            or "eyJ" in text
            or "-----BEGIN" in text
            or "sk-" in text
            or "xox" in text
            or "AKIA" in text
            or "ASIA" in text
            or "AIza" in text
            or ("gh" in text and "_" in text)
            or "github_pat_" in text
        ):
            return None
        match = _SHAPES.search(text)
        return None if match is None else match.lastgroup
