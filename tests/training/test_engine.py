"""The engine: interrupted equals uninterrupted, batches follow from the step alone, refusals speak."""

import json
import random
import signal
import time
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from pgt.checkpoint import MODEL_CLASSES, load
from pgt.config import Stage
from pgt.data.person import collate, encode_pair
from pgt.data.pose import FLIP_JOINTS, PoseEncoding
from pgt.synthetic.people import SyntheticPeople
from pgt.training.engine import Options, fit
from pgt.training.loading import OrderedPairs, Stacking, load_batches
from pgt.training.schedule import BatchOrder, Timetable, learning_rate
from tests.training import processes
from tests.training.processes import finish, log
from tests.training.tiny import SIZE, STAGES, TinyConfig, TinyPairs, TinyRecipe, register

QUICK = Options(log_every=3, sample_every=10, save_every=4)


@pytest.fixture(autouse=True)
def tiny_model(monkeypatch):
    monkeypatch.setattr("pgt.checkpoint.MODEL_CLASSES", dict(MODEL_CLASSES))
    register()


def train(run_dir, recipe=None, stages=STAGES, **keywords):
    recipe = recipe or TinyRecipe()
    progress = fit(recipe, TinyPairs(), stages, run_dir, **{"options": QUICK, **keywords})
    return recipe, progress


def child(run_dir, *arguments, num_processes=1):
    return processes.start("tests.training.tiny", run_dir, *arguments, num_processes=num_processes)


def logged_steps(run_dir):
    return [line["step"] for line in log(run_dir)]


def same_weights(a, b):
    return all(torch.equal(value, b[name]) for name, value in a.items())


def test_a_run_leaves_log_samples_state_and_a_loadable_generator(tmp_path):
    recipe, progress = train(tmp_path, sample_pairs=[TinyPairs()[0]])
    assert progress.finished
    assert progress.step == 40
    assert logged_steps(tmp_path) == [3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 40]
    assert [path.stem for path in sorted((tmp_path / "samples").iterdir())] == [
        f"step_{step:07d}" for step in (10, 20, 30, 40)
    ]
    assert Image.open(tmp_path / "samples" / "step_0000040.png").width > 3 * SIZE[1]
    assert same_weights(load(tmp_path / "generator").state_dict(), recipe.model.state_dict())
    assert "steps: 40" in (tmp_path / "generator" / "README.md").read_text()
    session = json.loads((tmp_path / "sessions.jsonl").read_text())
    assert (session["first_step"], session["last_step"]) == (0, 40)


def test_training_learns(tmp_path):
    train(tmp_path, stages=(replace(STAGES[0], num_steps=200),), flip=False)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["g/l2"] < 0.9 * lines[0]["g/l2"]


def test_stopped_by_the_clock_and_continued_equals_uninterrupted(tmp_path):
    whole, _ = train(tmp_path / "whole")
    stops = 0
    while True:
        options = replace(QUICK, max_seconds=0.0, save_every=1000)
        parts, progress = train(tmp_path / "parts", options=options)
        if progress.finished:
            break
        stops += 1
    assert stops == 39
    assert same_weights(whole.model.state_dict(), parts.model.state_dict())
    assert (tmp_path / "whole" / "log.jsonl").read_bytes() == (tmp_path / "parts" / "log.jsonl").read_bytes()


def test_a_finished_run_is_left_alone(tmp_path):
    train(tmp_path)
    before = (tmp_path / "state" / "state.pt").stat().st_mtime_ns
    _, progress = train(tmp_path)
    assert progress.finished
    assert (tmp_path / "state" / "state.pt").stat().st_mtime_ns == before


def test_loader_processes_do_not_change_the_result(tmp_path):
    alone, _ = train(tmp_path / "alone")
    helped, _ = train(tmp_path / "helped", options=replace(QUICK, num_workers=2))
    assert alone.seen == helped.seen
    assert same_weights(alone.model.state_dict(), helped.model.state_dict())


def test_the_callers_random_numbers_are_untouched(tmp_path):
    recipe = TinyRecipe()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(tmp_path, recipe)
    assert torch.equal(torch.rand(3), expected)


def test_accumulated_parts_see_the_same_pairs_and_move_the_weights_alike(tmp_path):
    def quiet() -> TinyRecipe:
        recipe = TinyRecipe()
        recipe.model.net[2].p = 0.0  # dropout draws other numbers for other batch shapes
        return recipe

    whole, _ = train(tmp_path / "whole", quiet(), STAGES[:1])
    parts, _ = train(tmp_path / "parts", quiet(), STAGES[:1], accumulation=2)
    assert [name for batch in whole.seen for name in batch] == [
        name for batch in parts.seen for name in batch
    ]
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(parts.model.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def test_bf16_trains(tmp_path):
    _, progress = train(tmp_path, precision="bf16")
    assert progress.finished
    assert load(tmp_path / "generator").net[0].weight.dtype == torch.float32


def test_a_loss_that_is_not_finite_stops_with_all_terms_and_keeps_the_last_state(tmp_path):
    with pytest.raises(
        FloatingPointError, match=r"step 10 \(stage first\): g/l2 = nan, g/mean = -?0\."
    ) as caught:
        train(tmp_path, TinyRecipe(TinyConfig(poison_at=9)))
    assert "\n" not in str(caught.value)
    assert torch.load(tmp_path / "state" / "state.pt", weights_only=True)["step"] == 8


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed was 0, now 1"),
        ({"flip": False}, "flip was True, now False"),
        ({"recipe": TinyRecipe(TinyConfig(width=5))}, r"approach_config.width was 4, now 5"),
        ({"stages": (STAGES[0], replace(STAGES[1], lr=0.02))}, r"stages\[1\].lr was 0.01, now 0.02"),
    ],
)
def test_another_configuration_in_the_same_folder_is_refused(tmp_path, change, named):
    train(tmp_path)
    with pytest.raises(ValueError, match=named) as caught:
        train(tmp_path, **change)
    assert "\n" not in str(caught.value)


def test_a_folder_of_an_earlier_version_continues(tmp_path):
    train(tmp_path, options=replace(QUICK, max_seconds=0.0))
    config = json.loads((tmp_path / "config.json").read_text())
    del config["start_from"]  # what an earlier version did not record
    (tmp_path / "config.json").write_text(json.dumps(config))
    state = torch.load(tmp_path / "state" / "state.pt", weights_only=True)
    del state["origin"]
    torch.save(state, tmp_path / "state" / "state.pt")
    assert train(tmp_path)[1].finished


def test_float16_on_a_cpu_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    with pytest.raises(ValueError, match="float16 training needs a GPU"):
        train(tmp_path, precision="fp16")


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be shared out evenly over 3"):
        train(tmp_path, accumulation=3)


def test_a_state_cut_while_being_written_leaves_the_previous_one(tmp_path, monkeypatch):
    reference, _ = train(tmp_path / "whole")
    real_save, calls = torch.save, []

    def save_half(state, file):
        calls.append(state)
        if len(calls) == 4:
            file.write(b"half a state")
            raise KeyboardInterrupt
        real_save(state, file)

    monkeypatch.setattr(torch, "save", save_half)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut")
    monkeypatch.undo()
    register()
    continued, _ = train(tmp_path / "cut")
    assert len(continued.seen) == 40 - 12
    assert same_weights(reference.model.state_dict(), continued.model.state_dict())


@pytest.mark.slow
def test_killed_at_a_random_moment_and_started_again_equals_uninterrupted(tmp_path):
    finish(child(tmp_path / "whole"))
    kills = 0
    for _ in range(2):
        process = child(tmp_path / "killed", "--pause", 0.05)
        wanted = max(logged_steps(tmp_path / "killed"), default=0) + random.randint(3, 12)
        while max(logged_steps(tmp_path / "killed"), default=0) < wanted and process.poll() is None:
            time.sleep(random.uniform(0.005, 0.03))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    assert kills == 2
    finish(child(tmp_path / "killed"))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert (whole / "log.jsonl").read_bytes() == (killed / "log.jsonl").read_bytes()
    weights = [load_file(path / "generator" / "model.safetensors") for path in (whole, killed)]
    assert same_weights(*weights)
    for picture in (whole / "samples").iterdir():
        assert picture.read_bytes() == (killed / "samples" / picture.name).read_bytes()


@pytest.mark.slow
def test_two_processes_share_the_batches_and_end_with_equal_weights(tmp_path):
    finish(child(tmp_path / "two", "--report", tmp_path / "two", num_processes=2))
    finish(child(tmp_path / "one", "--report", tmp_path / "one"))
    first, second = (json.loads(Path(f"{tmp_path}/two.{rank}").read_text()) for rank in (0, 1))
    alone = json.loads(Path(f"{tmp_path}/one.0").read_text())
    assert first["weights"] == second["weights"]
    assert [a + b for a, b in zip(first["seen"], second["seen"], strict=True)] == alone["seen"]
    ours, theirs = (list(chain(*one["seen"][:2])) for one in (first, second))  # 8 of an epoch's 10 pairs
    assert len({*ours, *theirs}) == len(ours) + len(theirs) == 8, "nobody reads what another one reads"
    two_epochs = Counter(chain(*first["seen"][:5], *second["seen"][:5]))
    assert two_epochs == {str(number): 2 for number in range(10)}, "together they read everything"
    assert logged_steps(tmp_path / "two") == logged_steps(tmp_path / "one")


def test_every_epoch_shows_every_pair_once_in_another_order():
    order = BatchOrder(num_pairs=50, seed=3)
    epochs = [[index for index, _ in order.pairs(50 * epoch, 50)] for epoch in (0, 1)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(50))
    assert epochs[0] != epochs[1]
    assert order.pairs(40, 20) == order.pairs(40, 10) + order.pairs(50, 10)
    assert BatchOrder(50, seed=4).pairs(0, 50) != order.pairs(0, 50)


def test_a_mirrored_item_has_its_sides_swapped():
    items, stack = OrderedPairs(TinyPairs()), Stacking(SIZE, PoseEncoding(radius=1.0))
    plain, mirrored = (stack([items[3, flip]]).encoded(torch.device("cpu")) for flip in (False, True))
    torch.testing.assert_close(mirrored.target, plain.target.flip(-1))
    across = SIZE[1] - 1 - plain.target_keypoints[0, list(FLIP_JOINTS), 0]
    torch.testing.assert_close(mirrored.target_keypoints[0, :, 0], across)


def test_batches_travel_as_bytes_and_arrive_as_the_one_road_makes_them():
    pairs, encoding, cpu = TinyPairs(), PoseEncoding(radius=1.0), torch.device("cpu")
    stacked = Stacking(SIZE, encoding)([pairs[0], pairs[3].flipped()])
    pictures, joints = 2 * 2 * SIZE[0] * SIZE[1] * 3, 2 * 2 * 18 * (2 * 4 + 1)
    assert stacked.memory.dtype == torch.uint8
    assert stacked.memory.shape == (pictures + joints,)  # one piece, nothing twice
    (batch,) = load_batches(pairs, [[(0, False), (3, True)]], SIZE, encoding, cpu)
    one_road = collate([encode_pair(pair, SIZE, encoding) for pair in (pairs[0], pairs[3].flipped())])
    assert batch.names == one_road.names
    for name in ("source", "target", "source_keypoints", "target_visible", "target_pose"):
        assert torch.equal(getattr(batch, name), getattr(one_road, name)), name
    assert batch.source.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_maps_masks_and_scenes_travel_too(num_workers):
    people = SyntheticPeople("train", SIZE, num_identities=2, poses_per_identity=2)
    pairs = [replace(people[i], scene=people[i].source.background) for i in range(3)]
    encoding, cpu = PoseEncoding(radius=1.0), torch.device("cpu")
    keys = [[(0, False), (1, False), (2, False)]]
    (batch,) = load_batches(pairs, keys, SIZE, encoding, cpu, num_workers=num_workers)
    one_road = collate([encode_pair(pair, SIZE, encoding) for pair in pairs])
    for name in ("source", "target_label_map", "source_person_mask", "target_person_mask", "scene"):
        assert torch.equal(getattr(batch, name), getattr(one_road, name)), name


def test_half_of_the_pairs_are_mirrored_or_none():
    mirrored = sum(flip for _, flip in BatchOrder(100, seed=0).pairs(0, 2000))
    assert 900 < mirrored < 1100
    assert not any(flip for _, flip in BatchOrder(100, seed=0, flip=False).pairs(0, 200))


def test_the_timetable_lays_stages_end_to_end():
    table = Timetable(STAGES)
    assert (table.num_steps, table.begin(1)) == (40, 30)
    assert [table.stage_index(step) for step in (0, 29, 30, 39)] == [0, 0, 1, 1]
    assert [table.stream_position(step) for step in (0, 1, 30, 31)] == [0, 4, 120, 122]


def test_learning_rates_are_constant_or_fall_by_half_a_cosine():
    stage = Stage("any", 100, SIZE, batch_size=1, lr=0.4)
    assert [learning_rate(stage, step) for step in (0, 99)] == [0.4, 0.4]
    stage = replace(stage, lr_schedule="cosine")
    assert learning_rate(stage, 0) == 0.4
    assert learning_rate(stage, 50) == pytest.approx(0.2)
    assert 0 < learning_rate(stage, 99) < 0.001
