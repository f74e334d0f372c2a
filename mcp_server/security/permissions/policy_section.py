"""One table of a policy file, read strictly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.toml_line_locator import TomlLineLocator


class PolicySection:
    """A table, its place in the file, and the only ways to read a value from it.

    Args:
        table: What the TOML parser made of it.
        path: The names of the tables that lead to it, and its number where it is one of a list.
        source: The file's name.
        locator: Finds lines.

    Raises:
        ConfigurationError: It is no table.

    >>> section = PolicySection({"folders": ["/srv"]}, path=("client", "ada"), source="desk.toml",
    ...                         locator=TomlLineLocator('[client.ada]\\nfolders = ["/srv"]'))
    >>> section.texts("folders")
    ['/srv']
    >>> section.check_keys(["folder"])
    Traceback (most recent call last):
    mcp_server.errors.configuration_error.ConfigurationError: desk.toml:2: unknown key 'folders' in [client.ada]; did you mean 'folder'?
    """  # noqa: E501  (the message is one line)

    def __init__(self, table: Any, *, path: tuple[str | int, ...], source: str, locator: TomlLineLocator) -> None:
        self.path = path
        self.source = source
        self._locator = locator
        if not isinstance(table, Mapping):
            raise self.error(f"{self.name} must be a table")
        self._table: Mapping[str, Any] = table

    def __contains__(self, key: str) -> bool:
        return key in self._table

    @property
    def name(self) -> str:
        """How the file writes it, such as `[client.ada]`."""
        if not self.path:
            return "the policy"
        names = ".".join(self._names)
        return f"[[{names}]]" if isinstance(self.path[-1], int) else f"[{names}]"

    @property
    def _names(self) -> tuple[str, ...]:
        """The path without places in lists, which a file does not write."""
        return tuple(each for each in self.path if isinstance(each, str))

    def error(self, message: str, *where: str | int) -> ConfigurationError:
        """Return the error `message` about what `where` leads to within this table."""
        return ConfigurationError(message, source=self.source, line=self.line_of(*where))

    def line_of(self, *where: str | int) -> int | None:
        """Return the line of what `where` leads to within this table."""
        return self._locator.line_of(*self.path, *where)

    def check_keys(self, known: Iterable[str]) -> None:
        """Refuse keys that nobody reads: a misspelt `deny` would deny nothing.

        Raises:
            ConfigurationError: There is one.
        """
        names = list(known)
        for key in self._table:
            if key not in names:
                from difflib import get_close_matches

                close = get_close_matches(key, names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
                raise self.error(f"unknown key {key!r} in {self.name}; {hint}", key)

    def section(self, key: str) -> PolicySection:
        """Return the table under `key`, an empty one when it is not there."""
        return PolicySection(
            self._table.get(key, {}), path=(*self.path, key), source=self.source, locator=self._locator
        )

    def sections(self, key: str) -> dict[str, PolicySection]:
        """Return the tables below the table `key`, by name."""
        outer = self.section(key)
        return {name: outer.section(name) for name in outer._table}

    def tables(self, key: str) -> list[PolicySection]:
        """Return the tables of the list `key`, none when it is not there."""
        items = self._table.get(key, [])
        if not isinstance(items, list):
            raise self.error(
                f"{key!r} in {self.name} must be a list of tables: [[{'.'.join((*self._names, key))}]]", key
            )
        return [
            PolicySection(each, path=(*self.path, key, at), source=self.source, locator=self._locator)
            for at, each in enumerate(items)
        ]

    def plain(self) -> dict[str, Any]:
        """Return the table as it was read, for whoever checks it himself."""
        return dict(self._table)

    def value(self, key: str) -> Any:
        """Return what stands under `key`, whatever it is; None when it is not there."""
        return self._table.get(key)

    def texts(self, key: str) -> list[str]:
        """Return the list of texts under `key`, an empty one when it is not there."""
        items = self._table.get(key, [])
        if not isinstance(items, list):
            raise self.error(f"{key!r} in {self.name} must be a list of texts", key)
        for at, item in enumerate(items):
            if not isinstance(item, str):
                raise self.error(f"{key!r} in {self.name} must hold texts only", key, at)
        return items

    def string(self, key: str, default: str | None = None) -> str:
        """Return the text under `key`, whatever it is; without a default it must be there."""
        value = self._table.get(key, default)
        if not isinstance(value, str):
            what = "must be a text" if key in self else "is missing"
            raise self.error(f"{key!r} in {self.name} {what}", *((key,) if key in self else ()))
        return value

    def strings(self) -> dict[str, str]:
        """Return the whole table, which must hold texts only."""
        return {key: self.string(key) for key in self._table}

    def text(self, key: str, default: str, *, choices: Iterable[str]) -> str:
        """Return the text under `key`, which must be one of `choices`."""
        value = self._table.get(key, default)
        known = list(choices)
        if value not in known:
            raise self.error(f"{key!r} in {self.name} must be one of {', '.join(map(repr, known))}", key)
        return str(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return whether `key` is true; nothing but `true` and `false` says so."""
        value = self._table.get(key, default)
        if not isinstance(value, bool):
            raise self.error(f"{key!r} in {self.name} must be true or false", key)
        return value

    def range(self, key: str, *, least: int, most: int) -> tuple[int, int] | None:
        """Return the two whole numbers under `key`, the smaller first; None when it is not there."""
        value = self._table.get(key)
        if value is None:
            return None
        is_pair = isinstance(value, list) and len(value) == 2
        if not is_pair or not all(type(each) is int for each in value) or not least <= value[0] <= value[1] <= most:
            raise self.error(
                f"{key!r} in {self.name} must be two whole numbers from {least} to {most}, the smaller first", key
            )
        return value[0], value[1]

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        """Return the number under `key`: whole where the default is, within both bounds."""
        value = self._table.get(key, default)
        is_whole = isinstance(default, int)
        kind = "a whole number" if is_whole else "a number"
        # `true` is an int in Python, and no number here.
        if isinstance(value, bool) or not isinstance(value, int if is_whole else (int, float)):
            raise self.error(f"{key!r} in {self.name} must be {kind}", key)
        # Not a number is in no range.
        if not least <= value <= most:
            raise self.error(f"{key!r} in {self.name} must be {kind} from {least} to {most}", key)
        return value if is_whole else float(value)
