"""Figures of a run: named, in tables for a person and as JSON for a program."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should reach: at most `limit`, or at least it."""

    row: str
    column: str
    limit: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass
class Section:
    """One table. `columns` carry the unit, e.g. "p50 ms"; a row may have fewer values than there are columns."""

    key: str
    title: str
    columns: Sequence[str]
    rows: dict[str, Sequence[float]] = field(default_factory=dict)
    aims: Sequence[Aim] = ()
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The table as text, then its aims and notes."""
        label_width = max([len(self.title), *map(len, self.rows)]) + 2
        widths = [max(len(column), 8) + 2 for column in self.columns]
        header = self.title.ljust(label_width)
        header += "".join(column.rjust(width) for column, width in zip(self.columns, widths, strict=True))
        lines = [header, "-" * len(header)]
        for label, values in self.rows.items():
            cells = (number(value).rjust(width) for value, width in zip(values, widths, strict=False))
            lines.append(label.ljust(label_width) + "".join(cells))
        return lines + [self._verdict(aim) for aim in self.aims] + [f"  {note}" for note in self.notes]

    def _verdict(self, aim: Aim) -> str:
        value = self.rows[aim.row][list(self.columns).index(aim.column)]
        sign, word = ("≥" if aim.at_least else "≤"), ("met" if aim.is_met(value) else "MISSED")
        return f"  aim: {aim.row}, {aim.column} {sign} {number(aim.limit)}: {word} ({number(value)})"

    def figures(self) -> dict[str, dict[str, float]]:
        """Values by row and column."""
        return {
            label: {column: round(value, 4) for column, value in zip(self.columns, values, strict=False)}
            for label, values in self.rows.items()
        }


def number(value: float) -> str:
    """Three figures are enough to read."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def p50_p95(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds; linear between neighbours. Needs two values or more."""
    return median(seconds) * 1000, quantiles(seconds, n=20, method="inclusive")[18] * 1000


def show(section: Section) -> None:
    print("\n" + "\n".join(section.lines()), flush=True)


def machine() -> dict[str, str | int | float]:
    """What the figures were measured on, and how busy it was."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "load_1_min": round(os.getloadavg()[0], 2),
    }


def save(
    path: Path, before: Mapping[str, str | int | float], load_after: float, sections: Sequence[Section]
) -> None:
    """Write all figures as JSON: section → row → column → value."""
    tables = {s.key: {"title": s.title, "figures": s.figures(), "notes": s.notes} for s in sections}
    document = {"machine": {**before, "load_1_min_after": round(load_after, 2)}, "sections": tables}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
