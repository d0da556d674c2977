"""The audit of leakage on the real files: counts only, no line of text. Without the files the tests are skipped."""

import pytest
from test_real_data import DATASETS, OWNERS, found_form, paths_of, rows

from empathy_transfer.data.splits import SPLITS, assign_splits
from empathy_transfer.leakage.audit import find_leakage
from empathy_transfer.leakage.seen import EITHER
from empathy_transfer.leakage.signatures import sign_task
from empathy_transfer.records.artefacts import read_csv, write_table
from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import write_provenance

SETTINGS = {"counted": ["text", "input", "dialogue", "group"], "jaccard": 0.8, "containment": 0.33, "chance": 1e-5}
# One task of each set of texts: their sisters have the same texts in the same splits.
TASKS = ["conv_empathy", "empdial_ei", "empdial_emo", "empdial_qact", "epitome_er", "mi_behavior", "news_empathy"]
FAMILY = ["empdial_ei", "empdial_emo", "empdial_qact"]
# Which texts repeat is a matter of the splits: these are the study's default.
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def recorded(folder, paths):
    """Record files as if a job had made them."""
    outputs = {path.name: {"sha256": sha256_file(path), "bytes": path.stat().st_size} for path in paths}
    write_provenance(folder / "provenance.json", {"format": 1, "remake": "", "outputs": outputs})


def signed(folder, task, scheme="grouped"):
    """Split and sign a task; gives the paths of its signatures."""
    frame, name = rows(task), OWNERS[task]
    masks = assign_splits(
        frame["id"].tolist(), frame["group"].tolist(), dataset=name, scheme=scheme, seed=0, shares=SHARES
    )
    splits = {split: folder / "data" / task / f"{split}.parquet" for split in SPLITS}
    for split, path in splits.items():
        write_table(path, frame.loc[masks[split], ["id", "group", "context", "text"]])
    recorded(folder / "data" / task, splits.values())
    form, ids = found_form(name), DATASETS[name].get("shared_ids")
    if ids and not set(ids.get("files", [])) <= set(form["files"]):
        ids = None
    paths = [folder / "signatures" / task / f"{part}.parquet" for part in ("items", "pieces", "shingles")]
    sign_task(splits, ids, paths_of(form), *paths)
    recorded(folder / "signatures" / task, paths)
    return tuple(paths)


def audited(folder, tasks, scheme="grouped"):
    """Audit tasks: (pairs, within, {task: training rows that touch held-out rows}), indexed by source and target."""
    signatures = {task: signed(folder, task, scheme) for task in tasks}
    paths = [folder / "pairs.csv", folder / "within.csv"]
    touched = {task: folder / "touched" / f"{task}.csv" for task in tasks}
    find_leakage(signatures, SETTINGS, *paths, touched)
    tables = [read_csv(path, verify=False).set_index(["source", "target"]) for path in paths]
    return *tables, {task: read_csv(path, verify=False, dtype=str) for task, path in touched.items()}


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    """The audit of the default splits."""
    return audited(tmp_path_factory.mktemp("leakage"), TASKS)


def chosen(table, kind, field):
    """The rows of a kind and field, training items against test items."""
    found = table[(table["kind"] == kind) & (table["field"] == field)]
    return found[(found["source_split"] == "train") & (found["target_split"] == "test")]


def touched(table, kind, field, *pair):
    """(touched, items) of a pair."""
    row = chosen(table, kind, field).loc[pair]
    return int(row["n_touched"]), int(row["n_items"])


def counted(table):
    """{(source, target): share of the test items that count, by both parts of the source} where there are any."""
    rows = table[(table["kind"] == "counted") & (table["source_split"] == EITHER)]
    return rows.loc[rows["n_touched"] > 0, "share"].to_dict()


def only_the_test_set():
    """Skip where more than the held-out set of questions is here: the numbers below are of that set."""
    if found_form("empdial_eqt")["form"] != "test_set":
        pytest.skip("the full release of EmpQT is here")


def test_relatives_share_dialogues_but_never_across_splits(audit):
    dialogues = {task: set(rows(task)["group"]) for task in FAMILY}
    assert len(dialogues["empdial_ei"] & dialogues["empdial_emo"]) > 20_000
    assert set(rows("news_empathy")["group"]) & set(rows("conv_empathy")["group"])
    for table in audit[:2]:
        groups = table[table["kind"] == "group"]
        assert len(groups) > 0
        assert groups["n_touched"].sum() == 0


def test_essays_and_conversations_are_about_the_same_articles_by_the_same_people(audit):
    pairs, within, _ = audit
    articles = chosen(pairs, "article", "id")
    assert set(articles.index) == {("conv_empathy", "news_empathy"), ("news_empathy", "conv_empathy")}
    assert (articles["share"] == 1).all()
    assert (chosen(within, "article", "id")["share"] == 1).all()
    authors = chosen(pairs, "author", "id")["n_touched"]
    assert authors["conv_empathy", "news_empathy"] == 101  # of 102 essays
    assert authors["news_empathy", "conv_empathy"] == 1195  # of 1,207 turns
    # The other conversation of the same two people.
    assert authors["empdial_ei", "empdial_emo"] == 6551  # of 8,290 turns
    assert authors["conv_empathy", "empdial_emo"] == 0


def test_utterances_repeat_between_relatives_but_hardly_any_that_says_much(audit):
    only_the_test_set()
    pairs, within, _ = audit
    assert touched(pairs, "exact", "text", "empdial_ei", "empdial_emo") == (204, 8290)
    assert touched(pairs, "exact", "text", "empdial_emo", "empdial_qact") == (30, 161)
    informative = chosen(within, "exact", "text")["n_touched_informative"]
    assert informative["empdial_emo", "empdial_emo"] < 0.1 * touched(within, "exact", "text", *["empdial_emo"] * 2)[0]


def test_between_datasets_that_have_nothing_to_do_with_each_other_nothing_counts(audit):
    """One of some 64,000 test items did; more would be phrases of strangers."""
    families = {**dict.fromkeys(FAMILY, "empdial"), "conv_empathy": "articles", "news_empathy": "articles"}
    pairs = audit[0]
    rows = pairs[(pairs["kind"] == "counted") & (pairs["source_split"] == EITHER)].reset_index()
    apart = rows["source"].map(lambda task: families.get(task, task)) != rows["target"].map(
        lambda task: families.get(task, task)
    )
    assert rows.loc[apart, "n_items"].sum() > 50_000
    assert rows.loc[apart, "n_touched"].sum() <= 5


def test_within_tasks_and_between_relatives_less_than_two_percent_count(audit):
    only_the_test_set()
    pairs, within, _ = audit
    assert 0 < max(counted(within).values()) < 0.02
    # Essays and conversations of the same people about the same articles have a passage in common here and there.
    others = {pair: share for pair, share in counted(pairs).items() if pair != ("conv_empathy", "news_empathy")}
    assert max(others.values()) < 0.02
    assert counted(pairs)["conv_empathy", "news_empathy"] < 0.06


def test_strict_would_take_few_rows_out(audit):
    only_the_test_set()
    for task, table in audit[2].items():
        assert len(table) < 0.02 * len(rows(task)), task


def test_the_published_splits_of_news_leak(tmp_path):
    _, within, _ = audited(tmp_path, ["news_empathy"], scheme="published")
    # 800 and 900 drawn from the same 1,000 essays have 700 or more in common.
    found = chosen(within, "counted", "any").iloc[0]
    assert found["n_items"] == 900
    assert found["n_touched"] >= 700
