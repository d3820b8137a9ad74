"""A real browser on the page: Debian's chromium, without a screen, driven from outside."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from tests.sandbox.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# No screen, no network of its own, and nothing kept. Root (of CI) has no sandbox.
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --window-size=1280,900"
)


class Page:
    """The page as somebody uses it. The widget is what stands in `#consola`."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        driver.get(url)
        self.settled()

    @property
    def console(self) -> WebElement:
        return self.driver.find_element(By.ID, "consola")

    @property
    def text(self) -> str:
        return self.console.text

    def settled(self, after: str | None = None) -> str:
        """Once what was asked for is shown: the number of this showing. `after`: of the one before."""

        def shown() -> str | None:
            found = self.driver.find_elements(By.CSS_SELECTOR, '#consola[aria-busy="false"]')
            turn = found[0].get_attribute("data-shown") if found else None
            return turn if turn != after else None

        return wait_until(shown, 40, "the widget is not shown")

    def click(self, label: str, *, row: str = "") -> None:
        """The button or link of that label, of the row that has this text, and wait for what it shows."""
        before = self.settled()
        self._find(label, row).click()
        self.settled(before)

    def ask_to(self, label: str) -> str:
        """A button that wants to be confirmed: its question."""
        self._find(label, "").click()
        return self.driver.find_element(By.CSS_SELECTOR, "#confirm[open] p").text

    def answer(self, *, yes: bool) -> None:
        before = self.settled()
        value = "yes" if yes else "no"
        self.driver.find_element(By.CSS_SELECTOR, f'#confirm[open] button[value="{value}"]').click()
        if yes:
            self.settled(before)

    def fill(self, name: str, text: str) -> None:
        field = self.console.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)

    def runs(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def _find(self, label: str, row: str) -> WebElement:
        rows = self.console.find_elements(By.TAG_NAME, "tr") if row else [self.console]
        places = [place for place in rows if row in place.text]
        found = [a for place in places for a in place.find_elements(By.TAG_NAME, "a") if a.text == label]
        assert found, (label, row, self.text)
        return found[0]


@contextmanager
def opened_browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """Where there is no chromium the test is skipped, and says so; but with CI, or BROWSER=required, it fails."""
    binary = next(filter(None, map(shutil.which, _NAMES)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        missing = "chromium and chromedriver are needed (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("CI", "").lower() in {"1", "true"} or os.environ.get("BROWSER") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*_FLAGS.split(), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()
