"""`pgt evaluate` by a paper's protocol, beside the paper's numbers, in LaTeX."""

import json

import pytest

from pgt.__main__ import main


def test_the_protocol_goes_into_the_json_beside_all_that_numbers_depend_on(tiny_checkpoint, tmp_path, capsys):
    out = tmp_path / "results.json"
    words = [
        "evaluate",
        "pg2",
        "--weights",
        str(tiny_checkpoint),
        "--beside",
        "--pairs",
        "2",
        "--out",
        str(out),
    ]
    assert main([*words, "--protocol", "pg2", "--published", "market-1501", "--latex"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(r"\begin{tabular}")
    assert r"SSIM $\uparrow$, paper & SSIM $\uparrow$, ours" in captured.out
    assert "paper: PG2 refined is Ma et al." in captured.err
    result = json.loads(out.read_text())
    facts = result["facts"]
    assert facts["protocol"]["window"] == result["protocol"]["ssim"]["window"] == "uniform"
    assert facts["protocol"]["name"] == "pg2"
    assert facts["mask"] == "open pose"
    assert len(facts["data"]["sha256"]) == 64
    assert {"commit", "seeds", "device", "versions", "missing"} <= set(facts)
    assert facts["torch"].startswith(facts["versions"]["torch"])


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["--protocol", "pg3"], "no protocol 'pg3'"),
        (["--published", "coco"], "no paper's table is about 'coco'"),
        (["--metrics", "vgg"], "no metric 'vgg' needs a network"),
    ],
)
def test_a_mistake_gets_one_sentence(tiny_checkpoint, capsys, words, fact):
    assert main(["evaluate", "pg2", "--weights", str(tiny_checkpoint), *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"pgt: {fact}")
    assert len(captured.err.strip().splitlines()) == 1
