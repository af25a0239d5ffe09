"""Fifty thousand cases: how large the report is, how soon one sees rows, how fast the filter answers."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import reports
from opening import Open

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Measured on two busy cores: 1.7 MB, 0.5 s and 40 ms, the median of five filters. The margins are for machines
# that do much else meanwhile.
_BYTES, _ROWS, _FILTER = 3_000_000, 4.0, 600


def test_fifty_thousand_cases(
    opened: Open, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    path = reports.write(tmp_path, reports.very_many(50_000))
    size = path.stat().st_size
    opened(path)  # The browser itself is warm.
    one = opened(path, "tests?view=flat")
    began = time.perf_counter()
    one.page.reload()
    one.page.wait_for_selector(".row.case")
    rows = time.perf_counter() - began
    assert one.text(".found").startswith("100 tests, 50,000 cases")
    took = one.page.evaluate(
        """async () => {
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
    )
    nodes = one.page.evaluate("document.querySelectorAll('*').length")
    print(  # noqa: T201 - the figures are what one runs this for.
        f"\n50,000 cases: {size / 1e6:.2f} MB, rows after {rows:.2f} s, filter {took:.0f} ms, {nodes} elements"
    )
    for name, value in (("bytes", size), ("rows", rows), ("filter", took)):
        record_property(name, value)
    assert size < _BYTES
    assert rows < _ROWS
    assert took < _FILTER
    assert nodes < 2_000
