"""What the console says, before it is known how: lines of styled spans, and the signs in front of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.reporters.text import forged

PASSED, FAILED, SKIPPED, FLAKY = "✓", "✗", "○", "~"
RETRY, WARNING, SERVICE, WAITING = "↻", "!", "●", "…"
SEPARATOR, WITHIN, QUOTE = "·", "▸", "│"
BAR, BAR_END, BAR_REST = "━", "╸", "─"

_ASCII = {
    PASSED: "+",
    FAILED: "x",
    SKIPPED: "-",
    RETRY: ">",
    SERVICE: "*",
    WAITING: "...",
    SEPARATOR: "-",
    WITHIN: ">",
    QUOTE: "|",
    BAR: "=",
    BAR_END: ">",
    BAR_REST: "-",
}
_TO_ASCII = str.maketrans(_ASCII)


class Style(StrEnum):
    """The few meanings that have a colour."""

    PLAIN = ""
    STRONG = "bold"
    DIM = "dim"
    GOOD = "green"
    BAD = "red"
    ODD = "yellow"
    GO = "bold green"
    NO_GO = "bold red"


Span = tuple[str, Style]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output; ``hanging`` is what to repeat where a terminal has to break it."""

    spans: tuple[Span, ...]
    hanging: str = ""

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.spans)


def line(*parts: str | Span, hanging: str = "") -> Line:
    """A line of plain strings and ``(text, style)`` pairs."""
    return Line(tuple((part, Style.PLAIN) if isinstance(part, str) else part for part in parts), hanging)


def quoted(lines: Iterable[str], *, indent: int = 4, style: Style = Style.PLAIN) -> list[Line]:
    """Lines of a child behind a bar, so that none can pass for one of ours."""
    bar = f"{' ' * indent}{QUOTE} "
    return [line((bar, Style.DIM), (text, style), hanging=bar) for text in lines]


def harmless(one: Line) -> Line:
    """The last guard: no line that a CI server would obey leaves this program."""
    if not forged(one.text):
        return one
    return Line(((f"{QUOTE} ", Style.DIM), *one.spans), one.hanging)


def fitting(text: str, *, encoding: str) -> str:
    """The text in characters that ``encoding`` has: our signs become ASCII, strangers escapes."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_TO_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text


def sign(status: Status, reason: Reason | None) -> Span:
    """The mark of a finished test or phase."""
    if reason is Reason.FLAKY:
        return FLAKY, Style.ODD
    match status:
        case Status.PASSED:
            return PASSED, Style.GOOD
        case Status.FAILED:
            return FAILED, Style.BAD
        case Status.SKIPPED | Status.PENDING | Status.RUNNING:
            return SKIPPED, Style.DIM


def case_sign(status: CaseStatus) -> Span:
    match status:
        case CaseStatus.PASSED | CaseStatus.XFAILED:
            return PASSED, Style.GOOD
        case CaseStatus.FLAKY | CaseStatus.XPASSED:
            return FLAKY, Style.ODD
        case CaseStatus.FAILED | CaseStatus.ERROR | CaseStatus.TIMEOUT:
            return FAILED, Style.BAD
        case CaseStatus.SKIPPED | CaseStatus.NOT_RUN:
            return SKIPPED, Style.DIM
