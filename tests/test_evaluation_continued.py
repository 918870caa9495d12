"""An evaluation that is stopped goes on where it was, to the same numbers, and only if it is the same one."""

import json
from collections.abc import Sequence

import pytest
import torch
from torch import nn

from pgt import partial
from pgt.__main__ import main
from pgt.checkpoint import save
from pgt.data.person import Pair
from pgt.evaluation import evaluate, with_true_maps
from pgt.files import replace_bytes
from pgt.judges import Judges
from pgt.models.pg2 import PG2Generator
from pgt.partial import beside, fingerprint
from pgt.predictor import Predictor
from tests.data import layouts
from tests.test_evaluation import make_person

PAIRS = [Pair(make_person(seed), make_person(seed + 100)) for seed in range(6)]


class Stopping(Sequence):
    """Pairs of which one is the moment of a Ctrl-C."""

    def __init__(self, pairs: Sequence[Pair], at: int) -> None:
        self.pairs, self.at = pairs, at

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Pair:
        if index == self.at:
            raise KeyboardInterrupt
        return self.pairs[index]


class Features:
    """Stand in for the Inception: random features, always the same of one picture."""

    title = "noise"

    def __init__(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = nn.Linear(3, 24)

    def __call__(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            features = self.network(images.float().mean(dim=(2, 3)) / 255)
        return features, features[:, :8]


@pytest.fixture
def drawn(monkeypatch) -> list[int]:
    """Count how many pictures are drawn, batch by batch."""
    counts, generate = [], Predictor.generate_batch

    def counted(self, pairs, *arguments, **settings):
        counts.append(len(pairs))
        return generate(self, pairs, *arguments, **settings)

    monkeypatch.setattr(Predictor, "generate_batch", counted)
    return counts


def measure(generator: PG2Generator, pairs: Sequence[Pair], keep=None, **settings):
    judges = Judges(("is", "fid"), inception=Features())
    methods = {"PG2": Predictor(generator)}
    return evaluate(methods, pairs, batch_size=2, judges=judges, keep=keep, **settings)


def numbers(result) -> str:
    """Write all numbers but the clock's."""
    kept = [
        {row: {k: v for k, v in one.items() if k != "milliseconds"} for row, one in table.items()}
        for table in (result.means, result.standard_errors, {"": result.protocol})
    ]
    return json.dumps([kept, result.facts["data"]])


def test_a_stopped_evaluation_goes_on_to_the_same_numbers(tiny_generator, tmp_path, drawn):
    keep = beside(tmp_path / "scores.json")
    whole = measure(tiny_generator, PAIRS)
    assert len(drawn) == 2 * 3  # the generator and the part warp, three batches
    drawn.clear()
    with pytest.raises(KeyboardInterrupt):
        measure(tiny_generator, Stopping(PAIRS, 4), keep)
    assert len(drawn) == 2 * 2
    drawn.clear()
    assert numbers(measure(tiny_generator, PAIRS, keep)) == numbers(whole)
    assert len(drawn) == 2  # the last batch alone
    drawn.clear()
    measure(tiny_generator, PAIRS, keep)
    assert drawn == []


def test_other_weights_settings_or_a_damaged_file_begin_again(tiny_generator, tmp_path, drawn):
    keep = tmp_path / "some.partial"
    for change in ("weights", "settings", "file"):
        with pytest.raises(KeyboardInterrupt):
            measure(tiny_generator, Stopping(PAIRS, 4), keep)
        if change == "weights":
            with torch.no_grad():
                next(tiny_generator.parameters()).mul_(1.01)
        if change == "file":
            keep.write_bytes(keep.read_bytes()[:500])
        drawn.clear()
        settings = {"mask": "pose"} if change == "settings" else {}
        again = measure(tiny_generator, PAIRS, keep, **settings)
        assert len(drawn) == 2 * 3, change
        assert numbers(again) == numbers(measure(tiny_generator, PAIRS, **settings))
        keep.unlink()


@pytest.fixture
def written(monkeypatch) -> list[bytes]:
    """Collect what is written, writing by writing, as a process that is killed then would leave it."""
    states = []

    def watched(path, *contents):
        states.append(b"".join(bytes(one) for one in contents))
        replace_bytes(path, *contents)

    monkeypatch.setattr(partial, "replace_bytes", watched)
    return states


def test_a_state_is_written_once_a_minute_and_at_the_end(tiny_generator, tmp_path, monkeypatch, written):
    measure(tiny_generator, PAIRS, tmp_path / "some.partial")
    assert len(written) == 1
    monkeypatch.setattr(partial, "SECONDS", 0)
    measure(tiny_generator, [*PAIRS, PAIRS[0]], tmp_path / "other.partial")
    assert len(written) == 1 + 4  # batches


def test_who_is_killed_goes_on_from_the_last_writing(tiny_generator, tmp_path, monkeypatch, written, drawn):
    keep, whole = tmp_path / "some.partial", measure(tiny_generator, PAIRS)
    monkeypatch.setattr(partial, "SECONDS", 0)
    measure(tiny_generator, PAIRS, keep)
    for state, left in zip(written[:3], (2, 1, 0), strict=True):
        keep.write_bytes(state)
        drawn.clear()
        assert numbers(measure(tiny_generator, PAIRS, keep)) == numbers(whole)
        assert len(drawn) == 2 * left


def test_half_a_batch_is_not_kept(tiny_generator, tmp_path, monkeypatch, drawn):
    """The generator's rows of the second batch are measured when the part warp is interrupted."""
    keep, whole = tmp_path / "some.partial", measure(tiny_generator, PAIRS)
    generate = Predictor.generate_batch

    def interrupted(self, pairs, *arguments, **settings):
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return generate(self, pairs, *arguments, **settings)

    drawn.clear()
    monkeypatch.setattr(Predictor, "generate_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure(tiny_generator, PAIRS, keep)
    monkeypatch.setattr(Predictor, "generate_batch", generate)
    drawn.clear()
    assert numbers(measure(tiny_generator, PAIRS, keep)) == numbers(whole)
    assert len(drawn) == 2 * 2


def test_true_features_are_kept_once_and_all_as_the_network_gave_them(tiny_generator, tmp_path):
    keep = tmp_path / "some.partial"
    rows = measure(tiny_generator, PAIRS, keep).means
    sets = torch.load(keep, weights_only=True)["state"]["table"]["sets"]
    assert set(sets["features"]) == set(rows)
    assert [one.shape for one in sets["true"]] == [(len(PAIRS), 24)]
    parts = [sets["true"], *sets["features"].values(), *sets["logits"].values()]
    assert {one.dtype for part in parts for one in part} == {torch.float32}


def test_changed_pictures_are_noticed(tiny_generator, tmp_path):
    keep = tmp_path / "some.partial"
    with pytest.raises(KeyboardInterrupt):
        measure(tiny_generator, Stopping(PAIRS, 4), keep)
    others = [Pair(make_person(77), PAIRS[0].target), *PAIRS[1:]]
    with pytest.raises(ValueError, match=r"not those that .*some\.partial was begun with; remove it"):
        measure(tiny_generator, others, keep)


def test_functions_that_nobody_knows_cannot_be_kept(tmp_path, tiny_generator):
    methods = {"mine": lambda chunk: [pair.source.image for pair in chunk]}
    with pytest.raises(ValueError, match="numbers of 'mine' cannot be kept"):
        evaluate(methods, PAIRS, keep=tmp_path / "some.partial")
    true = with_true_maps(Predictor(tiny_generator))
    assert true.predictor.model is tiny_generator


def test_a_fingerprint_sees_every_weight(tiny_generator):
    before = fingerprint(tiny_generator)
    assert before == fingerprint(tiny_generator)
    with torch.no_grad():
        list(tiny_generator.parameters())[-1][-1:] += 1e-3
    assert fingerprint(tiny_generator) != before
    assert fingerprint(None) != before


def test_the_command_removes_what_it_kept_when_it_is_done(tiny_generator, tmp_path, monkeypatch, capsys):
    root, out = layouts.market1501(tmp_path / "market"), tmp_path / "scores.json"
    weights = save(tiny_generator, tmp_path / "weights")
    command = ["evaluate", "pg2", "--weights", str(weights), "--data", f"market1501:{root}", "--beside"]
    command += ["--out", str(out)]
    saved = []

    def stopped(self, path) -> None:
        saved.append(beside(path).is_file())
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pgt.results.EvaluationResult.save", stopped)
        assert main(command) == 130
    assert saved == [True]
    assert "the same command continues" in capsys.readouterr().err
    assert main(command) == 0
    assert out.is_file()
    assert not beside(out).exists()
