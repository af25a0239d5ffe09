"""What a report of very many cases costs who opens it; the benchmarks measure the same."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILTERS = """async () => {
    const input = document.querySelector("#filter");
    const times = [];
    for (const word of ["warm-up", "login_price", "s:failed", "dur:>200ms", "voucher !stock", "t"]) {
        const began = performance.now();
        input.value = word;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        times.push(performance.now() - began);
    }
    return times.slice(1).sort((a, b) => a - b)[2];
}"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """``rows`` is the time until rows are on the screen, ``filter`` the median of five filters; in seconds."""

    size: int
    rows: float
    filter: float
    elements: int

    def __str__(self) -> str:
        return (
            f"{self.size / 1e6:.2f} MB, rows after {self.rows:.2f} s, filter {self.filter * 1000:.0f} ms, "
            f"{self.elements} elements"
        )


def measured(page: Any, path: Path) -> Figures:
    """``page`` is one of Playwright's that shows the report's flat list of cases."""
    began = time.perf_counter()
    page.reload()
    page.wait_for_selector(".row.case")
    rows = time.perf_counter() - began
    return Figures(
        size=path.stat().st_size,
        rows=rows,
        filter=page.evaluate(_FILTERS) / 1000,
        elements=page.evaluate("document.querySelectorAll('*').length"),
    )
