"""Time SPT's pseudo-label search against loops over candidates, and count how often it finds the same.

    python -m benchmarks.search            # prints the tables; about 20 minutes
    python -m benchmarks.search --quick    # a draft in two
    python -m benchmarks.search --write    # also into results/search.* and the README

Run it on an otherwise idle machine. The people are a few hundred rendered ones, repeated up to the number of
pictures SPT trained on (37,258), each copy moved by a few pixels and its joints by one hundredth of the
picture's height. A loop's time is measured on some candidates and multiplied by N.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import tables
from benchmarks.literal_search import PatientLoop, Someone, best, distance, valid_parts
from pgt.data.part_descriptors import LabelledPeople
from pgt.data.pose import TORSO_JOINTS
from pgt.data.pseudo_labels import PseudoLabelSearch, SearchOptions, draw_candidates
from pgt.synthetic.people import SyntheticPeople

Row = dict[str, object]
SIZES = ((256, 256), (128, 64))
N = 500
POSES = 2
MOVED = 4  # pixels
JOINT_NOISE = 0.01  # of the height
MIN_DIFFERENCE = SearchOptions().min_pose_difference


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Args:
        people: everyone.
        rendered: of them, before repeating.
        exact: queries of the exact search.
        loops: candidates a loop is timed on.
        checked: queries whose winner is checked against all pixels of all candidates.
        literal: queries whose winner is checked against the loop.
    """

    people: int = 37_258
    rendered: int = 300
    exact: int = 1000
    loops: int = 40
    checked: int = 1000
    literal: int = 8


QUICK = Effort(people=3000, rendered=60, exact=128, loops=4, checked=32, literal=2)


def crowd(size: tuple[int, int], effort: Effort, seed: int = 0) -> LabelledPeople:
    """Make everyone, as said above; all have shoulders and hips, which the loops need."""
    rendered = SyntheticPeople("val", size, "mixed").render(
        [divmod(i, POSES) for i in range(effort.rendered)]
    )
    rendered = [person for person in rendered if person.visible[list(TORSO_JOINTS)].all()]
    rng = np.random.default_rng(seed)
    which = rng.integers(len(rendered), size=effort.people)
    moved = rng.integers(-MOVED, MOVED + 1, (effort.people, 2))
    noise = rng.normal(0, JOINT_NOISE * size[0], (effort.people, 18, 2))
    keypoints = np.stack([person.keypoints for person in rendered])[which] + moved[:, None] + noise
    maps = np.zeros((effort.people, *size), np.uint8)
    for label_map, number, (x, y) in zip(maps, which, moved, strict=True):
        label_map[:] = np.roll(rendered[number].label_map, (y, x), (0, 1))
    visible = np.stack([person.visible for person in rendered])[which]
    return LabelledPeople(keypoints.astype(np.float32), visible, maps)


def seconds(task: Callable[[], object]) -> float:
    """Return the time of a task."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def text(size: tuple[int, int]) -> str:
    """Write a size."""
    return f"{size[0]}x{size[1]}"


def someone(people: LabelledPeople, number: int) -> Someone:
    """Take one person out for the loops."""
    return Someone(
        people.keypoints[number].astype(np.float64), people.visible[number], people.label_maps[number]
    )


def loops(people: LabelledPeople, count: int) -> tuple[float, float]:
    """Return seconds per candidate of the literal equation and of the patient loop, taking turns."""
    source, times = someone(people, 0), ([], [])
    loop = PatientLoop(source)
    for number in range(1, count + 1):
        candidate = someone(people, number)
        times[0].append(seconds(lambda candidate=candidate: distance(source, candidate)))
        times[1].append(seconds(lambda candidate=candidate: loop.distance(candidate, valid_parts(candidate))))
    return float(np.median(times[0])), float(np.median(times[1]))


def compare(size: tuple[int, int], effort: Effort) -> tuple[list[Row], LabelledPeople]:
    """Time one query with N candidates, by each road, at one size."""
    people = crowd(size, effort)
    literal, patient = loops(people, effort.loops)
    options = SearchOptions(num_candidates=N, method="fast")
    search = PseudoLabelSearch(people, options)
    describing = seconds(lambda: PseudoLabelSearch(people, options)) / len(people)
    fast = seconds(lambda: search.find(range(len(people)))) / len(people)
    search = PseudoLabelSearch(people, replace(options, method="exact"))
    exact = seconds(lambda: search.find(range(effort.exact))) / effort.exact
    roads = (
        ("Eq. 1 on one-hot maps, candidate by candidate", N * literal, effort.loops),
        ("label maps, candidate by candidate", N * patient, effort.loops),
        ("ours, exact", exact + describing, effort.exact),
        ("ours, fast", fast + describing, len(people)),
        ("of these, describing", describing, len(people)),
    )
    rows = [
        {"size": text(size), "road": road, "ms": 1e3 * each, "measured on": on} for road, each, on in roads
    ]
    return rows, people


def growth(people: LabelledPeople, effort: Effort) -> list[Row]:
    """Time both methods for more and more candidates."""
    rows = []
    for count in (100, 500, 1000, 5000, None):
        if count is not None and count >= len(people):
            continue
        row: Row = {"candidates": count or f"all {len(people):,}"}
        for method in ("fast", "exact"):
            search = PseudoLabelSearch(people, SearchOptions(num_candidates=count, method=method))
            queries = range(min(len(people), 1000 if count else 200, effort.exact))
            spent = seconds(lambda search=search, queries=queries: search.find(queries))
            row[method] = 1e3 * spent / len(queries)
        rows.append(row)
    return rows


def agreement(people: LabelledPeople, effort: Effort, seed: int = 1) -> list[Row]:
    """Count how often the winner is that of all pixels of all candidates, and that of the loop."""
    queries = np.random.default_rng(seed).choice(len(people), effort.checked, replace=False)
    options = SearchOptions(num_candidates=N)
    exact = PseudoLabelSearch(people, options).find(queries).target
    fast = PseudoLabelSearch(people, replace(options, method="fast")).find(queries).target
    everyone = PseudoLabelSearch(people, replace(options, shortlist=N)).find(queries).target
    few = queries[: effort.literal].tolist()
    drawn = {query: draw_candidates(query, len(people), N, 0).tolist() for query in few}
    known = {number: someone(people, number) for query in few for number in (query, *drawn[query])}
    literal = np.array(
        [best(known, query, drawn[query], min_pose_difference=MIN_DIFFERENCE)[0] for query in few]
    )
    pixels, loop = "all pixels of all candidates", "the loop over candidates"
    found = (
        ("exact", pixels, exact == everyone),
        ("fast", pixels, fast == everyone),
        ("exact", loop, exact[: len(few)] == literal),
    )
    size = text(people.image_size)
    return [
        {"size": size, "method": method, "against": other, "queries": len(same), "same": float(same.mean())}
        for method, other, same in found
    ]


def to_markdown(result: dict[str, list[Row]], facts: dict[str, object]) -> str:
    """Write the three tables and a line about the machine."""
    lines = [
        f"| one source, N = {N} | ms per source | all {facts['people']:,} sources |",
        "| --- | ---: | ---: |",
    ]
    for row in result["roads"]:
        whole = row["ms"] * facts["people"] / 1e3
        lines.append(f"| {row['road']}, {row['size']} | {row['ms']:.3g} | {_duration(whole)} |")
    lines += [
        "",
        f"| candidates per source, {text(SIZES[-1])} | fast, ms | exact, ms |",
        "| ---: | ---: | ---: |",
    ]
    lines += [f"| {row['candidates']} | {row['fast']:.3g} | {row['exact']:.3g} |" for row in result["growth"]]
    lines += ["", "| method | same winner as | sources | share |", "| --- | --- | ---: | ---: |"]
    for row in result["agreement"]:
        share = f"{100 * row['same']:.1f} %"
        lines.append(f"| {row['method']}, {row['size']} | {row['against']} | {row['queries']} | {share} |")
    note = f"{facts['machine']}, {facts['threads']} threads, {facts['date']}"
    return "\n".join([*lines, "", f"*Measured by `python -m benchmarks.search` in one run: {note}.*"])


def _duration(value: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if value >= 2 * length:
            return f"{value / length:.1f} {unit}"
    return f"{value:.0f} s"


def main() -> None:
    """Measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="keep the numbers in results/ and the README")
    parser.add_argument("--quick", action="store_true", help="a draft with few people and queries")
    parser.add_argument("--people", type=int, help="how many, in place of 37,258")
    options = parser.parse_args()
    effort = QUICK if options.quick else Effort()
    effort = replace(effort, people=options.people or effort.people)
    result: dict[str, list[Row]] = {"roads": [], "growth": [], "agreement": []}
    for size in SIZES:
        rows, people = compare(size, effort)
        result["roads"] += rows
        result["agreement"] += agreement(people, effort)
    result["growth"] = growth(people, effort)  # at the smaller size
    facts = {
        **tables.circumstances(),
        "people": effort.people,
        "quick": options.quick,
    }
    markdown = to_markdown(result, facts)
    print(markdown)
    if options.write:
        tables.keep("search", {"facts": facts, **result}, markdown)


if __name__ == "__main__":
    main()
