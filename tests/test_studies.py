"""Studies: arithmetic against literal versions, plans that are balanced and blind, answers that survive."""

import json
import math
import os
import threading
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from pgt.__main__ import main
from pgt.commands.study import read_pictures
from pgt.studies.answers import HEAD, answered, read_answers, record, session_of
from pgt.studies.pictures import make_study
from pgt.studies.plan import LEFT, REAL, REAL_FAKE, picture_path, read_plan
from pgt.studies.report import count
from pgt.studies.shares import Judgement, g2r, over_participants, r2g, student_quantile, wilson_interval
from tests.fuzz.damage import png
from tests.study_tiny import METHODS, colours, make_preference, make_real_fake

# Arithmetic -------------------------------------------------------------------------------------------------


def test_r2g_and_g2r_count_only_their_own_kind_of_picture():
    judged = [(True, True), (True, False), (True, False), (False, True), (False, False), (False, False)]
    judged = [Judgement(*one) for one in [*judged, (False, False)]]
    assert r2g(judged) == 2 / 3  # of three real ones two were taken for generated
    assert g2r(judged) == 1 / 4
    assert math.isnan(r2g([one for one in judged if not one.is_real]))


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 34, 200])
@pytest.mark.parametrize("share", [0.6, 0.975, 0.995])
def test_students_quantile_is_scipys(degrees, share):
    assert student_quantile(share, degrees) == pytest.approx(stats.t.ppf(share, degrees), rel=1e-9)


@pytest.mark.parametrize(("hits", "trials"), [(0, 5), (3, 10), (5, 5), (49, 50), (11, 100)])
def test_wilsons_interval_is_scipys(hits, trials):
    found = stats.binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    assert wilson_interval(hits, trials) == pytest.approx((found.low, found.high), abs=1e-12)


def test_participants_weigh_the_same_and_their_spread_gives_the_interval():
    shares, trials = [0.2, 0.5, 0.35, math.nan, 0.6], [10, 50, 10, 0, 1]
    known = np.array([0.2, 0.5, 0.35, 0.6])
    found = over_participants(shares, trials)
    expected = stats.t.interval(0.95, 3, known.mean(), stats.sem(known))
    assert (found.mean, found.variance) == pytest.approx((known.mean(), known.var(ddof=1)))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.participants == 4
    alone = over_participants([0.3], [10])
    assert (alone.low, alone.high) == wilson_interval(3, 10)
    assert math.isnan(alone.variance)
    assert over_participants([0.0, 0.9], [9, 9]).high == 1.0  # a share is no more than all


# Plans ------------------------------------------------------------------------------------------------------


def test_real_fake_sessions_are_balanced(tmp_path):
    plan = make_real_fake(tmp_path / "study", count=5, practice=4, sessions=6)
    shown = Counter()
    for session in plan.sessions:
        assert Counter((one.method, one.truth, one.practice) for one in session) == {
            (method, truth, practice): 2 if practice else 3
            for method in METHODS for truth in ("real", "generated") for practice in (True, False)
        }  # fmt: skip
        for method in METHODS:  # a block each, its practice first, and no picture in both versions
            block = [(index, one) for index, one in enumerate(session) if one.method == method]
            assert [index for index, _ in block] == list(range(block[0][0], block[0][0] + 10))
            assert [one.practice for _, one in block] == [True] * 4 + [False] * 6
            assert len({plan.origins[one.pictures[0]][1] for _, one in block}) == 10
        shown.update((one.method, one.truth, one.pictures[0]) for one in session)
    assert set(shown.values()) == {3}  # 10 names, 6 sessions of 5
    assert len({tuple(one.pictures for one in session) for session in plan.sessions}) == 6


def test_sides_of_pairs_are_halved_and_pairs_are_of_one_person(tmp_path):
    plan = make_preference(tmp_path / "study", count=5, sessions=4)
    for session in plan.sessions:
        for rival in plan.methods:
            sides = Counter(one.truth for one in session if one.method == rival)
            assert sorted(sides.values()) == [2, 3]
        for one in session:
            (left, first), (right, second) = (plan.origins[picture] for picture in one.pictures)
            assert first == second
            assert {left, right} == {"SPT", one.method}
            assert (left == "SPT") == (one.truth == LEFT)
            assert [plan.origins[picture] for picture in one.given] == [("source", first), ("pose", first)]
    assert len({plan.sessions[n][0].truth for n in range(4)} | {"left"}) == 2  # not always the same side


def test_same_seed_same_plan_and_the_file_holds_all_of_it(tmp_path):
    first, second, other = (
        make_real_fake(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == second == read_plan(tmp_path / "a")
    assert other.sessions != first.sessions


def test_names_and_files_of_pictures_tell_nothing(tmp_path):
    plan = make_real_fake(tmp_path / "study")
    for picture in plan.origins:
        assert len(picture) == 16
        assert int(picture, 16) >= 0
        file = Image.open(picture_path(tmp_path / "study", picture))
        assert (file.format, file.info) == ("PNG", {})
    order = sorted(plan.origins)  # as a listing of the folder shows them: methods are mixed
    kinds = [plan.origins[picture][0] for picture in order]
    assert kinds != sorted(kinds)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda p: p.pop("real"), 'needs a folder "real"'),
        (lambda p: p["SPT"].pop("001"), "PG2 has a picture '001' and SPT has none of that name"),
        (lambda p: p["PG2"].update({"001": np.zeros((8, 9, 3), np.uint8)}), "PG2/001 is 9x8"),
        (lambda p: [p.pop(name) for name in METHODS], 'nothing beside "real"'),
        (lambda p: p["real"].clear() or p["PG2"].clear() or p["SPT"].clear(), "PG2 has no pictures"),
    ],
)
def test_pictures_that_make_no_study_get_one_sentence(tmp_path, change, sentence):
    pictures = colours(3, "real", *METHODS)
    change(pictures)
    with pytest.raises(ValueError, match=sentence):
        make_study(tmp_path / "study", pictures, REAL_FAKE)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    make_real_fake(tmp_path / "study")
    with pytest.raises(ValueError, match="holds something already"):
        make_real_fake(tmp_path / "study")


# Answers ----------------------------------------------------------------------------------------------------


def answer_all(folder, plan, name: str, right: bool) -> int:
    """Let somebody be always right, or always wrong."""
    session = session_of(folder, name)
    others = {"real": "generated", "generated": "real", "left": "right", "right": "left"}
    for number, trial in enumerate(plan.session(session)):
        record(folder, plan, name, session, number, trial.truth if right else others[trial.truth], 500)
    return session


def test_answers_come_back_and_a_participant_goes_on(tmp_path):
    plan = make_real_fake(tmp_path)
    assert session_of(tmp_path, "Ada") == 0
    assert session_of(tmp_path, "Bob") == 1
    assert session_of(tmp_path, " Ada ") == 0
    made = record(tmp_path, plan, "Ada", 0, 1, "real", 12.4)
    assert read_answers(tmp_path, plan) == ([made], [])
    assert answered(tmp_path, plan, "Ada") == {1}
    assert answered(tmp_path, plan, "Bob") == set()


@pytest.mark.parametrize(
    ("trial", "answer", "milliseconds"),
    [(99, "real", 1), ("0", "real", 1), (True, "real", 1), (0, "left", 1), (0, None, 1), (0, "real", -1),
     (0, "real", math.nan), (0, "real", "1")],
)  # fmt: skip
def test_what_no_page_sends_is_not_kept(tmp_path, trial, answer, milliseconds):
    plan = make_real_fake(tmp_path)
    with pytest.raises(ValueError, match=r"\.$"):
        record(tmp_path, plan, "Ada", 0, trial, answer, milliseconds)
    assert not (tmp_path / "answers.csv").exists()


def test_broken_lines_are_left_out_and_told(tmp_path):
    plan = make_real_fake(tmp_path)
    good = record(tmp_path, plan, "Ada", 0, 0, "real", 5)
    file = tmp_path / "answers.csv"
    line = file.read_text().splitlines()[1]
    changed = [line.replace(f",{good.method},", ",nobody,"), line.replace(",real,5", ",maybe,5")]
    changed += [line.replace(",0,0,", ",0,99,"), '"', "a,b", line[:20]]  # the last one was cut off
    with file.open("a") as out:
        out.write("\n".join(changed))
    second = record(tmp_path, plan, "Ada", 0, 1, "generated", 6)
    record(tmp_path, plan, "Ada", 0, 0, "generated", 7)  # a second answer does not count
    found, faults = read_answers(tmp_path, plan)
    assert found == [good, second]
    assert len(faults) == len(changed)
    assert faults[-1].startswith("line 8 of answers.csv was left out: it has ")


def test_many_may_answer_at_once(tmp_path):
    plan = make_real_fake(tmp_path, sessions=8)
    names = [f"person {number}" for number in range(8)]
    threads = [threading.Thread(target=answer_all, args=(tmp_path, plan, name, True)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found, faults = read_answers(tmp_path, plan)
    assert faults == []
    total = len(plan.sessions[0])
    assert Counter(one.participant for one in found) == dict.fromkeys(names, total)
    assert sorted({one.session for one in found}) == list(range(8))  # nobody shares a session
    assert (tmp_path / "answers.csv").read_text().count(",".join(HEAD)) == 1


# Reports ----------------------------------------------------------------------------------------------------


def test_report_counts_practice_and_unfinished_out(tmp_path):
    plan = make_real_fake(tmp_path)
    answer_all(tmp_path, plan, "right", True)
    answer_all(tmp_path, plan, "wrong", False)
    record(tmp_path, plan, "early", session_of(tmp_path, "early"), 3, "real", 1)
    report = count(plan, read_answers(tmp_path, plan)[0])
    estimate = report.estimates["SPT"]["g2r"]
    assert (estimate.mean, estimate.variance, estimate.participants) == (0.5, 0.5, 2)
    assert report.unfinished == ("early",)
    assert {one.trials for one in report.own} == {1}  # two of each kind, one for practice
    later = count(plan, read_answers(tmp_path, plan)[0], unfinished=True)
    assert "early" in later.participants


def test_preferences_stand_beside_the_papers(tmp_path, capsys):
    folder = tmp_path / "study"
    plan = make_preference(folder)
    answer_all(folder, plan, "likes ours", True)
    out = tmp_path / "deep" / "report.json"
    assert main(["study", "report", str(folder), "--out", str(out)]) == 0
    said = capsys.readouterr()
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.out.splitlines()]
    table = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert head[0] == "SPT rather than"
    assert table["PG2"]["preferred, %, paper"] == "92.2"
    assert table["PG2"]["variance, paper"] == "0.007"
    assert table["PG2"]["preferred, %, ours"] == "100.0"
    assert table["PG2"]["95 % interval"] == "43.9 to 100.0"  # Wilson's for 3 of 3
    assert table["part warp"]["preferred, %, paper"] == ""
    assert table["V-Unet"]["preferred, %, ours"] == ""
    assert "Table 2" in said.err
    assert "Wilson" in said.err
    assert json.loads(out.read_text())["estimates"]["PG2"]["preferred_mean"]["mean"] == 1.0
    assert main(["study", "report", str(folder), "--latex"]) == 0
    assert r"\begin{tabular}" in capsys.readouterr().out
    assert main(["study", "report", str(folder), "--each"]) == 0
    assert "| likes ours | PG2 | preferred | 100.0 | 43.9 to 100.0 | 3 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["report", "{}/nothing"], "is no study"),
        (["report", "{}/broken"], "is no plan by pgt study make"),
        (["make", "{}/new", "--pictures", "{}/nothing"], "No such file"),
        (["make", "{}/new", "--pictures", "{}"], "nothing beside|needs a folder"),
        (["make", "{}/new", "--pictures", "{}", "--weights", "spt-synthetic-128"], "do not belong"),
    ],
)
def test_mistakes_get_one_sentence(tmp_path, capsys, words, sentence):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "plan.json").write_text('{"kind": 3}')
    assert main(["study", *(word.format(tmp_path) for word in words)]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert any(part in said for part in sentence.split("|"))
    assert not (tmp_path / "new").exists()


def test_folders_of_pictures_become_a_study(tmp_path, capsys):
    for method, pictures in colours(4, REAL, "mine").items():
        (tmp_path / "pictures" / method).mkdir(parents=True)
        for name, picture in pictures.items():  # kinds of files may differ, names count without them
            kind = "jpg" if method == REAL else "png"
            Image.fromarray(picture).save(tmp_path / "pictures" / method / f"{name}.{kind}")
    assert set(read_pictures(tmp_path / "pictures")) == {REAL, "mine"}
    words = ["study", "make", str(tmp_path / "study"), "--pictures", str(tmp_path / "pictures")]
    assert main([*words, "--count", "2", "--participants", "5"]) == 0
    assert "5 sessions of 4 questions about mine" in capsys.readouterr().out
    assert read_plan(tmp_path / "study").seconds == 1.0  # as PG2's
    assert main([*words[:2], str(tmp_path / "more"), *words[3:], "--count", "9"]) == 2
    assert "there are 4 pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no such file"),  # a pipe, which nobody writes to
        (png(13_000, 13_000), "it has more than 64 megapixels"),
        (b"no picture", "it is of no known format"),
        (png(64, 64, b"damaged"), ""),
    ],
)
def test_a_picture_that_would_do_harm_is_refused_by_its_name(tmp_path, capsys, content, reason):
    path = tmp_path / "pictures" / REAL / "a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(content) if content else os.mkfifo(path)
    words = ["study", "make", str(tmp_path / "study"), "--pictures", str(tmp_path / "pictures")]
    assert main(words) == 2
    assert f"pgt: {path} cannot be read as a picture ({reason}" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def test_synthetic_people_are_drawn_by_what_is_named(tmp_path, capsys):
    words = ["--weights", "part_warp", "warp=part_warp", "--kind", "preference", "--ours", "warp"]
    folder = tmp_path / "study"
    assert main(["study", "make", str(folder), *words, "--count", "2", "--participants", "1"]) == 0
    plan = read_plan(folder)
    assert (plan.ours, plan.seconds) == ("warp", 0.0)
    assert {origin[0] for origin in plan.origins.values()} == {"warp", *plan.methods, "source", "pose"}
    assert "rendered" in plan.note
