"""The table that `make bench` prints."""

from __future__ import annotations

import os
import platform

from benchmarks.budgets import budget_of
from benchmarks.results import Results


def markdown(results: Results, *, ours: str, peer: str | None, peer_version: str) -> str:
    """Return the results as Markdown: one table a revision, our medians beside the peer's, ratio and budget.

    Args:
        results: What was measured.
        ours: Our server's name among the subjects.
        peer: The other server's name, None when it was not measured.
        peer_version: Its version.
    """
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.release()}, {os.cpu_count()} cores"
    others = f"others used {results.noise():.1f} of them meanwhile"
    lines = [f"{machine}, {others}. Peer: {peer or 'none'} {peer_version}."]
    revision = ""
    for row in results.rows():
        if row[0] != revision:
            revision = row[0]
            lines += ["", f"### Revision {revision}", ""]
            lines += [f"| what | figure | {ours} | {peer or '-'} | ratio | budget |", "|---|---|--:|--:|--:|---|"]
        value = results.median(row, ours)
        other = None if peer is None else results.median(row, peer)
        ratio = value / other if value is not None and other else None
        budget = budget_of(row[1], row[2])
        verdict = "" if budget is None or value is None else budget.verdicts(value, ratio)
        shown = "-" if ratio is None else f"{ratio:.3f}" if ratio < 0.1 else f"{ratio:.2f}"
        lines.append(f"| {row[1]} | {row[2]} | {_number(value)} | {_number(other)} | {shown} | {verdict} |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
