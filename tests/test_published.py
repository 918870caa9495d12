"""The papers' numbers: each has its source, and a table can show them beside ours."""

import pytest

from pgt.evaluation import COLUMNS
from pgt.protocols import PROTOCOLS, protocol_named
from pgt.published import (
    STUDY,
    dataset_of,
    published_datasets,
    published_rows,
    published_studies,
    published_tables,
)


def test_all_four_papers_are_there_and_every_metric_is_known():
    assert {table.paper for table in published_tables()} == {"pg2", "spt", "mrnet", "progressive"}
    for table in published_tables():
        assert table.table.startswith("Table ")
        assert set(table.ours.values()) <= set(table.rows)
        names = {name for row in table.rows.values() for name in row}
        assert names <= set(STUDY) or names <= set(COLUMNS)


def test_shares_and_similarities_are_shares_and_similarities():
    for table in published_tables():
        for row in table.rows.values():
            bounded = [value for name, value in row.items() if name not in ("is", "mask_is", "fid")]
            assert all(0 <= value <= 1 for value in bounded), table


@pytest.mark.parametrize(
    ("dataset", "row", "metric", "value"),
    [
        ("market-1501", "PG2 refined", "mask_ssim", 0.792),
        ("market-1501", "SPT", "ssim", 0.203),
        ("deepfashion", "SPT", "fid", 12.225),
        ("penn-action", "MR-Net", "lpips", 0.110),
        ("human3.6m", "Progressive", "local_ssim", 0.804),
    ],
)
def test_a_methods_own_row_is_found(dataset, row, metric, value):
    found = published_rows(dataset)[row]
    assert found.values[metric] == value
    assert dataset in found.source
    assert "Table" in found.source


def test_what_one_paper_reports_of_another_is_what_that_paper_printed():
    """SPT's paper quotes PG2's: the two were read from different pages."""
    tables = {(one.paper, one.dataset): one.rows for one in published_tables() if one.table in ("Table 1",)}
    printed, quoted = tables["pg2", "market-1501"]["G1+G2+D"], tables["spt", "market-1501"]["PG2"]
    assert {name: quoted[name] for name in printed} == printed
    # and MR-Net's full model ends its tables of comparison and of ablation alike
    rows = {(one.table, one.dataset): one.rows for one in published_tables() if one.paper == "mrnet"}
    assert rows["Table I", "penn-action"]["MR-Net"] == list(rows["Table III", "penn-action"].values())[-1]
    assert rows["Table II", "market-1501"]["MR-Net"] == list(rows["Table IV", "market-1501"].values())[-1]


def test_user_studies_are_found_apart_from_what_is_computed():
    found = published_studies("market-1501", "g2r")
    assert (found["PG2"].values["r2g"], found["G1+D"].values["g2r"]) == (0.112, 0.111)
    assert "Table 2 (user study" in found["PG2"].source
    assert published_studies("deepfashion", "preferred_mean")["UPIS"].values["preferred_variance"] == 0.001
    assert published_studies("penn-action", "judged_sharp")["MR-Net"].values["judged_accurate"] == 0.88
    for dataset in published_datasets():
        assert not any(set(row.values) & set(STUDY) for row in published_rows(dataset).values())


def test_an_unknown_dataset_gets_one_sentence():
    with pytest.raises(ValueError, match=f"about 'coco'; there are {published_datasets()[0]}"):
        published_rows("coco")


def test_every_row_has_its_papers_protocol_which_knows_the_data():
    assert published_rows("penn-action")["MR-Net"].protocol == "mrnet-penn"
    for dataset in published_datasets():
        for row in published_rows(dataset).values():
            known = protocol_named(row.protocol).test_pairs
            assert dataset in known or not known
    assert {name for one in PROTOCOLS.values() for name in one.test_pairs} <= set(published_datasets())
    assert dataset_of("market1501") in published_datasets()


def test_synthetic_people_are_not_the_papers_data():
    facts = {"data": {"people": "synthetic", "split": "val", "pairs": 12_800}, "image_size": [128, 64]}
    facts["protocol"] = {"name": "pg2"}
    row = published_rows("market-1501")["PG2 refined"]
    assert row.differences(facts, 12_800) == {
        "data": ["market-1501", "people synthetic"],
        "split": ["test", "val"],
    }
    same = facts | {"data": {"dataset": "market1501", "split": "test", "pairs": 12_800}}
    assert row.differences(same, 12_800) == row.differences(same, None) == {}
