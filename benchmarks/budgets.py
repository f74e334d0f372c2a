"""The budgets, with the whole chain on and the audit durable against the death of the process."""

from __future__ import annotations

from benchmarks.budget import Budget

BUDGETS = (
    Budget("start to first answer", "CPU ms", ratio=1 / 4, value=90),
    Budget("start to list of tools", "CPU ms", value=180),
    Budget("memory after start", "RSS MiB", ratio=0.6, value=36),
    Budget("echo, one at a time", "CPU us", ratio=1 / 10, value=25),
    Budget("add, one at a time", "CPU us", ratio=1 / 10, value=25),
    Budget("read_file of 1 KiB", "CPU us", ratio=1 / 10),
    Budget("echo, 64 in flight", "CPU us", ratio=1 / 20, value=15),
    Budget("echo of 1 MiB", "CPU us", value=1_800),
    Budget("tools/list of 10,000", "again ms", value=20),
    Budget("tools/list of 10,000", "start s", value=1.5),
    Budget("a call with 1,000 tools against 3", "times", value=1.1),
)
"""Source: the project's performance page; the ratios are what the first release promises."""


def budget_of(case: str, figure: str) -> Budget | None:
    """Return the budget of a figure, None where there is none."""
    return next((each for each in BUDGETS if (each.case, each.figure) == (case, figure)), None)
