"""The kinds of right a tool can need."""

from __future__ import annotations

import re
from typing import ClassVar, Final, Self

from mcp_server.errors.configuration_error import ConfigurationError

_CUSTOM: Final = re.compile(r"CUSTOM_[A-Z][A-Z0-9_]{0,47}", re.ASCII)


class PermissionType(str):
    """One kind of right, such as `FILE_READ`; a string that can only hold a known kind.

    One type a verb: a right to read is not a right to list. `FILE_WRITE` writes in the client's own folders,
    `FILE_WRITE_GLOBAL` in the further folders the operator named. A module adds its own with `custom`.

    Raises:
        ConfigurationError: The name is neither a known kind nor of the form `CUSTOM_NAME`.

    >>> PermissionType("FILE_READ") is PermissionType.FILE_READ
    True
    >>> PermissionType.custom("CUSTOM_PRINTER")
    CUSTOM_PRINTER
    """

    __slots__ = ()

    FILE_READ: ClassVar[PermissionType]
    FILE_WRITE: ClassVar[PermissionType]
    FILE_WRITE_GLOBAL: ClassVar[PermissionType]
    FILE_DELETE: ClassVar[PermissionType]
    DIRECTORY_LIST: ClassVar[PermissionType]
    CODE_EXECUTION: ClassVar[PermissionType]
    CODE_EXECUTION_SUDO: ClassVar[PermissionType]
    SYSTEM_COMMAND: ClassVar[PermissionType]
    NETWORK_CONNECT: ClassVar[PermissionType]
    SECRET_READ: ClassVar[PermissionType]
    S3_READ: ClassVar[PermissionType]
    S3_WRITE: ClassVar[PermissionType]
    SQL_READ: ClassVar[PermissionType]
    SQL_WRITE: ClassVar[PermissionType]
    DBUS_CALL: ClassVar[PermissionType]
    ADMIN: ClassVar[PermissionType]

    def __new__(cls, name: str) -> Self:
        """Return the one value of a known kind, or a custom one."""
        if isinstance(name, cls):
            return name
        known = cls.__dict__.get(name)
        if isinstance(known, cls):
            return known
        if _CUSTOM.fullmatch(name):
            return super().__new__(cls, name)
        raise ConfigurationError(
            f"unknown permission type {name!r}; known are {', '.join(cls.names())} and CUSTOM_<NAME>"
        )

    @classmethod
    def custom(cls, name: str) -> Self:
        """Return the custom type `name`, of the form `CUSTOM_NAME`.

        Raises:
            ConfigurationError: The name does not have that form.
        """
        if not _CUSTOM.fullmatch(name):
            raise ConfigurationError(f"a custom permission type is named CUSTOM_<NAME>, not {name!r}")
        return cls(name)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the kinds this library knows, in the order of their definition."""
        return tuple(name for name, value in cls.__dict__.items() if isinstance(value, PermissionType))

    @property
    def is_custom(self) -> bool:
        """Whether a module brought this type."""
        return self.startswith("CUSTOM_")

    @property
    def is_path(self) -> bool:
        """Whether its resources are files or directories."""
        return self.startswith("FILE_") or self == "DIRECTORY_LIST"

    @property
    def is_reading(self) -> bool:
        """Whether using it changes nothing."""
        return self in ("FILE_READ", "DIRECTORY_LIST", "SECRET_READ", "S3_READ", "SQL_READ")

    def __repr__(self) -> str:
        return str(self)


for _name in PermissionType.__annotations__:
    setattr(PermissionType, _name, str.__new__(PermissionType, _name))
del _name
