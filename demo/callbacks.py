"""What the callbacks of all tabs share: one sentence instead of a traceback, and how a person is chosen."""

import base64
import binascii
import random
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TypeVar

import gradio as gr
from studio import MAX_SEED, Studio, Subject

from pgt.photos import DetectorUnavailableError

MAX_PHOTO_TEXT = 14_000_000  # characters of a photo sent as base64: 10 MB
Session = TypeVar("Session")


def one_sentence(handler: Callable) -> Callable:
    """Turn what a visitor can get wrong into one sentence on the page instead of a traceback."""

    @wraps(handler)
    def guarded(*arguments, **settings):
        try:
            return handler(*arguments, **settings)
        except gr.Error:  # a ValueError, too: one callback called another
            raise
        except (ValueError, DetectorUnavailableError) as error:
            words = str(error)
            words = words[:1].upper() + words[1:]
            raise gr.Error(words, print_exception=False, title="That did not work") from None

    return guarded


class ChoosesPerson(ABC):
    """Callbacks that put somebody into a tab; each returns what `show` does for that person."""

    studio: Studio

    @abstractmethod
    def show(self, subject: Subject, *others: object) -> tuple:
        """Return what the tab shows of a person; `others` are the tab's other inputs."""

    @one_sentence
    def render_person(self, seed: float, scene: str, *others: object) -> tuple:
        """Show the synthetic person of a number."""
        return self.show(self.studio.synthetic(seed, scene), *others)

    @one_sentence
    def roll(self, scene: str, *others: object) -> tuple:
        """Show a synthetic person of a random number; the number comes first."""
        seed = random.randint(0, MAX_SEED)
        return seed, *self.show(self.studio.synthetic(seed, scene), *others)

    @one_sentence
    def use_photo(self, photo: str | None, joints: str | None, *others: object) -> tuple:
        """Show the person on a photo."""
        return self.show(self.studio.photo(photo, joints), *others)


def known(session: Session | None) -> Session:
    """Return what a visitor is looking at, or raise a ValueError of one sentence if it was forgotten."""
    if session is None:  # Gradio drops it after an hour without a click
        raise ValueError("This page was left alone for too long; reload it to go on.")
    return session


@contextmanager
def photo_file(photo: object) -> Iterator[Path]:
    """Write a photo sent as base64 to a file for as long as it is read.

    Raises:
        ValueError: no text, too much of it, or no base64.
    """
    if not isinstance(photo, str) or len(photo) > MAX_PHOTO_TEXT:
        raise ValueError("The photo must be base64 text of at most 10 MB.")
    try:
        content = base64.b64decode(photo.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("The photo is not valid base64.") from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        path.write_bytes(content)
        yield path


def sent(event: gr.EventData, name: str) -> object:
    """Return what the page sent along with an event; anything may be missing or of any type."""
    return event._data.get(name) if isinstance(event._data, dict) else None
