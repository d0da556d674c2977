"""Keys of runs: their columns, folders and words."""

import pytest

from empathy_transfer.records.runs import BASELINE, CONTROLS, RelabelledRun, TransferRun

TRANSFER = TransferRun("mood", "tone", "half", 3)
RELABELLED = RelabelledRun("roberta", "gemma", "replace", 2)


@pytest.mark.parametrize(
    ("run", "folder"),
    [
        (TransferRun(BASELINE, "tone", "full", 1), "baseline/full/seed=1/tone"),
        (TRANSFER, "transfer/half/seed=3/mood--tone"),
        *((TransferRun(name, "tone", "full", 1), f"controls/full/seed=1/{name}--tone") for name in CONTROLS),
        (RELABELLED, "relabel/runs/roberta/gemma/replace/seed=2"),
    ],
)
def test_folder_below_the_results_of_the_study(run, folder):
    assert run.folder == folder


@pytest.mark.parametrize(
    ("run", "label"),
    [
        (TransferRun(BASELINE, "tone", "full", 1), "tone (full data, seed 1)"),
        (TRANSFER, "tone from mood (half data, seed 3)"),
        (RELABELLED, "gemma replace (roberta, seed 2)"),
    ],
)
def test_a_run_in_words(run, label):
    assert run.label == label


def test_columns_are_in_the_order_of_tables():
    assert list(TRANSFER.columns.items()) == [("source", "mood"), ("target", "tone"), ("data", "half"), ("seed", 3)]
    assert list(RELABELLED.columns) == ["encoder", "model", "setting", "seed"]


@pytest.mark.parametrize("run", [TRANSFER, RELABELLED])
def test_a_key_is_found_in_a_record_that_has_its_columns(run):
    assert type(run).of({"metric": "ccc"} | run.columns | {"validation": 0.5}) == run
    with pytest.raises(KeyError, match="seed"):
        type(run).of({name: value for name, value in run.columns.items() if name != "seed"})


def test_equal_keys_are_one_key():
    assert len({TRANSFER, TransferRun("mood", "tone", "half", 3), TransferRun("mood", "tone", "full", 3)}) == 2
