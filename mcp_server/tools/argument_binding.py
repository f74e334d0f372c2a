"""Which values of a call a declared permission is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.security.permissions.need import Need
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.problems import spell
from mcp_server.tools.unset import UNSET

# Each value is opened before the handler starts; more than a human would ever check in one call is refused.
MAX_BOUND_VALUES: Final = 1_000


@dataclass(frozen=True, slots=True)
class ArgumentBinding:
    """A permission and the dotted path of one argument it is bound to.

    Args:
        permission: The declaration.
        path: The argument's name, and below it the members to follow; the elements of a list are followed each, and so
            are they, or the members of an object, where the path says `*`.
        default: What stands in for an absent argument; UNSET when nothing does.

    >>> from mcp_server.security.permissions.permission_type import PermissionType
    >>> binding = ArgumentBinding(Permission(PermissionType.FILE_READ, argument="edits.path"), ("edits", "path"))
    >>> [need.text for need in binding.needs({"edits": [{"path": "a"}, {"path": "b"}]})]
    ['a', 'b']
    """

    permission: Permission
    path: tuple[str, ...]
    default: Any = UNSET

    def needs(self, arguments: Mapping[str, Any]) -> tuple[Need, ...]:
        """Return what the permission is needed for in this call; nothing when an optional argument is absent.

        Raises:
            InvalidArgumentsError: The argument is there and is neither a text nor a list of texts.
        """
        value = arguments.get(self.path[0], UNSET)
        if type(value) is str and len(self.path) == 1:
            return (Need(self.permission, value),)
        texts: list[str] = []
        for text in self._texts(value, 1):
            texts.append(text)
            if len(texts) > MAX_BOUND_VALUES:
                raise InvalidArgumentsError([f"'{spell(self.path)}' has more than {MAX_BOUND_VALUES} elements"])
        if not texts and value is UNSET and self.default is not UNSET and self.default is not None:
            texts.extend(_default_texts(self.default))
        return tuple(Need(self.permission, text) for text in texts)

    def _texts(self, value: Any, depth: int) -> Iterator[str]:
        if value is UNSET or value is None:
            # Null where null is allowed names nothing; where it is not, validation refuses it before the handler.
            return
        if depth < len(self.path) and self.path[depth] == "*":
            yield from self._each(value, depth)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, list) or item is None:
                    raise self._refusal()
                yield from self._texts(item, depth)
        elif depth < len(self.path):
            if not isinstance(value, Mapping):
                raise self._refusal()
            if self.path[depth] in value:
                yield from self._texts(value[self.path[depth]], depth + 1)
            elif self.default is not UNSET:
                yield from _default_texts(self.default)
        elif isinstance(value, str):
            yield value
        else:
            raise self._refusal()

    def _each(self, value: Any, depth: int) -> Iterator[str]:
        """Follow every element of a list, or every member of an object."""
        if not isinstance(value, (list, Mapping)):
            raise self._refusal()
        for item in value if isinstance(value, list) else value.values():
            if item is None:
                raise self._refusal()
            yield from self._texts(item, depth + 1)

    def _refusal(self) -> InvalidArgumentsError:
        return InvalidArgumentsError([f"'{spell(self.path)}' must be a text or a list of texts"])


def bindings_of(
    permissions: Sequence[Permission], defaults: Mapping[tuple[str, ...], Any]
) -> tuple[ArgumentBinding, ...]:
    """Return the bindings that the permissions declare.

    Args:
        permissions: All declared permissions.
        defaults: What stands in for absent arguments, by their path.
    """
    return tuple(
        ArgumentBinding(permission, path, defaults.get(path, UNSET))
        for permission in permissions
        for path in (tuple(name.split(".")) for name in permission.arguments)
    )


def _default_texts(default: Any) -> Iterator[str]:
    if isinstance(default, (str, PathLike)):
        yield str(default)
    elif isinstance(default, (list, tuple)):
        for item in default:
            yield from _default_texts(item)
