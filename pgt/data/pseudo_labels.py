"""SPT's pseudo-labels: for each person, somebody else in another pose whose clothes are cut alike.

    Song et al., Unpaired Person Image Generation with Semantic Parsing Transformation, TPAMI 2021, sec. 3.2

For a source s, the pseudo-label is the candidate c that minimises (Eq. 1)

    1/n sum_j 1/|B_s^j| || B_s^j S_s - f_j(B_c^j S_c) ||^2

over the n of the ten rigid parts j that are valid in both, where S are one-hot label maps, B part masks, and
f_j aligns the four corners of c's part with those of s's by least squares (Eq. 2).

No code was ever published, and the paper leaves open what follows. Our choices:
- The ten labels include the background: that a part's rectangle is not filled tells a sleeve's width.
- B^j is the hull of the four corners of `pgt.data.body_parts` inside the picture, the torso's too. It is
  valid where it holds a pixel; how pixels are compared stands in `pgt.data.part_distance`.
- "Very similar poses": `pose_differences` below `min_pose_difference`.
- The parts valid in both must be at least `min_parts`, and at least `min_shared` of each one's own; or bare
  heads would win, and somebody with legs would often find an upper body.
- Each source draws its own N candidates, without replacement, from everyone but itself; who is in too
  similar a pose or, if asked for, of the same identity is then left out.
- Of equally good candidates, the one with the lowest number.

Method "fast" evaluates Eq. 1 on the grid of `pgt.data.part_descriptors`; "exact" takes the best few of these
and evaluates it on all pixels.
Variant "slides" is the form in the slides of the conference version (CVPR 2019): the source is warped to the
candidate's pixels, and the distances of the parts valid in both are added up, divided by nothing.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from pgt.data.body_parts import NUM_PARTS
from pgt.data.part_descriptors import WORDS, LabelledPeople, compare_codes, describe
from pgt.data.part_distance import Run, part_distances

METHODS = ("exact", "fast")
VARIANTS = ("paper", "slides")
NOBODY = -1
_COMPARED = 8192  # candidates at once, of many sources together: long steps, so that threads seldom wait
QUERIES_AT_ONCE = 256

Shortlist = tuple[np.ndarray, np.ndarray, np.ndarray]  # candidates ascending, their distances, their n


@dataclass(frozen=True)
class SearchOptions:
    """What counts as the best pseudo-label.

    Args:
        num_candidates: N, drawn at random for each source; None for everyone (the paper: 500).
        method: "exact" or "fast".
        variant: "paper" (Eq. 1) or "slides".
        seed: of the draws.
        exclude_same_identity: leave out other pictures of the source's person. The paper does not: it draws
            at random to meet them rarely.
        min_pose_difference: see `pose_differences`.
        min_parts: how many parts must be valid in both.
        min_shared: how many these must be of the parts valid in either one, 0 to 1.
        shortlist: how many candidates method "exact" compares pixel by pixel.

    Raises:
        ValueError: an unknown method or variant, or a number out of range.
    """

    num_candidates: int | None = 500
    method: str = "exact"
    variant: str = "paper"
    seed: int = 0
    exclude_same_identity: bool = False
    min_pose_difference: float = 0.15
    min_parts: int = 3
    min_shared: float = 0.8
    shortlist: int = 16

    def __post_init__(self) -> None:
        if self.method not in METHODS or self.variant not in VARIANTS:
            raise ValueError(
                f"A search is {' or '.join(METHODS)}, of variant {' or '.join(VARIANTS)}, "
                f"not {self.method!r} and {self.variant!r}."
            )
        counts = (1 if self.num_candidates is None else self.num_candidates, self.shortlist, self.min_parts)
        if min(counts) < 1 or self.min_parts > NUM_PARTS or self.seed < 0:
            raise ValueError(
                "A search needs a candidate or more, one on its shortlist, 1 to 10 parts, and a seed from 0."
            )
        if not (self.min_pose_difference >= 0 and 0 <= self.min_shared <= 1):
            raise ValueError(
                f"A pose difference of {self.min_pose_difference} must not be negative, "
                f"and a share of {self.min_shared} is not within 0 to 1."
            )


class Matches(NamedTuple):
    """The pseudo-labels of Q sources."""

    target: np.ndarray  # (Q,) int64, number of the person found; NOBODY (-1) where no candidate qualifies
    distance: np.ndarray  # (Q,) float64, its Eq. 1, 0 to 2 (slides: in pixels); NaN where there is nobody
    num_parts: np.ndarray  # (Q,) int64, n; 0 where there is nobody


def draw_candidates(query: int, num_people: int, count: int | None, seed: int) -> np.ndarray:
    """Draw candidates for one source: (N,) int64, ascending, without the source itself.

    Depends on the arguments alone, so that any part of a search can be repeated. Everyone is drawn where
    `count` is None or at least `num_people - 1`.
    """
    if count is None or count >= num_people - 1:
        drawn = np.arange(num_people - 1)
    else:
        drawn = np.random.default_rng([seed, query]).choice(
            num_people - 1, count, replace=False, shuffle=False
        )
        drawn.sort()
    return drawn + (drawn >= query)


def pose_differences(
    joints: np.ndarray, visible: np.ndarray, other_joints: np.ndarray, other_visible: np.ndarray
) -> np.ndarray:
    """Measure how far poses differ: the mean distance of joints seen in both, in units of the torso's length.

    Place and size are taken out first: each pose is divided by its `st`, and the means of the joints seen in
    both are laid on each other. Below 0.15, a hand's breadth at every joint, are 17 % of the pairs of
    synthetic people, 8 % of Market-1501 and 32 % of DeepFashion, whose models mostly stand facing the camera.

    Args:
        joints: (..., 18) complex, x + iy in units of `body_scale`.
        visible: (..., 18) bool.
        other_joints: (..., 18), broadcast against `joints`.
        other_visible: (..., 18).

    Returns:
        (...) float; 0 where fewer than two joints are seen in both, since nothing tells the poses apart.
    """
    both = other_visible & visible
    count = np.maximum(np.count_nonzero(both, axis=-1), 1)
    apart = (other_joints - joints) * both
    apart -= (apart.sum(axis=-1) / count)[..., None]
    return (np.abs(apart) * both).sum(axis=-1) / count


class PseudoLabelSearch:
    """The search for pseudo-labels among some people.

    Args:
        people: who may be source and candidate.
        options: what counts as best.
        threads: queries worked on at once; torch's number of threads by default.

    Raises:
        ValueError: `exclude_same_identity` without identities.
    """

    def __init__(
        self, people: LabelledPeople, options: SearchOptions | None = None, *, threads: int | None = None
    ) -> None:
        self.people, self.options = people, options or SearchOptions()
        if self.options.exclude_same_identity and people.identities is None:
            raise ValueError("To leave out pictures of the same person, the search needs identities.")
        self.descriptors = describe(people)
        self.threads = threads or torch.get_num_threads()
        self._over_source = self.options.variant == "paper"
        # What a part's summed count of places is worth: a share of the part, or pixels.
        valid, places = self.descriptors.valid, np.maximum(self.descriptors.places, 1)
        worth = np.where(valid, (1 if self._over_source else self.descriptors.area) / places, 0)
        self._weights = np.tile(worth.astype(np.float32), WORDS)  # (M, 20), a weight per word
        self._num_parts = valid.sum(axis=1)
        self._valid_bits = valid @ (1 << np.arange(NUM_PARTS, dtype=np.uint16))

    def find(self, queries: Sequence[int] | np.ndarray) -> Matches:
        """Find the pseudo-labels of some people.

        Args:
            queries: their numbers; the answer to one does not depend on the others.

        Raises:
            IndexError: there is no such person.
        """
        queries = np.asarray(queries, np.int64).reshape(-1)
        if len(queries) and not 0 <= queries.min() <= queries.max() < len(self.people):
            raise IndexError(f"People are numbered 0 to {len(self.people) - 1}; got {queries.tolist()[:9]}.")
        results = []
        with ThreadPoolExecutor(self.threads) if self.threads > 1 else nullcontext() as pool:
            run = pool.map if pool else map
            for first in range(0, len(queries), QUERIES_AT_ONCE):
                block = queries[first : first + QUERIES_AT_ONCE]
                pieces = np.array_split(block, min(len(block), self.threads))
                best = [one for shortlists in run(self._shortlists, pieces) for one in shortlists]
                results += best if self.options.method == "fast" else self._exact(block, best, run)
        winners = [_first_of_least(*result) for result in results]
        target, distance, num_parts = zip(*winners, strict=True) if winners else ((), (), ())
        return Matches(np.array(target, np.int64), np.array(distance, float), np.array(num_parts, np.int64))

    def _shortlists(self, queries: np.ndarray) -> list[Shortlist]:
        """Return the best candidates of some people, ascending, with their distances on the grid and n."""
        options, num_people = self.options, len(self.people)
        count = min(options.num_candidates or num_people, max(num_people - 1, 1))
        together = max(1, _COMPARED // count)
        codes = np.empty((min(together * count, _COMPARED), self.descriptors.codes.shape[1]), np.uint64)
        results = []
        for first in range(0, len(queries), together):
            block = queries[first : first + together]
            drawn = [draw_candidates(one, num_people, options.num_candidates, options.seed) for one in block]
            results += self._nearest(block, np.stack(drawn), codes)
        return results

    def _nearest(self, queries: np.ndarray, candidates: np.ndarray, codes: np.ndarray) -> list[Shortlist]:
        """Return the shortlists of Q people among (Q, N) candidates; `codes` is memory to work in."""
        options = self.options
        distances = self._on_grid(queries, candidates, codes)
        num_parts = np.bitwise_count(self._valid_bits[candidates] & self._valid_bits[queries][:, None])
        own, theirs = self._num_parts[queries][:, None], self._num_parts[candidates]
        if self._over_source:
            # A part that only the source has lies outside the candidate all over, so it added exactly 1.
            distances -= own - num_parts
            distances /= np.maximum(num_parts, 1)
            np.maximum(distances, 0, out=distances)  # rounding
        enough = np.maximum(options.min_parts, options.min_shared * np.maximum(own, theirs))
        distances[num_parts < enough - 1e-6] = np.inf
        if options.exclude_same_identity:
            identities = self.people.identities
            distances[identities[candidates] == identities[queries][:, None]] = np.inf
        chosen = self._differently_posed(queries, candidates, distances)
        rows = zip(candidates, distances, num_parts, chosen, strict=True)
        return [(who[at], apart[at], parts[at]) for who, apart, parts, at in rows]

    def _on_grid(self, queries: np.ndarray, candidates: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the labels that differ on the grid, weighted as in Eq. 1: (Q, N) float32."""
        distances = np.empty(candidates.shape, np.float32)
        step = max(1, len(codes) // len(queries))
        for first in range(0, candidates.shape[1], step):
            block = candidates[:, first : first + step]
            theirs = codes[: block.size]
            # "clip", since "raise" would take its results into memory of its own first
            self.descriptors.codes.take(block.ravel(), axis=0, out=theirs, mode="clip")
            theirs = theirs.reshape(*block.shape, -1)
            counts = compare_codes(
                self.descriptors.codes[queries][:, None], theirs, over_source=self._over_source
            )
            if self._over_source:
                each = np.einsum("qcw,qw->qc", counts, self._weights[queries])
            else:
                valid = np.tile(self.descriptors.valid[queries], WORDS)
                each = np.einsum("qcw,qcw,qw->qc", counts, self._weights[block], valid)
            distances[:, first : first + step] = each
        return distances

    def _differently_posed(
        self, queries: np.ndarray, candidates: np.ndarray, distances: np.ndarray
    ) -> list[np.ndarray]:
        """Return where the nearest few candidates in another pose than the query's stand, each ascending."""
        count = 1 if self.options.method == "fast" else self.options.shortlist
        # Sorts by distance and among equals by place, since the bits of a float from 0 order as it does.
        keys = distances.view(np.uint32).astype(np.uint64) << 32
        keys |= np.arange(candidates.shape[1], dtype=np.uint64)
        chosen: list[np.ndarray] = [np.empty(0, np.intp)] * len(queries)
        left = np.arange(len(queries))  # the rows still to be looked at
        reach = max(16, 2 * count)  # the poses of so many are looked at, and of more where too many are alike
        while len(left) and candidates.shape[1]:
            reach = min(reach, candidates.shape[1])
            near = np.sort(np.partition(keys[left], reach - 1, axis=1)[:, :reach], axis=1)
            near = (near & np.uint64(0xFFFFFFFF)).astype(np.intp)
            who = np.take_along_axis(candidates[left], near, axis=1)
            apart = self._pose_differences(queries[left], who)
            usable = np.isfinite(np.take_along_axis(distances[left], near, axis=1))
            usable &= apart >= self.options.min_pose_difference
            for row, at, good in zip(left, near, usable, strict=True):
                chosen[row] = np.sort(at[good][:count])
            left = left[usable.sum(axis=1) < count] if reach < candidates.shape[1] else left[:0]
            reach *= 8
        return chosen

    def _pose_differences(self, queries: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return `pose_differences` of Q people from (Q, K) others."""
        joints, visible = self.descriptors.joints, self.people.visible
        return pose_differences(
            joints[queries][:, None], visible[queries][:, None], joints[others], visible[others]
        )

    def _exact(self, queries: np.ndarray, shortlists: Sequence[Shortlist], run: Run) -> list[Shortlist]:
        """Replace the grid's distances on shortlists by those of all pixels."""
        lengths = [len(candidates) for candidates, _, _ in shortlists]
        sources, targets = np.repeat(queries, lengths), np.concatenate([found for found, _, _ in shortlists])
        if self._over_source:  # one row of candidates a source; a short one is filled up with the source
            columns = np.arange(self.options.shortlist)
            used = columns < np.array(lengths)[:, None]
            others = np.where(used, 0, queries[:, None])
            others[used] = targets
            sums = part_distances(self.people, self.descriptors, queries, others, run)[used]
        else:
            sums = part_distances(self.people, self.descriptors, targets, sources[:, None], run)[:, 0]
        both = self.descriptors.valid[sources] & self.descriptors.valid[targets]
        num_parts = both.sum(axis=1)
        if self._over_source:
            shares = np.where(both, sums / np.maximum(self.descriptors.area[sources], 1), 0)
            distances = shares.sum(axis=1, dtype=np.float64) / np.maximum(num_parts, 1)
        else:
            distances = np.where(both, sums, 0).sum(axis=1, dtype=np.float64)
        cuts = np.cumsum(lengths)[:-1]
        return list(zip(*(np.split(values, cuts) for values in (targets, distances, num_parts)), strict=True))


def _first_of_least(candidates: np.ndarray, distances: np.ndarray, num_parts: np.ndarray) -> tuple:
    if not np.isfinite(distances).any():
        return NOBODY, np.nan, 0
    best = distances.argmin()  # the first of equals
    return candidates[best], distances[best], num_parts[best]
