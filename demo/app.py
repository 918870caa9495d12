"""The demo: people in other poses and other clothes, drawn anew as a visitor drags, paints and chooses.

    python demo/app.py            opens on http://127.0.0.1:7860
    python demo/app.py --check    builds everything, draws one picture, prints one line

This file finds the library and the weights and opens the page; the page itself is `page.py`.
"""
# ruff: noqa: E402 - three things must happen before the imports below, each for the reason beside it

import argparse
import ctypes
import os
import platform
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported: no request leaves
try:
    import spaces  # on Hugging Face's ZeroGPU; must come before torch touches a GPU
except ImportError:
    spaces = None
HERE = Path(__file__).resolve().parent
try:
    import pgt  # noqa: F401
except ModuleNotFoundError:  # not installed: the package lies beside this folder
    sys.path.insert(0, str(HERE.parent))

import gradio as gr
import torch
import weights
from handlers import Handlers
from page import EXAMPLES, create_demo
from studio import Studio

from pgt.checkpoint import CheckpointError
from pgt.predictor import PART_WARP, Predictor

MODEL = "pg2-synthetic-128"
DURATION = 20  # seconds for which a Space lends its GPU at a time: to a picture, or to a whole film
OTHERS = {weights.SPT: "spt", weights.MR_NET: "mrnet", weights.PROGRESSIVE: "progressive"}  # -> their flags
MOST_VISITORS = 300  # whose pages are remembered, of some megabytes each: Gradio forgets none by itself
ARENAS = 2  # in which memory is handed out
M_ARENA_MAX = -8  # its number in glibc's malloc.h
SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica", "Arial", "sans-serif")


def make_studio(
    model: str = MODEL, device: str | None = None, named: Mapping[str, str | None] | None = None
) -> Studio:
    """Load the weights and the rival without learning, and draw once, since the first picture is always slow.

    Args:
        model: of the approach that the page opens with: a bundled name, a folder or a Hub repository.
        device: "cpu", "cuda" ...; a GPU where there is one by default.
        named: name of a further approach -> its weights, likewise; of those without a name, what
            `weights.found` finds is taken. Not read for the approach of `model`.

    Raises:
        CheckpointError: one sentence, where weights that are named are not there, or any cannot be read.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    predictor = Predictor.load(model, device)
    further = [name for name in OTHERS if name != weights.approach_of(predictor)]
    loaded = [weights.load(name, (named or {}).get(name), device) for name in further]
    lend = {"lend": spaces.GPU(duration=DURATION)} if spaces else {}
    others = [one for one in loaded if one is not None]
    studio = Studio(predictor, Predictor.load(PART_WARP), others=others, tell=gr.Info, **lend)
    if not spaces:  # there the GPU is lent for a visitor's request only
        subject = studio.synthetic(0)
        for name in studio.approaches:
            studio.draw(subject, subject.start, name)
    return studio


def device_name(studio: Studio) -> str:
    """Name what computes, for the page."""
    device = studio.predictor.device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return device.type.upper()
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' * (threads > 1)}"


def make_theme() -> gr.themes.Base:
    """Return a theme of system fonts alone: the page asks no other server for anything."""
    mono = ("ui-monospace", "Consolas", "monospace")
    return gr.themes.Default(primary_hue="indigo", neutral_hue="slate", font=SYSTEM_FONTS, font_mono=mono)


def free_port(wanted: int = 7860, host: str = "127.0.0.1") -> int:
    """Return the wanted port, or a free one where it is taken (Gradio needs a concrete number)."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError("This computer has no free port.")


def launch(demo: gr.Blocks, **settings) -> tuple:
    """Launch with the demo's look and limits; `settings` are Gradio's and win."""
    defaults = {
        "server_name": "127.0.0.1",
        "max_file_size": "10mb",
        "state_session_capacity": MOST_VISITORS,
        "theme": make_theme(),
        "css_paths": [HERE / "style.css"],
        "footer_links": ["api", "gradio"],
        "ssr_mode": False,
        "run_history": False,
    }
    return demo.launch(**{**defaults, **settings})


def limit_arenas() -> bool:
    """Let all threads share two arenas of memory; say whether that is done, as it is on Linux alone.

    glibc gives each thread its own, up to eight per core, and what a thread frees stays in its arena, of no
    use to the others: the demo's memory would grow with every visitor (`python -m benchmarks.visitors`).
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    return ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS) == 1


def check(studio: Studio) -> str:
    """Build the page and draw one picture as a visitor would; say in one line how long that took."""
    start = time.perf_counter()
    create_demo(studio, device_name(studio))
    handlers = Handlers(studio, device_name(studio))
    session = handlers.render_person(*EXAMPLES[0][:2])[0]
    session = handlers.release(session, session.subject.person.pose.flipped())[0]
    seconds, milliseconds = time.perf_counter() - start, session.prediction.milliseconds
    return f"{studio.predictor.name}: page built in {seconds:.1f} s, a picture takes {milliseconds:.0f} ms"


def main() -> None:
    """Parse the flags and open the page."""
    parser = argparse.ArgumentParser(description="People in other poses and other clothes, in the browser.")
    parser.add_argument("--model", default=MODEL, help="a bundled name, a folder or a Hub repository")
    for name, flag in OTHERS.items():
        parser.add_argument(f"--{flag}", help=f"the same for {name}; what is on this computer by default")
    parser.add_argument("--device", help="cpu, cuda, mps; the GPU where there is one by default")
    parser.add_argument("--port", type=int, default=7860, help="another free one is taken if it is in use")
    parser.add_argument("--share", action="store_true", help="a public link through Gradio's servers")
    parser.add_argument("--check", action="store_true", help="draw one picture, open no page")
    arguments = parser.parse_args()
    limit_arenas()
    try:
        named = {name: getattr(arguments, flag) for name, flag in OTHERS.items()}
        studio = make_studio(arguments.model, arguments.device, named)
    except CheckpointError as error:
        parser.exit(1, f"{error}\n")
    if arguments.check:
        print(check(studio))
        return
    host = "0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1"  # a Space is reached from outside
    port = free_port(arguments.port, host)
    launch(
        create_demo(studio, device_name(studio)), server_name=host, server_port=port, share=arguments.share
    )


if __name__ == "__main__":
    main()
