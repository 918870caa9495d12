"""A visit to the demo in a real Chromium, for the browser tests: what is open, seen, complained about."""

import base64
import io
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgt.data.pose import JOINTS

DEMO = Path(__file__).parents[1] / "demo"
sys.path.insert(0, str(DEMO))

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDE = {"viewport": {"width": 1400, "height": 900}, "accept_downloads": True}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PATIENCE = 60_000  # milliseconds; machines that test are busy


@contextmanager
def running_chromium() -> Iterator:
    """Start a browser, or skip the test."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def served(studio) -> Iterator[str]:
    """Serve the demo on a free port; give its address."""
    import app

    demo = app.create_demo(studio, "CPU")
    app.launch(demo, server_port=app.free_port(), prevent_thread_lock=True, quiet=True)
    yield demo.local_url
    demo.close()
    finish_work()


def finish_work() -> None:
    """Wait for drawings that nobody waits for: a process that ends inside torch's code is aborted."""
    for _ in range(300):
        frames = list(sys._current_frames().values())
        while frames := [frame for frame in frames if frame is not None]:
            if any(frame.f_code.co_filename.startswith(str(DEMO)) for frame in frames):
                break
            frames = [frame.f_back for frame in frames]
        if not frames:
            return
        time.sleep(0.1)
    raise AssertionError("the demo still draws half a minute after its last visitor has left")


@contextmanager
def visiting(browser, address: str, window: dict) -> Iterator["Visit"]:
    """Open the page in a window of its own; in the end nothing must have gone wrong or left the computer."""
    context = browser.new_context(**window)
    try:
        opened = Visit(context.new_page()).open(address)
        yield opened
    finally:
        context.close()
    assert not opened.complaints, opened.complaints
    assert not opened.outside, opened.outside


def picture(address: str) -> np.ndarray:
    """Return the picture that a data address holds."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


class Visit:
    """A page that is open, and everything it complained about or asked for."""

    def __init__(self, page) -> None:
        self.page, self.complaints, self.outside = page, [], []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message) -> None:
        # Gradio's file field says this of itself in every browser
        if message.type in ("error", "warning") and message.text != "Method not implemented.":
            self.complaints.append(message.text)

    def _see(self, request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.outside.append(request.url)

    def open(self, address: str) -> "Visit":
        self.page.goto(address)
        self.page.wait_for_selector("[data-joint=left_wrist]", timeout=PATIENCE)
        self.page.wait_for_function("document.querySelector('#drawn img')?.complete", timeout=PATIENCE)
        self.page.wait_for_timeout(300)
        return self

    def joint(self, name: str) -> tuple[float, float]:
        """Return where a joint is on the screen."""
        box = self.page.locator(f"[data-joint={name}] .pe-dot").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def said(self, name: str) -> str:
        """Return what a screen reader says of a joint: its name and place."""
        return self.page.locator(f"[data-joint={name}]").get_attribute("aria-label")

    def spot(self, name: str) -> list[int]:
        """Return the place of a joint, rounded to pixels of the model's frame."""
        return [int(number) for number in re.findall(r"-?\d+", self.said(name))]

    def places(self) -> list[str]:
        return [self.said(name) for name in JOINTS]

    def result(self, place: str = "#drawn") -> str:
        """Return the address of the last picture in a place: of what was drawn."""
        return self.page.locator(f"{place} img").last.get_attribute("src")

    def new_result(self, old: str, place: str = "#drawn") -> str:
        """Wait until another picture is shown."""
        self.page.wait_for_function(
            "([old, place]) => [...document.querySelectorAll(place + ' img')].at(-1)?.src !== old",
            arg=[old, place],
            timeout=PATIENCE,
        )
        return self.result(place)

    def open_tab(self, name: str) -> None:
        """Open one of the page's tabs and wait until everything in it is drawn."""
        self.page.locator("#tabs > .tab-wrapper").get_by_role("tab", name=name).click(timeout=PATIENCE)
        self.page.wait_for_function(
            "() => ![...document.querySelectorAll('.pgt-waiting')].some((e) => e.offsetParent)",
            timeout=PATIENCE,
        )
        self.page.wait_for_timeout(300)

    def told(self) -> str:
        """Return the sentence that the page tells when something did not work, and forget the complaint."""
        toast = self.page.locator(".toast-body").first
        toast.wait_for(timeout=PATIENCE)
        sentence = toast.inner_text()
        assert "Traceback" not in self.page.content()
        self.complaints.clear()  # the browser logs a refused request by itself
        return sentence

    def is_too_wide(self) -> bool:
        """Say whether the page would scroll sideways."""
        widths = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        return widths[0] > widths[1]

    def drag(self, name: str, dx: float, dy: float) -> None:
        self.page.locator(".pe-canvas").scroll_into_view_if_needed()
        x, y = self.joint(name)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx / 2, y + dy / 2, steps=4)
        self.page.mouse.move(x + dx, y + dy, steps=4)
        self.page.mouse.up()

    def click(self, selector: str) -> None:
        self.page.click(selector, timeout=PATIENCE)
