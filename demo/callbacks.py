"""What the callbacks of all tabs share: one sentence instead of a traceback, and how a person is chosen."""

import base64
import binascii
import random
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import isgeneratorfunction
from pathlib import Path
from typing import TypeVar

import gradio as gr
from studio import MAX_SEED, Studio, Subject

from pgt.photos import DetectorUnavailableError

MAX_PHOTO_TEXT = 14_000_000  # characters of a photo sent as base64: 10 MB
Session = TypeVar("Session")


@contextmanager
def told() -> Iterator[None]:
    """Turn what a visitor can get wrong into one sentence on the page instead of a traceback."""
    try:
        yield
    except gr.Error:  # a ValueError, too: one callback called another
        raise
    except (ValueError, DetectorUnavailableError) as error:
        words = str(error)
        words = words[:1].upper() + words[1:]
        raise gr.Error(words, print_exception=False, title="That did not work") from None


def one_sentence(handler: Callable) -> Callable:
    """Let a callback, or one that streams, raise what `told` makes of its errors."""

    @wraps(handler)
    def guarded(*arguments, **settings):
        with told():
            return handler(*arguments, **settings)

    @wraps(handler)
    def guarded_stream(*arguments, **settings):
        with told():
            yield from handler(*arguments, **settings)

    return guarded_stream if isgeneratorfunction(handler) else guarded


class Turn:
    """Counts what a visitor has asked of a tab, so that work which has been overtaken can stop.

    One object for each open page: all its events are handed the same one.
    """

    def __init__(self) -> None:
        self.number = 0

    def next(self) -> Callable[[], bool]:
        """Begin a new piece of work; return what says whether a later one has begun, or it was stopped."""
        self.number += 1
        mine = self.number
        return lambda: self.number != mine


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
