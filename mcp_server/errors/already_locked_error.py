"""Somebody else holds what only one may hold."""

from __future__ import annotations

from mcp_server.errors.configuration_error import ConfigurationError


class AlreadyLockedError(ConfigurationError):
    """Another process uses the directory; another directory may be free.

    >>> str(AlreadyLockedError("in use", source="audit"))
    'audit: in use'
    """
