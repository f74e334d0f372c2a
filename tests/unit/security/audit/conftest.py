"""The logs that the tests of the audit share."""

from __future__ import annotations

from tests.support.audit_logs import closed_log, make_log

__all__ = ["closed_log", "make_log"]
