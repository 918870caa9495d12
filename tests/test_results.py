"""Tables as text: Markdown, LaTeX, and the papers' numbers beside ours."""

import math

import pytest

from pgt.results import EvaluationResult

RESULT = EvaluationResult({"PG2 & co_1": {"ssim": 0.5, "psnr": math.inf}, "copy": {"ssim": 0.25}}, {}, {})


def test_latex_has_the_cells_of_markdown():
    lines = RESULT.to_latex().splitlines()
    assert lines[0] == r"\begin{tabular}{lrr}"
    assert lines[2] == r"method & SSIM $\uparrow$ & PSNR, dB $\uparrow$ \\"
    assert lines[4] == r"PG2 \& co\_1 & 0.500 & $\infty$ \\"
    assert lines[5] == r"copy & 0.250 &  \\"
    assert lines[-1] == r"\end{tabular}"
    assert {line.count("&") - line.count(r"\&") for line in lines if line.endswith(r"\\")} == {2}


def test_paper_and_ours_stand_side_by_side():
    published = {"copy": {"ssim": 0.303, "is": 3.5}, "nobody": {"fid": 1.0}}
    lines = RESULT.to_markdown(published=published).splitlines()
    assert lines[0] == "| method | SSIM ↑, paper | SSIM ↑, ours | PSNR, dB ↑ | IS ↑, paper | IS ↑, ours |"
    assert lines[2] == "| PG2 & co_1 |  | 0.500 | ∞ |  |  |"
    assert lines[3] == "| copy | 0.303 | 0.250 |  | 3.500 |  |"


def test_what_could_not_be_measured_is_blank():
    result = EvaluationResult(RESULT.means, {}, {}, {"missing": {"fid": "no weights"}})
    assert result.to_markdown(["ssim", "fid", "kid"]).splitlines()[0] == "| method | SSIM ↑ | FID ↓ |"
    assert result.to_markdown(["fid"]).splitlines()[2] == "| PG2 & co_1 |  |"


def test_a_file_is_complete_or_not_there(tmp_path, monkeypatch):
    def fail(self):
        raise ValueError("on purpose")

    monkeypatch.setattr(EvaluationResult, "to_json", fail)
    with pytest.raises(ValueError, match="on purpose"):
        RESULT.save(tmp_path / "a" / "result.json")
    assert not list((tmp_path / "a").iterdir())
    monkeypatch.undo()
    RESULT.save(tmp_path / "a" / "result.json")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["result.json"]
