"""The plan of a study: who is shown which pictures in which order, made once, before anybody is asked.

A study is a folder: `plan.json`, `pictures/*.png` under names that say nothing, and, once somebody has taken
part, `participants.csv` and `answers.csv`. Only the plan knows what a picture is.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

REAL_FAKE, PREFERENCE = "real-fake", "preference"
KINDS = (REAL_FAKE, PREFERENCE)
REAL, GENERATED = "real", "generated"
LEFT, RIGHT = "left", "right"
ANSWERS = {REAL_FAKE: (REAL, GENERATED), PREFERENCE: (LEFT, RIGHT)}
SOURCE, POSE = "source", "pose"  # beside a pair: where the person comes from, and the wanted pose
GIVEN = (SOURCE, POSE)  # folders of pictures that are shown but never judged
PLAN, PICTURES = "plan.json", "pictures"


@dataclass(frozen=True)
class Trial:
    """One question."""

    method: str  # that it tells something about
    pictures: tuple[str, ...]  # one, or left and right
    truth: str  # "real" or "generated"; of a pair: the side of the picture by `Plan.ours`
    practice: bool = False  # not counted
    given: tuple[str, ...] = ()  # pictures beside a pair: source, pose


@dataclass(frozen=True)
class Plan:
    """A whole study."""

    kind: str
    methods: tuple[str, ...]  # that are judged; of a preference: the rivals of `ours`
    ours: str  # of a preference; else ""
    seconds: float  # for which a picture is shown; 0 for as long as one likes
    seed: int
    note: str  # what participants are told about the pictures
    origins: Mapping[str, tuple[str, str]]  # picture -> method (or "real", "source", "pose"), file's name
    sessions: tuple[tuple[Trial, ...], ...]  # one for each participant

    def session(self, number: int) -> tuple[Trial, ...]:
        """Return the trials of participant `number`; more participants than planned begin again."""
        return self.sessions[number % len(self.sessions)]

    def write(self, folder: Path) -> None:
        """Write `plan.json`."""
        (folder / PLAN).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def read_plan(folder: str | Path) -> Plan:
    """Read the plan of a study.

    Raises:
        ValueError: there is none, it is broken, or a picture is missing.
    """
    path = Path(folder) / PLAN
    if not path.is_file():
        raise ValueError(f"{folder} is no study: it has no {PLAN}; pgt study make makes one.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sessions = tuple(tuple(map(_trial, trials)) for trials in content.pop("sessions"))
        origins = {picture: tuple(origin) for picture, origin in content.pop("origins").items()}
        content["methods"] = tuple(content["methods"])
        plan = Plan(**content, origins=origins, sessions=sessions)
        if plan.kind not in KINDS or not sessions or not all(sessions):
            raise ValueError(plan.kind)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(f"{path} is no plan by pgt study make.") from None
    missing = [name for name in origins if not picture_path(folder, name).is_file()]
    if missing:
        raise ValueError(f"{path} plans with {len(missing)} pictures that are not there.")
    return plan


def _trial(content: Mapping) -> Trial:
    lists = {name: tuple(content[name]) for name in ("pictures", "given")}
    return Trial(**{**content, **lists})


def picture_path(folder: str | Path, picture: str) -> Path:
    """Return where a study keeps a picture."""
    return Path(folder) / PICTURES / f"{picture}.png"


def blind_names(methods: Sequence[str], names: Sequence[str], seed: int) -> dict[tuple[str, str], str]:
    """Give every picture (method, file's name) a name that tells nothing: 16 random hexadecimal digits."""
    rng = random.Random(f"pictures {seed}")
    return {(method, name): f"{rng.getrandbits(64):016x}" for method in methods for name in names}


def plan_real_fake(
    blind: Mapping[tuple[str, str], str],
    methods: Sequence[str],
    names: Sequence[str],
    *,
    count: int,
    practice: int,
    sessions: int,
    seed: int,
) -> tuple[tuple[Trial, ...], ...]:
    """Plan sessions of real and generated pictures: one block for each method, in random order.

    A block shows `count` real and `count` generated pictures in random order; its first `practice` ones, half
    of either kind, do not count (PG2, Sec. 4.4: 55, 55 and 10). Over the sessions every picture is shown
    equally often, up to one. As far as there are enough, no block shows both versions of one picture.

    Args:
        blind: (method or "real", file's name) -> picture.
        methods: that are judged.
        names: of the files.
        count, practice, sessions: see above.
        seed: of everything random.
    """
    order = _shuffled(names, seed, "order")
    planned = []
    for session in range(sessions):
        rng, blocks = random.Random(f"session {seed} {session}"), []
        for number, method in enumerate(methods):
            start = (session + number) * count  # whoever was shown as real comes as generated next
            fakes = [(method, name, GENERATED) for name in _window(order, start, count)]
            reals = [(REAL, name, REAL) for name in _window(order, start + count, count)]
            rng.shuffle(fakes)
            rng.shuffle(reals)
            half = practice // 2
            first, rest = fakes[:half] + reals[: practice - half], fakes[half:] + reals[practice - half :]
            rng.shuffle(first)
            rng.shuffle(rest)
            blocks.append(
                [
                    Trial(method, (blind[own, name],), truth, practice=index < practice)
                    for index, (own, name, truth) in enumerate([*first, *rest])
                ]
            )
        rng.shuffle(blocks)
        planned.append(tuple(trial for block in blocks for trial in block))
    return tuple(planned)


def plan_preference(
    blind: Mapping[tuple[str, str], str],
    ours: str,
    rivals: Sequence[str],
    names: Sequence[str],
    *,
    given: Sequence[str] = (),
    count: int,
    practice: int,
    sessions: int,
    seed: int,
) -> tuple[tuple[Trial, ...], ...]:
    """Plan sessions of pairs, ours beside a rival's picture of the same file, in random order.

    `count` pairs against each rival; ours stands on the left in half of them, up to one (SPT, Sec. 4.2: "in
    each pair, the images are in random order"). The first `practice` pairs come on top and do not count.

    Args:
        blind: (method, file's name) -> picture.
        ours: the method whose share is counted.
        rivals: the others.
        names: of the files.
        given: kinds of pictures to be shown beside each pair, such as "source".
        count, practice, sessions: see above.
        seed: of everything random.
    """
    order = _shuffled(names, seed, "order")
    planned = []
    for session in range(sessions):
        rng = random.Random(f"session {seed} {session}")
        trials = []
        for rival in rivals:
            sides = [(LEFT, RIGHT)[index % 2] for index in range(session, session + count)]
            rng.shuffle(sides)
            for name, side in zip(_window(order, session * count, count), sides, strict=True):
                trials.append(_pair(blind, ours, rival, name, side, given))
        rng.shuffle(trials)
        first = [
            _pair(blind, ours, rng.choice(rivals), rng.choice(names), rng.choice((LEFT, RIGHT)), given, True)
            for _ in range(practice)
        ]
        planned.append((*first, *trials))
    return tuple(planned)


def _pair(
    blind: Mapping[tuple[str, str], str],
    ours: str,
    rival: str,
    name: str,
    side: str,
    given: Sequence[str],
    practice: bool = False,
) -> Trial:
    methods = (ours, rival) if side == LEFT else (rival, ours)
    beside = tuple(blind[kind, name] for kind in given)
    return Trial(rival, tuple(blind[method, name] for method in methods), side, practice, beside)


def _shuffled(names: Sequence[str], seed: int, purpose: str) -> list[str]:
    order = sorted(names)
    random.Random(f"{purpose} {seed}").shuffle(order)
    return order


def _window(order: Sequence[str], start: int, count: int) -> list[str]:
    """Return `count` names from a place on, beginning again after the last."""
    return [order[(start + index) % len(order)] for index in range(count)]
