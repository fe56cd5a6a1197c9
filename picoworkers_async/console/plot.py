"""The last minute as bars, one for each second: geometry as values, so that page and script draw the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from .html import Element, element

SECONDS = 60
WIDTH, HEIGHT = 600, 120
_STEP = WIDTH // SECONDS


@attrs.frozen
class Plot:
    """For each second, oldest first, how many passed and how many did not, and how many may; None: any."""

    bars: Sequence[tuple[int, int]]
    limit: float | None = None

    def top(self) -> int:
        """The value that the height of the plot stands for."""
        most = max((passed + held for passed, held in self.bars), default=0)
        return max(1, most, round((self.limit or 0) * 1.25))

    def shape(self) -> dict[str, Any]:
        """The bars as `[y, height]` of both parts, and the height of the limit's line, in the plot's own units."""
        scale = HEIGHT / self.top()
        bars = []
        for passed, held in self.bars:
            low, high = round(passed * scale, 1), round(held * scale, 1)
            bars.append([round(HEIGHT - low, 1), low, round(HEIGHT - low - high, 1), high])
        line = None if self.limit is None else round(HEIGHT - self.limit * scale, 1)
        return {"bars": bars, "line": line, "top": str(self.top())}


def drawing(plot: Plot, label: str) -> Element:
    """The plot as SVG. Colours come from the style sheet."""
    shape = plot.shape()
    bars: list[Element] = []
    for number, (y, height, upper_y, upper) in enumerate(shape["bars"]):
        place = {"x": str(number * _STEP + 1), "width": str(_STEP - 2)}
        bars.append(element("rect", class_="passed", y=str(y), height=str(height), **place))
        bars.append(element("rect", class_="held", y=str(upper_y), height=str(upper), **place))
    y = "-9" if shape["line"] is None else str(shape["line"])
    line = element("line", class_="limit", x1="0", x2=str(WIDTH), y1=y, y2=y)
    size = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "preserveAspectRatio": "none"}
    return element("svg", *bars, line, role="img", aria_label=label, data_plot=True, **size)
