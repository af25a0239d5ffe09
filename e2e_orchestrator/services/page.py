"""Asks a browser for a page, as a program of its own: its keeper then ends the browser whatever happens.

    python -P page.py '{"page": "http://…", "text": null, "selector": null, "seconds": 20}'

Ends with 0 if the page is as it should be, with 1 after saying what is not, with 2 if there is no browser.
"""

import asyncio
import json
import os
import shutil
import sys
from typing import Any

NO_BROWSER = 2
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LONGEST = 300


def installed_browser() -> str | None:
    """The program that CHROMIUM_PATH names, else one of the system's; None leaves it to Playwright."""
    return os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, _NAMES)), None)


def _counts(said: Any) -> bool:
    """An error, unless it is about the icon that browsers ask every server for."""
    return bool(said.type == "error" and not said.location.get("url", "").endswith("/favicon.ico"))


async def look(asked: dict[str, Any]) -> str | None:
    """None if the page loads, shows what it should, and logs no error; else the first thing that is wrong."""
    from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - optional, and 150 ms.

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=installed_browser(), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        page = await browser.new_page()
        page.set_default_timeout(asked["seconds"] * 1000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(f"an error on the page: {error}"))
        page.on(
            "console", lambda said: errors.append(f"the console says: {said.text}") if _counts(said) else None
        )
        try:
            answer = await page.goto(asked["page"], wait_until="load")
            if answer is not None and not answer.ok:
                return f"HTTP {answer.status}"
            if asked["text"]:
                await page.get_by_text(asked["text"]).first.wait_for()
            if asked["selector"]:
                await page.locator(asked["selector"]).first.wait_for()
        except Error as error:
            return errors[0] if errors else str(error.message)
        finally:
            await browser.close()
        return errors[0] if errors else None


def main() -> None:
    try:
        wrong = asyncio.run(look(json.loads(sys.argv[1])))
    except ImportError:
        print("Playwright for Python is not installed: pip install 'e2e-orchestrator[playwright]'")  # noqa: T201
        sys.exit(NO_BROWSER)
    if wrong:
        print(" ".join(wrong.split())[:_LONGEST])  # noqa: T201 - its standard output is the answer.
        sys.exit(1)


if __name__ == "__main__":
    main()
