"""How long ago something was, as a person says it."""

from __future__ import annotations

from datetime import datetime, timedelta

from codex_kb.text.marks import counted

_UNITS = (("year", 365), ("month", 30), ("week", 7), ("day", 1))


def age(then: str, now: str) -> str:
    """The time between two moments (ISO 8601) in its largest unit: "3 days"; empty where one is no moment."""
    try:
        passed = datetime.fromisoformat(now) - datetime.fromisoformat(then)
    except (ValueError, TypeError):
        return ""
    for unit, days in _UNITS:
        if passed >= timedelta(days=days):
            return counted(passed.days // days, unit)
    return counted(max(0, passed // timedelta(hours=1)), "hour")
