"""Step 5: what of a call is on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic_core import from_json

from mcp_server.security.audit_logger import AuditLogger
from mcp_server.security.call_outcome import failure_fields, record_kind
from mcp_server.security.prepared_call import PreparedCall
from mcp_server.security.running_call import RunningCall

NO_NEEDS: Final = b"[]"
"""The JSON of the decisions about a call that needed none."""


class CallRecorder:
    """Write how calls ended, in prepared records where nothing special happened.

    Args:
        audit: The log.
        clock: Monotonic seconds.
    """

    def __init__(self, *, audit: AuditLogger, clock: Callable[[], float]) -> None:
        self._audit = audit
        self._clock = clock

    def tell_outcome(
        self,
        prepared: PreparedCall,
        asked: tuple[bytes, bytes, bytes],
        call: RunningCall,
        evidence: list[list[str]],
        outcome: BaseException | None,
        result: Any,
        told: int | None,
    ) -> int:
        """Write the outcome's record and return its number.

        Args:
            prepared: What its calls have in common.
            asked: What the records say of the request: its arguments, the call's id, its own id; canonical JSON.
            call: The running call.
            evidence: The decisions.
            outcome: What went wrong, None when nothing did.
            result: What the handler returned.
            told: How many decisions the intent told; None without an intent.
        """
        audit = self._audit
        is_announced = told is not None
        news = evidence[told:] if evidence else ()
        is_plain = outcome is None and call.isolation is None and not getattr(result, "is_error", False)
        if is_plain and not (is_announced and news):
            took = b"%d" % self.age_us(call)
            if is_announced:
                return audit.append_prepared(prepared.done, (asked[1], took), call.call_id)
            needs = audit.encode_texts(evidence) if evidence else NO_NEEDS
            return audit.append_prepared(prepared.whole, (*asked, needs, took), call.call_id)
        kind = record_kind(outcome, is_announced=is_announced)
        fields = dict(prepared.done.constants if is_announced else prepared.whole.constants)
        if not is_announced:
            fields |= {"args": from_json(asked[0]), "need": evidence, "req_id": from_json(asked[2])}
        elif news:
            fields["need"] = news
        fields["call"] = call.call_id
        if call.isolation is not None:
            fields["tier"] = call.isolation
        if outcome is None:
            fields["dur_us"] = self.age_us(call)
            fields["out"] = {"is_error": bool(getattr(result, "is_error", False))}
        else:
            del fields["out"]
            fields |= failure_fields(outcome, kind, self.age_us(call))
        return audit.append(kind, fields)

    def age_us(self, call: RunningCall) -> int:
        """Return for how long a call runs, in microseconds."""
        return int((self._clock() - call.started) * 1e6)
