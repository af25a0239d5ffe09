"""A page as the browser tests see it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Opened:
    """A page with what it complained about and what it asked for besides its own file."""

    page: Any
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def go(self, hash_: str) -> None:
        self.page.goto(f"{self.url}#/{hash_}")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    @property
    def hash(self) -> str:
        return str(self.page.evaluate("location.hash"))


Open = Callable[..., Opened]
