"""What all variants share: people, partners, scenes, the pairs they are scored on, and the judges."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import nn

from benchmarks.spt_ablations.variants import SIZE, Variant
from pgt.checkpoint import WEIGHTS, find, load
from pgt.commands.common import bundled
from pgt.data.pairs import CachedPeople
from pgt.data.part_descriptors import LabelledPeople
from pgt.data.person import Pair, Person
from pgt.data.pseudo_label_index import PseudoLabels, write_index
from pgt.data.pseudo_labels import PseudoLabelSearch, SearchOptions
from pgt.data.unpaired import UnpairedPeople, true_partners
from pgt.models.pose_estimator import PoseEstimator
from pgt.synthetic.people import SyntheticPeople
from pgt.synthetic.scenes import SyntheticScenes

SCENE = "mixed"
POSES = 2  # pictures of each person: the more, the oftener the search meets somebody's own
PAPERS_PICTURES = 37_258  # to train on, section 4.1
NUM_SCENES = 2000
JUDGES = ("pose-estimator", "human-parser")


@dataclass(frozen=True)
class Effort:
    """How much is done; results of different efforts are never mixed.

    Args:
        steps_scale: multiplies the steps of all stages.
        identities: people to train on, each in two pictures; by default as many pictures as the paper has,
            for the chance that a search meets somebody's other picture is N / (number of pictures).
        pairs: of unseen people, to score on.
    """

    steps_scale: float = 1.0
    identities: int = PAPERS_PICTURES // POSES
    pairs: int = 300


class Material:
    """The data of all variants, made once and kept in a folder.

    Args:
        folder: where; several processes may read it once `prepare` is through.
        effort: how much of it.
    """

    def __init__(self, folder: Path, effort: Effort) -> None:
        self.folder, self.effort = folder, effort

    @cached_property
    def people(self) -> CachedPeople:
        """Those to train on."""
        people = SyntheticPeople("train", SIZE, SCENE, self.effort.identities, POSES)
        return people.cached(self.folder / "people", keep=("label_map",))

    @cached_property
    def pairs(self) -> Sequence[Pair]:
        """Unseen people, each in two poses."""
        unseen = SyntheticPeople("test", SIZE, SCENE, self.effort.pairs, POSES).cached(self.folder / "people")
        unseen.fill(progress=False)
        return [Pair(unseen.person(i, 0), unseen.person(i, 1), str(i)) for i in range(unseen.num_identities)]

    @property
    def identities(self) -> np.ndarray:
        """Who is on each picture to train on, (M,) int."""
        return np.arange(self.people.num_people) // POSES

    def prepare(self, searches: Sequence[tuple[int | None, int]]) -> None:
        """Render and search whatever is missing, so that others need only read.

        Args:
            searches: (number of candidates, seed) of each; None candidates: true partners, nothing to do.
        """
        self.people.fill()
        print(f"{len(self.pairs)} pairs to score on, {len(self._scenes)} scenes", flush=True)
        labelled = None
        for candidates, seed in searches:
            if candidates is not None and not self._index(candidates, seed).exists():
                labelled = labelled or self._labelled()
                options = SearchOptions(num_candidates=candidates, seed=seed)
                write_index(
                    self._index(candidates, seed), PseudoLabelSearch(labelled, options), progress=True
                )

    def dataset(self, variant: Variant, seed: int) -> UnpairedPeople:
        """Return what a variant is trained on: everyone, with a partner who lends pose and map."""
        partners = self.partners(variant.candidates, seed)
        config = variant.config()
        needs_scenes = variant.draws and config.background == "network" and config.auxiliary
        return UnpairedPeople(self._person, partners, list(self._scenes) if needs_scenes else None)

    def partners(self, candidates: int | None, seed: int) -> np.ndarray:
        """Return (P, 2) int, source and target, of a search that `prepare` has made, or true ones."""
        if candidates is None:
            return true_partners(self.identities)
        return PseudoLabels.read(self._index(candidates, seed)).pairs

    def share_of_truth(self, candidates: int, seed: int) -> float:
        """Return how many pseudo-labels are the same person's other picture (Table 4), in percent."""
        source, target = self.partners(candidates, seed).T
        return 100 * float((self.identities[source] == self.identities[target]).mean())

    def _person(self, number: int) -> Person:
        return self.people.person(*divmod(number, POSES))

    def _labelled(self) -> LabelledPeople:
        everyone = map(self._person, range(self.people.num_people))
        return LabelledPeople.from_people(everyone, self.identities)

    def _index(self, candidates: int, seed: int) -> Path:
        name = f"{self.people.folder.name}-{candidates}-{seed}"
        return self.folder / "pseudo_labels" / name / "index.jsonl"

    @cached_property
    def _scenes(self) -> np.ndarray:
        """(N, H, W, 3) uint8, painted once."""
        path = self.folder / "scenes.npy"
        if not path.exists():
            painted = np.stack([*SyntheticScenes("train", SIZE, NUM_SCENES)])
            np.save(path.with_suffix(".new.npy"), painted)
            path.with_suffix(".new.npy").replace(path)  # so that a killed run leaves no half file
        return np.load(path)


def judge() -> PoseEstimator:
    """Load the pose estimator that guides and scores."""
    return load(bundled(JUDGES[0]), quiet=True)


def features() -> nn.Module:
    """Load the network behind content and style losses."""
    return load(bundled(JUDGES[1]), quiet=True).features()


def checksums() -> dict[str, int]:
    """Return the CRC-32 of the weights that all results depend on."""
    folders = {name: find(bundled(name))[0] for name in JUDGES}
    return {name: zlib.crc32((folder / WEIGHTS).read_bytes()) for name, folder in folders.items()}
