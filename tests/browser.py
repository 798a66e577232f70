"""A real browser before a real server: Debian's Chromium, driven by Selenium, and the site on loopback."""

from __future__ import annotations

import base64
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from pqwatch.web.app import create_app
from pqwatch.web.site import Site

Scheme = Literal["light", "dark"]


def programs() -> tuple[str, str]:
    """Chromium and its driver; skips the test where one is absent."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs chromium and chromedriver on the path")
    return browser, driver


@contextmanager
def chromium(*, scripts: bool = True) -> Iterator[webdriver.Chrome]:
    """A headless browser with an empty profile; without `scripts` JavaScript is off."""
    browser, driver = programs()
    options = Options()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    made = webdriver.Chrome(options=options, service=Service(driver))
    made.set_page_load_timeout(30)
    try:
        yield made
    finally:
        made.quit()


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The site on a free port of loopback: its address, while it lasts."""
    config = uvicorn.Config(create_app(site), host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    sock = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        sock.close()


def show(driver: webdriver.Chrome, address: str, *, width: int = 1440, scheme: Scheme = "light") -> None:
    """Open a page at a width, in light or dark."""
    dress(driver, width=width, scheme=scheme)
    driver.get(address)


def dress(driver: webdriver.Chrome, *, width: int, scheme: Scheme) -> None:
    """Let the page that is open have a width, and be light or dark; one that a form led to cannot be opened again."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def picture(driver: webdriver.Chrome, path: Path, *, longest: int = 6_000) -> None:
    """The whole page as PNG, down to `longest` pixels."""
    size: dict[str, Any] = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], longest), "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    path.write_bytes(base64.b64decode(shot["data"]))


def complaints(driver: webdriver.Chrome) -> list[str]:
    """What the browser's console says of errors since it was last asked, such as a policy that was broken."""
    said: list[dict[str, Any]] = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return [str(each["message"]) for each in said if each["level"] == "SEVERE"]
