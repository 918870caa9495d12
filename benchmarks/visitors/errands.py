"""What visitors of the demo do, each with its share; all return the seconds until they were answered.

An errand that is not answered as it should be raises an AssertionError, or what the visitor raises.
"""

import io
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.visitors.page import NotDoneError, Page

FRAMES = (8, 12, 16)  # of a film
EXAMPLES = 4  # of each tab, at least
TOO_LARGE = 11_000_000  # bytes: more than the demo takes


@dataclass(frozen=True)
class Errand:
    """One thing to do."""

    name: str
    share: float  # how often, beside the others
    do: Callable[[Page, random.Random], float]


def somebody(page: Page, rng: random.Random) -> float:
    """Ask for another person, or for an example."""
    if rng.random() < 0.5:
        seconds = page.fire("roll", "click")
    else:
        seconds = page.fire("examples", "picked", {"index": rng.randrange(EXAMPLES)})
    return _shown(page, "drawn", seconds)


def drag(page: Page, rng: random.Random) -> float:
    """Move a joint and let it go."""
    pose = json.loads(json.dumps(page.value("editor")))
    joint = rng.choice([row for row in pose["keypoints"] if row[2]])
    height, width = pose["image_size"]
    joint[0] = min(max(joint[0] + rng.uniform(-12, 12), 0), width - 1)
    joint[1] = min(max(joint[1] + rng.uniform(-12, 12), 0), height - 1)
    page.put("editor", pose)
    return _shown(page, "drawn", page.fire("editor", "release"))


def all_approaches(page: Page, rng: random.Random) -> float:
    """Look at all approaches side by side, and go back to one."""
    names = page.choices("approach")
    page.put("approach", names[-1])
    seconds = page.fire("approach", "input")
    if len(names) > 1:
        assert str(page.value("drawn")).count("<figure") >= len(names) - 1, "an approach is missing"
    page.put("approach", rng.choice(names[:-1] or names))
    page.fire("approach", "input")
    return _shown(page, "drawn", seconds)


def paint(page: Page, rng: random.Random) -> float:
    """Paint a patch on the semantic map, or begin with an example."""
    opened = _open(page, "Edit the map", "map-editor")
    if opened or rng.random() < 0.3:
        seconds = page.fire("map-examples", "picked", {"index": rng.randrange(EXAMPLES)})
        return _shown(page, "map-drawn", max(seconds, opened))
    page.put("map-editor", painted(page.value("map-editor"), rng))
    return _shown(page, "map-drawn", page.fire("map-editor", "release"))


def painted(value: dict, rng: random.Random) -> dict:
    """Give a random patch of a map another label."""
    height, width = value["image_size"]
    runs = [run.split("*") for run in value["runs"].split()]
    labels = [label for label, count in runs for _ in range(int(count))]
    side, colour = height // 6, str(rng.randrange(1, 10))
    top, left = (rng.randrange(height // 4, height // 2) for _ in range(2))
    for row in range(top, top + side):
        labels[row * width + left : row * width + left + side] = [colour] * side
    return {"image_size": [height, width], "runs": " ".join(f"{label}*1" for label in labels)}


def swap(page: Page, rng: random.Random) -> float:
    """Swap the clothes of two people."""
    opened = _open(page, "Swap clothes", "swap-a-pair")
    if rng.random() < 0.5:
        seconds = page.fire("swap-examples", "picked", {"index": rng.randrange(EXAMPLES)})
    else:
        seconds = page.fire(f"swap-{rng.choice('ab')}-roll", "click")
    return _shown(page, "swap-a-pair", max(seconds, opened))


def try_on(page: Page, rng: random.Random) -> float:
    """Put somebody into a product."""
    opened = _open(page, "Try on", "try-drawn")
    seconds = page.fire("try-examples", "picked", {"index": rng.randrange(EXAMPLES)})
    return _shown(page, "try-drawn", max(seconds, opened))


def film(page: Page, rng: random.Random) -> float:
    """Make a short film; it is answered when the film is there."""
    _open(page, "Animate", "animate-source")
    page.put("animate-frames", rng.choice(FRAMES))
    page.put("motion", rng.choice(page.choices("motion")))
    start = time.perf_counter()
    page.fire("animate-run", "click")
    seconds = time.perf_counter() - start
    assert "Download" in str(page.value("film")), "no film came"
    return seconds


def photo(page: Page, rng: random.Random) -> float:
    """Upload a photo with its joints."""
    picture, joints = _photo()
    uploaded = page.upload("photo.png", picture), page.upload("joints.json", joints)
    seconds = page.fire("use-photo", "click", inputs=dict(enumerate(uploaded)))
    assert "Your photo" in str(page.value("source")), "the photo is not shown"
    return _shown(page, "drawn", seconds)


def mistake(page: Page, rng: random.Random) -> float:
    """Send something broken; it is answered by one sentence."""
    start = time.perf_counter()
    try:
        rng.choice(MISTAKES)(page)
    except NotDoneError as error:
        seconds, words = time.perf_counter() - start, str(error)
        assert words.endswith(".") and "\n" not in words and "Traceback" not in words, f"no sentence: {words}"  # noqa: PT018
        return seconds
    raise AssertionError("something broken was taken")


def _no_picture(page: Page) -> None:
    page.fire("use-photo", "click", inputs={0: page.upload("photo.png", b"not a picture")})


def _half_a_picture(page: Page) -> None:
    picture, joints = _photo()
    files = page.upload("photo.png", picture[: len(picture) // 2]), page.upload("joints.json", joints)
    page.fire("use-photo", "click", inputs=dict(enumerate(files)))


def _no_joints(page: Page) -> None:
    files = page.upload("photo.png", _photo()[0]), page.upload("joints.json", b'{"people": [')
    page.fire("use-photo", "click", inputs=dict(enumerate(files)))


def _no_sequence(page: Page) -> None:
    page.fire("Upload", "select")
    page.put("sequence", page.upload("dance.json", b'{"image_size": [64, 64], "frames": [[[1, 2, 1]]]}'))
    try:
        page.fire("animate-run", "click")
    finally:
        page.fire("Motion", "select")


def _no_pose(page: Page) -> None:
    page.fire("editor", "release", inputs={1: {"image_size": [128, 128], "keypoints": [[1, 2, 1]] * 3}})


def _no_number(page: Page) -> None:
    page.call("render_person", -1, "Studio")


def _too_large(page: Page) -> None:
    page.upload("photo.png", b"0" * TOO_LARGE)


MISTAKES = (_no_picture, _half_a_picture, _no_joints, _no_sequence, _no_pose, _no_number, _too_large)
ERRANDS = (
    Errand("choose a person", 3, somebody),
    Errand("drag a joint", 8, drag),
    Errand("all approaches", 2, all_approaches),
    Errand("edit the map", 3, paint),
    Errand("swap clothes", 2, swap),
    Errand("try on", 2, try_on),
    Errand("animate", 1, film),
    Errand("use a photo", 1, photo),
    Errand("send something broken", 2, mistake),
)


def _open(page: Page, tab: str, filled: str) -> float:
    """Open a tab; return the seconds until it was filled, 0 if it had been."""
    if tab in page.opened:
        return 0.0
    seconds = page.fire(tab, "select")
    page.opened.add(tab)
    assert page.value(filled), f"the tab {tab!r} stayed empty"
    return seconds


def _shown(page: Page, place: str, seconds: float) -> float:
    assert "<img" in str(page.value(place)), f"no picture in {place!r}"
    return seconds


@lru_cache(maxsize=1)
def _photo() -> tuple[bytes, bytes]:
    """Return a picture of somebody as PNG, and the joints as JSON."""
    from PIL import Image

    from pgt.synthetic.people import SyntheticPeople

    person = SyntheticPeople("val", (192, 160), num_identities=1).person(0)
    picture = io.BytesIO()
    Image.fromarray(person.image).save(picture, "PNG")
    return picture.getvalue(), person.pose.to_json().encode()
