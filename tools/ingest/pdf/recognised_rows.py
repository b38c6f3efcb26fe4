"""What rows of recognised text need before they are laid out as printed ones are: one size, and an order. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import replace

from tools.ingest.pdf.layout import Row, column_by_column, find_gutter, merge_rows

BOX_TO_SIZE = 0.75
"""Size of a font by the height of the recognised line, which reaches from descenders to ascenders with some air."""


def usual_size(rows: Sequence[Row]) -> float:
    """The size in which most letters are written. Rows: at least one."""
    return statistics.median(row.size for row in rows for _ in range(max(1, len(row.text) // 8)))


def same_sizes(rows: Sequence[Row], least: float, most: float) -> list[Row]:
    """Heights of boxes waver with the letters in them, so rows between `least` and `most` times the usual size have it."""
    usual = usual_size(rows) if rows else 0.0
    return [replace(row, size=usual) if least * usual < row.size < most * usual else row for row in rows]


def in_reading_order(rows: Sequence[Row], width: float) -> tuple[list[Row], float | None]:
    """Rows joined and in order, column by column, and where the gutter between two columns is."""
    ordered = _in_lines(rows)
    gutter = find_gutter(ordered, width)
    return column_by_column(merge_rows(ordered, gutter), gutter), gutter


def _in_lines(rows: Sequence[Row]) -> list[Row]:
    """From top to bottom, what stands at one height from left to right."""
    lines: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: row.y0 + row.y1):
        last = lines[-1][-1] if lines else None
        if last is not None and row.y0 + row.y1 - last.y0 - last.y1 < min(row.height, last.height):
            lines[-1].append(row)
        else:
            lines.append([row])
    return [row for line in lines for row in sorted(line, key=lambda row: row.x0)]
