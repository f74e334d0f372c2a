"""The resource of one question, read once for all rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import MAX_RESOURCE_BYTES
from mcp_server.security.permissions.resource_text import fold, forbidden_character, path_parts


@dataclass(frozen=True, slots=True)
class PolicySubject:
    """A kind of right on one resource, split and folded.

    Args:
        type: The kind of right.
        text: The resource.
        parts: Its names, for a path; empty otherwise.
        folded_text: The resource in the form in which denials compare.
        folded_parts: Its names in that form.

    >>> PolicySubject.read(PermissionType.FILE_READ, "/data/A.txt").folded_parts
    ('data', 'a.txt')
    """

    type: PermissionType
    text: str
    parts: tuple[str, ...]
    folded_text: str
    folded_parts: tuple[str, ...]

    @classmethod
    def read(cls, permission_type: PermissionType, resource: str) -> Self:
        """Return the subject, or refuse a text that could be read in two ways.

        Raises:
            ValueError: The resource is no canonical absolute path, or holds a forbidden character, or is too long.
        """
        if not permission_type.is_path:
            if not resource:
                raise ValueError("is empty")
            if len(resource) > MAX_RESOURCE_BYTES:
                raise ValueError(f"is longer than {MAX_RESOURCE_BYTES} bytes")
            bad = forbidden_character(resource)
            if bad is not None:
                raise ValueError(f"holds the character {bad}")
            return cls(permission_type, resource, (), fold(resource), ())
        is_absolute, parts = path_parts(resource)
        if not is_absolute:
            raise ValueError("is not absolute")
        if resource.isascii():
            folded_text = resource.lower()
            return cls(
                permission_type, resource, parts, folded_text, tuple(folded_text[1:].split("/")) if parts else ()
            )
        folded_parts = tuple(fold(part) for part in parts)
        return cls(permission_type, resource, parts, "/" + "/".join(folded_parts), folded_parts)
