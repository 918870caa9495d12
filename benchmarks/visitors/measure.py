"""Many visitors at once: does the demo answer every one of them, and does its memory stay where it is?

    python -m benchmarks.visitors            # 32 visitors for 2 minutes; prints a table
    python -m benchmarks.visitors --write    # also results/visitors.{json,md} and the page's

The demo runs in a process of its own on a free port of this computer. Each visitor opens the page, drags
joints, asks for all approaches, paints on a map, swaps and tries on clothes, makes a film, sends something
broken (which has to be answered by one sentence), thinks a while in between, leaves, and comes back as
somebody else. What the demo keeps for the next visitor is made before, and not counted: somebody looks at as
many people as it keeps the bodies of, and as many visitors come for a minute. Memory counts as flat if the
median of the last quarter of the time is at most 5 % above that of the second quarter. The exit code is 1 if
not, or if a request failed.
"""

import argparse
import json
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import tables
from benchmarks.visitors.errands import ERRANDS, Errand
from benchmarks.visitors.page import NotDoneError, Page, RefusedError
from benchmarks.visitors.served import Demo
from pgt.synthetic.figure import figure_of

VISITORS, SECONDS, WARM_UP = 32, 120.0, 60.0
STAY = (5, 12)  # errands of a visit, at least and at most
PAUSE = (1.0, 4.0)  # seconds between two of them
FLAT = 1.05  # last quarter's memory over the second's
OPENING = "open the page"
FIRST = 1000  # number of the first person that is looked at before


@dataclass(frozen=True)
class Request:
    """What one errand came to."""

    errand: str
    seconds: float  # until the first answer, such as the drawn picture
    whole: float  # until all that follows it is there, such as the comparison
    fault: str = ""  # "" if it went as it should
    refused: bool = False  # by a full queue


@dataclass
class Log:
    """What all visitors came to, and what the server weighed meanwhile."""

    requests: list[Request] = field(default_factory=list)  # appending is safe between threads
    memory: list[tuple[float, float]] = field(default_factory=list)  # seconds since the start, MB
    visits: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def visit(address: str, log: Log, rng: random.Random, end: float, pause: tuple[float, float]) -> None:
    """Be one visitor after the other until the time is over."""
    while time.monotonic() < end:
        pages: list[Page] = []
        run(log, OPENING, lambda pages=pages: pages.append(Page(address)) or 0.0)
        if not pages:
            time.sleep(rng.uniform(*pause))
            continue
        with log.lock:
            log.visits += 1
        for _ in range(rng.randint(*STAY)):
            time.sleep(rng.uniform(*pause))
            if time.monotonic() >= end:
                break
            errand = rng.choices(ERRANDS, [one.share for one in ERRANDS])[0]
            run(log, errand.name, lambda page=pages[0], errand=errand: _do(errand, page, rng))
        pages[0].leave()


def send(demo: Demo, log: Log, visitors: int, seconds: float, pause: tuple[float, float], seed: int) -> None:
    """Let visitors come for some seconds, and weigh the server meanwhile."""
    start = time.monotonic()
    end = start + seconds
    threads = [
        threading.Thread(target=visit, args=(demo.address, log, random.Random(seed + n), end, pause))
        for n in range(visitors)
    ]
    for thread in threads:
        thread.start()
        time.sleep(min(0.1, seconds / visitors / 4))  # people do not come all in the same instant
    while time.monotonic() < end:
        log.memory.append((time.monotonic() - start, demo.memory()))
        time.sleep(min(1.0, seconds / 40))
    for thread in threads:
        thread.join()


def meet(demo: Demo, people: int) -> None:
    """Look at so many people, one after the other."""
    page = Page(demo.address)
    for number in range(people):
        page.call("render_person", FIRST + number, "Studio")
    page.leave()


def _do(errand: Errand, page: Page, rng: random.Random) -> float:
    return errand.do(page, rng)


def run(log: Log, name: str, work: Callable[[], float]) -> None:
    """Do one thing, and log how it went; `work` returns the seconds of its first answer, 0 for all."""
    start = time.perf_counter()
    fault, refused, seconds = "", False, 0.0
    try:
        seconds = work()
    except RefusedError as error:
        fault, refused = f"refused: {error}", True
    except (NotDoneError, AssertionError, OSError, ValueError, LookupError) as error:
        fault = f"{type(error).__name__}: {error}"
    whole = time.perf_counter() - start
    log.requests.append(Request(name, seconds or whole, whole, fault, refused))


def measure(
    visitors: int, seconds: float, warm_up: float = WARM_UP, pause: tuple[float, float] = PAUSE, seed: int = 0
) -> dict:
    """Serve the demo, send the visitors, and return everything that was found, as JSON values."""
    people = figure_of.cache_parameters()["maxsize"] if warm_up else 0
    with Demo() as demo:
        first = demo.memory()
        if warm_up:
            meet(demo, people)
            send(demo, Log(), visitors, warm_up, pause, seed)
        log = Log()
        send(demo, log, visitors, seconds, pause, seed + visitors)
        left, megabytes = demo.left_behind()
        complaints = demo.complaints()
    return {
        "visitors": visitors,
        "seconds": seconds,
        "warm_up": warm_up,
        "people": people,
        "visits": log.visits,
        "errands": [_row(name, log.requests) for name in (OPENING, *(one.name for one in ERRANDS))],
        "requests": len(log.requests),
        "failed": sum(bool(one.fault) for one in log.requests),
        "refused": sum(one.refused for one in log.requests),
        "faults": [asdict(one) for one in log.requests if one.fault][:20],
        "memory": _memory(first, log.memory, seconds),
        "files": left,
        "files_mb": megabytes,
        "tracebacks": complaints,
        "facts": tables.circumstances(),
    }


def _row(name: str, requests: Sequence[Request]) -> dict[str, object]:
    own = [one for one in requests if one.errand == name]
    first, whole = sorted(one.seconds for one in own), sorted(one.whole for one in own)
    times = {"median": _quantile(first, 0.5), "p95": _quantile(first, 0.95), "slowest": _quantile(first, 1.0)}
    failed = sum(bool(one.fault) for one in own)
    return {"errand": name, "requests": len(own), "failed": failed, **times, "all": _quantile(whole, 0.5)}


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that `share` of the values do not exceed; None for none."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * round(100 * share) // 100) - 1)]


def _memory(first: float, samples: Sequence[tuple[float, float]], seconds: float) -> dict[str, object]:
    """Return the server's megabytes before the first visitor and, as medians, in each quarter."""
    quarters = [[mb for at, mb in samples if int(4 * at / seconds) == quarter] for quarter in range(4)]
    medians = [statistics.median(one) if one else None for one in quarters]
    growth = medians[3] / medians[1] if medians[3] and medians[1] else None
    largest = max(mb for _, mb in samples)
    return {
        "start": first, "quarters": medians, "last": samples[-1][1], "largest": largest, "growth": growth,
        "flat": growth is not None and growth <= FLAT,
    }  # fmt: skip


def to_markdown(found: dict) -> str:
    """Write one row per errand, and lines about the whole."""
    titles = ("what visitors did", "times", "failed", "answered, median", "95 %", "slowest", "all, median")
    lines = ["| " + " | ".join(titles) + " |", "| --- |" + " ---: |" * (len(titles) - 1)]
    for row in found["errands"]:
        cells = [_seconds(row[name]) for name in ("median", "p95", "slowest", "all")]
        lines.append(f"| {row['errand']} | {row['requests']} | {row['failed']} | {' | '.join(cells)} |")
    memory, facts = found["memory"], found["facts"]
    quarters = ", ".join("?" if mb is None else f"{mb:.0f}" for mb in memory["quarters"])
    growth = "unknown" if memory["growth"] is None else f"{100 * (memory['growth'] - 1):+.1f} %"
    sentences = (
        f"*{found['visitors']} visitors at a time for {found['seconds']:.0f} seconds, after "
        f"{found['warm_up']:.0f} seconds and {found['people']} people that do not count; "
        f"{found['visits']} visits. {found['requests']} requests, {found['failed']} failed, "
        f"{found['refused']} refused by a full queue, {found['tracebacks']} tracebacks in the server's log.",
        '"Answered" is the first answer, such as the picture; "all" also what follows it, such as the truth '
        "and the scores.",
        f"The server's memory: {memory['start']:.0f} MB before the first visitor, {quarters} MB in the four "
        f"quarters of the time (medians), {growth} from the second to the last: "
        f"{'flat' if memory['flat'] else 'not flat'}.",
        f"Files left in its temporary folder: {found['files']}, {found['files_mb']:.1f} MB.",
        f"Measured by `python -m benchmarks.visitors`: {facts['machine']}, torch {facts['torch']}, "
        f"{facts['date']}.*",
    )
    return "\n".join([*lines, "", " ".join(sentences)])


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser("python -m benchmarks.visitors", description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--warm-up", type=float, default=WARM_UP, help="seconds before that do not count")
    parser.add_argument("--json", type=Path, help="also write everything here")
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and on the page")
    options = parser.parse_args(arguments)
    if options.visitors < 1 or options.seconds <= 0:
        parser.error("at least one visitor and a time above 0 are needed")
    found = measure(options.visitors, options.seconds, options.warm_up)
    print(to_markdown(found))
    for fault in found["faults"]:
        print(f"{fault['errand']}: {fault['fault']}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    if options.write:
        tables.keep("visitors", found, to_markdown(found))
    return int(bool(found["failed"]) or not found["memory"]["flat"])
