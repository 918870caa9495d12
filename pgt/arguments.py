"""Kinds of arguments of the command line: each reads a word, or says in one sentence what it should be."""

import argparse


def image_size(text: str) -> tuple[int, int]:
    """Read "128" as (128, 128) and "128x64" as (128, 64): height, width."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and 16 <= int(side) <= 2048 for side in sides):
        raise argparse.ArgumentTypeError(f"a size is N or HEIGHTxWIDTH, sides from 16 to 2048; got {text!r}")
    return int(sides[0]), int(sides[-1])


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is needed; got {text!r}")
    return int(text)


def natural(text: str) -> int:
    """Read a whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number of at least 0 is needed; got {text!r}")
    return int(text)


def positive_float(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a number above 0 is needed; got {text!r}")
    return value


def not_negative(text: str) -> float:
    """Read a number of at least 0."""
    return 0.0 if text in ("0", "0.0") else positive_float(text)


def share(text: str) -> float:
    """Read a number between 0 and 1."""
    value = positive_float(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"a number between 0 and 1 is needed; got {text!r}")
    return value


def candidates(text: str) -> int | None:
    """Read a whole number of at least 1, or "all" as None."""
    return None if text == "all" else positive(text)
