"""Fifty thousand cases: how large the report is, how soon one sees rows, how fast the filter answers."""

import time
from pathlib import Path

import pytest
import reports
from opening import Open

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Measured on two cores: 1.8 MB, 0.4 s and 60 ms. The margins are for machines that do something else meanwhile.
_BYTES, _ROWS, _FILTER = 3_000_000, 4.0, 600


def test_fifty_thousand_cases(opened: Open, tmp_path: Path, record_property: pytest.RecordProperty) -> None:
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
            for (const word of ["login_price", "s:failed", "dur:>200ms", "voucher !stock"]) {
                const began = performance.now();
                input.value = word;
                input.dispatchEvent(new Event("input", { bubbles: true }));
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
                times.push(performance.now() - began);
            }
            return Math.max(...times);
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
