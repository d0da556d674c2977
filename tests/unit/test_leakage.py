"""The audit of leakage: every kind of overlap planted once, with the counts worked out by hand."""

import numpy
import pandas
import pytest
from scipy.sparse import csr_array
from test_data_summary import make_task

from empathy_transfer.errors import DataError
from empathy_transfer.leakage.audit import find_leakage
from empathy_transfer.leakage.figure import cell_label
from empathy_transfer.leakage.information import least_bits, text_bits, word_bits
from empathy_transfer.leakage.near_duplicates import shared_information, similar_pairs
from empathy_transfer.leakage.report import leaked_pairs, read_leaked, report_leakage
from empathy_transfer.leakage.rows import remove_rows
from empathy_transfer.leakage.seen import EITHER
from empathy_transfer.leakage.shared_ids import row_ids
from empathy_transfer.leakage.signatures import BORDER, hashes, normalise, shingle_table, sign_task
from empathy_transfer.records.artefacts import read_csv, write_csv
from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import write_provenance
from empathy_transfer.validation.leaks import CONDITIONS, KINDS, simulate_leaks

WORDS = (
    "kettle tram goat boat clock door bridge fern lamp well stone river cloud chair spoon grass piano candle wheel rope"
)
TWENTY = WORDS.split()
HARBOUR = "The harbour clock waited for nine small lamps before noon, again!"
MARBLES = "A bag of marbles stood beside the second bridge for a whole week"
TAILOR = "a tailor counted seven silver buttons twice before dawn"
MEADOWS = "Quiet lanterns drifted over frozen meadows"
STOCK = "so sorry to hear that"
SCENE = "Someone tells how the yellow door was painted over in the rain last night"
SETTINGS = {
    "chance": 0.01,
    "containment": 0.33,
    "counted": ["text", "input", "dialogue", "group"],
    "flagged_share": 0.3,
    "jaccard": 0.8,
    "strict": False,
}

# split, id, group, context, text, label; article and author after it
LETTERS = [
    ("train", "l1", "p:1", None, HARBOUR, "x", "90", "amy"),
    ("train", "l2", "p:2", None, " ".join(TWENTY), "x", "91", "ben"),
    ("train", "l3", "p:3", "What a morning that was for us", STOCK, "x", "92", "cem"),
    ("train", "l4", "p:4", None, "unlike all others in this whole small table of rows", "x", "93", "dan"),
    ("train", "l5", "p:5", SCENE, "one reply to what was told here before by them", "x", "7", "eve"),
    ("train", "l8", "p:8", None, MEADOWS, "x", "96", "hana"),
    ("train", "l11", "p:11", None, TAILOR, "x", "96", "jo"),
    ("train", "l9", "p:9", None, "Indeed.", "x", "97", "ivo"),
    ("train", "l10", "p:9", None, "Perhaps.", "x", "97", "ivo"),
    *(("train", f"l{place}", f"p:{place}", None, STOCK, "x", "98", f"kim{place}") for place in range(20, 28)),
    ("validation", "l6", "p:6", None, MARBLES, "x", "94", "fay"),
    ("test", "l7", "p:7", None, "here is the test item of letters and nothing else", "x", "95", "gus"),
]
NOTES = [
    ("train", "n0", "q:0", None, "here is the test item of letters and nothing else", "x", "80", "hal"),
    ("validation", "n00", "q:00", None, "a validation item of notes that nobody else has got", "x", "81", "ida"),
    ("test", "n1", "q:1", None, HARBOUR, "x", "1", "a"),
    ("test", "n2", "q:2", None, HARBOUR.upper().replace(",", " --"), "x", "2", "b"),
    ("test", "n3", "q:3", None, " ".join([*TWENTY[:-1], "anchor"]), "x", "3", "c"),
    ("test", "n4", "q:4", None, " ".join([*TWENTY[:9], "anchor", *TWENTY[10:]]), "x", "4", "d"),
    ("test", "n5", "q:5", "Quite another beginning of the talk", STOCK, "x", "5", "e"),
    ("test", "n6", "p:4", None, "words of the same conversation as a letter of ours", "x", "6", "f"),
    ("test", "n7", "q:7", None, "an essay on the same article as some other letter", "x", "7.0", "g"),
    ("test", "n8", "q:8", None, "an essay by the same author as some other letter", "x", "8", "eve"),
    ("test", "n9", "q:9", SCENE, "now this is a different answer to what was told", "x", "9", "h"),
    ("test", "n10", "q:10", None, MARBLES, "x", "10", "i"),
    (
        "test",
        "n11",
        "q:11",
        None,
        " ".join([*"one two three".split(), *TWENTY[3:18], *"four five".split()]),
        "x",
        "11",
        "j",
    ),
    ("test", "n12", "q:12", None, f"Nobody knows why {TAILOR}. That is all we were told by her", "x", "12", "k"),
    ("test", "n13", "q:13", None, MEADOWS, "x", "13", "l"),
    ("test", "n14", "q:14", None, "Indeed.", "x", "14", "m"),
    ("test", "n15", "q:14", None, "Perhaps.", "x", "14", "m"),
]
TABLES = {"letters": LETTERS, "notes": NOTES}


def recorded(path):
    """The path of a file that now has a record, as if a job had made it."""
    entry = {"sha256": sha256_file(path), "bytes": path.stat().st_size}
    own = path.with_name(f"{path.stem}.provenance.json")
    write_provenance(own, {"format": 1, "remake": "", "outputs": {path.name: entry}})
    return path


def signed(folder, task, rows):
    """Sign a task; gives the paths of its signatures."""
    place = folder / task
    place.mkdir(parents=True)
    raw = place / "raw.csv"
    pandas.DataFrame([(row[1], *row[6:]) for row in rows], columns=["id", "on", "by"]).to_csv(raw, index=False)
    splits = make_task(place, [row[:6] for row in rows])["splits"]
    paths = [place / f"{name}.parquet" for name in ("items", "pieces", "shingles")]
    ids = {"pool": "town", "files": ["raw.csv"], "row": ["id"], "columns": {"article": "on", "author": "by"}}
    sign_task(splits, ids, {"raw.csv": raw}, *paths)
    return tuple(map(recorded, paths))


def audited(folder, tables, settings=SETTINGS):
    """Audit tasks; gives the paths (pairs, within, {task: touched rows})."""
    touched = {task: folder / f"touched_{task}.csv" for task in tables}
    outputs = folder / "pairs.csv", folder / "within.csv", touched
    find_leakage({task: signed(folder, task, rows) for task, rows in tables.items()}, settings, *outputs)
    for path in (*outputs[:2], *touched.values()):
        recorded(path)
    return outputs


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    """The audit of letters and notes."""
    return audited(tmp_path_factory.mktemp("audit"), TABLES)


@pytest.fixture(scope="module")
def pairs(audit):
    return read_csv(audit[0], dtype={"n_touched_informative": "Int64"})


def row(pairs, kind, field, source="letters", target="notes", splits=("train", "test")):
    """The one row of a pair, kind and field."""
    chosen = pairs[(pairs["source"] == source) & (pairs["target"] == target)]
    chosen = chosen[(chosen["source_split"] == splits[0]) & (chosen["target_split"] == splits[1])]
    (found,) = chosen[(chosen["kind"] == kind) & (chosen["field"] == field)].itertuples()
    return found


@pytest.mark.parametrize(
    ("kind", "field", "touched", "informative"),
    [
        ("exact", "text", "n1 n5 n13 n14 n15", 2),
        ("normalised", "text", "n1 n2 n5 n13 n14 n15", 3),
        # One of 20 words changed: 19 of 23 shingles are the same.
        ("near_duplicate", "text", "n1 n2 n3 n4 n5 n13 n14 n15", 5),
        ("contained", "text", "n1 n2 n3 n4 n5 n11 n12 n13 n14 n15", 7),
        ("exact", "context", "n9", 1),
        ("normalised", "context", "n9", 1),
        ("exact", "input", "n1 n13 n14 n15", 2),
        ("normalised", "input", "n1 n2 n13 n14 n15", 3),
        ("near_duplicate", "input", "n1 n2 n3 n4 n13 n14 n15", 5),
        # Not n9, another reply in a context that the letters have, too.
        ("contained", "input", "n1 n2 n3 n4 n11 n12 n13 n14 n15", 7),
        ("exact", "dialogue", "n14 n15", 2),
        ("contained", "dialogue", "n14 n15", 2),
        ("group", "id", "n6", None),
        ("article", "id", "n7", None),
        ("author", "id", "n8", None),
        ("counted", "any", "n1 n2 n3 n4 n6 n11 n12 n13 n14 n15", None),
    ],
)
def test_each_planted_overlap_is_found_and_no_other(pairs, kind, field, touched, informative):
    found = row(pairs, kind, field)
    expected = touched.split()
    assert (found.n_items, found.n_touched) == (15, len(expected))
    assert found.share == len(expected) / 15
    assert found.example_targets.split(" | ") == expected[:3]
    if informative is None:
        assert pandas.isna(found.n_touched_informative)
    else:
        assert found.n_touched_informative == informative


def test_examples_name_the_items_that_touch(pairs):
    assert row(pairs, "near_duplicate", "text").example_sources == "l1 | l1 | l2"
    assert row(pairs, "counted", "any").example_sources == "l1 | l1 | l2"
    assert row(pairs, "author", "id").example_sources == "l5"


def test_direction_and_splits_matter(pairs):
    assert row(pairs, "exact", "text", splits=("validation", "test")).example_targets == "n10"
    assert row(pairs, "exact", "text", splits=("train", "validation")).n_touched == 0
    back = row(pairs, "exact", "text", source="notes", target="letters")
    assert (back.n_items, back.n_touched, back.example_targets, back.example_sources) == (1, 1, "l7", "n0")


def test_within_a_task_nothing_was_planted(audit):
    within = read_csv(audit[1])
    assert set(within["source"]) == set(within["target"]) == {"letters", "notes"}
    assert within["n_touched"].sum() == 0
    assert set(zip(within["source_split"], within["target_split"], strict=True)) == {
        ("train", "validation"),
        ("train", "test"),
        ("validation", "test"),
        (EITHER, "test"),
    }


def test_training_rows_that_touch_are_listed_by_what_is_counted(audit):
    letters, notes = (read_csv(audit[2][task], dtype=str) for task in TABLES)
    assert dict(zip(letters["id"], letters["overlaps"], strict=True)) == {
        "l1": "text input",
        "l2": "text input",
        "l4": "group",
        "l8": "text input",
        "l11": "text input",
        "l9": "dialogue",
        "l10": "dialogue",
    }
    assert list(notes["id"]) == ["n0"]


def test_no_file_holds_text(audit):
    for path in (*audit[:2], *audit[2].values()):
        assert "harbour" not in path.read_text().lower()


def test_after_the_removal_the_audit_finds_nothing_that_counts(audit, tmp_path):
    kept = {}
    for task, rows in TABLES.items():
        source = audit[0].parent / task / "train.parquet"
        output = tmp_path / f"{task}_train.parquet"
        if task == "notes":
            with pytest.raises(DataError, match="nothing is left"):
                remove_rows(source, audit[2][task], output)
        else:
            remove_rows(source, audit[2][task], output)
            assert list(pandas.read_parquet(output)["id"]) == ["l3", "l5", *(f"l{place}" for place in range(20, 28))]
        gone = set(read_csv(audit[2][task], dtype=str)["id"])
        kept[task] = [row for row in rows if row[1] not in gone]
    kept["notes"].append(("train", "n99", "q:99", None, "one row so that there is some training data", "x", "0", "z"))
    again = audited(tmp_path / "again", kept)
    counted = read_csv(again[0])
    trained = counted[(counted["kind"] == "counted") & (counted["source_split"] == "train")]
    assert len(trained) == 4
    assert trained["n_touched"].sum() == 0
    assert all(len(read_csv(path)) == 0 for path in again[2].values())


def test_other_kinds_can_be_counted(tmp_path):
    settings = SETTINGS | {"counted": ["context", "author"]}
    pairs, _, touched = audited(tmp_path, TABLES, settings)
    assert row(read_csv(pairs), "counted", "any").example_targets == "n8 | n9"
    assert list(read_csv(touched["letters"])["overlaps"]) == ["context author"]
    # So rare a chance asks for 100 bits and more, which so few groups don't hold; but 15 words that are the same count.
    pairs, _, touched = audited(tmp_path / "rarer", TABLES, settings | {"chance": 1e-30})
    assert row(read_csv(pairs), "counted", "any").example_targets == "n8 | n9"
    settings = SETTINGS | {"counted": ["text"], "chance": 1e-30}
    pairs, _, touched = audited(tmp_path / "texts", TABLES, settings)
    assert row(read_csv(pairs), "counted", "any").n_touched == 0  # the longest that are the same have eleven words
    pairs, _, touched = audited(tmp_path / "none", TABLES, settings | {"counted": []})
    assert row(read_csv(pairs), "counted", "any").n_touched == 0
    assert len(read_csv(touched["letters"])) == 0


def test_removal_refuses_rows_that_are_not_there(audit, tmp_path):
    touched = tmp_path / "touched.csv"
    write_csv(touched, pandas.DataFrame({"id": ["stranger"], "overlaps": ["text"]}))
    with pytest.raises(DataError, match="1 of its rows are not in"):
        remove_rows(audit[0].parent / "letters/train.parquet", recorded(touched), tmp_path / "train.parquet")


def reported(audit, folder, settings):
    outputs = {name: folder / name for name in ("leakage", "within", "leaked_pairs", "page")}
    folder.mkdir()
    report_leakage(*audit, settings, outputs)
    return outputs


def test_report_flags_shares_above_the_threshold_only(audit, tmp_path):
    outputs = reported(audit, tmp_path / "report", SETTINGS)
    leaked = pandas.read_csv(outputs["leaked_pairs"]).set_index(["source", "target"])
    # Ten by training items, and n10 by a validation item.
    columns = ["n_test", "n_touched", "n_touched_by_validation", "leaked"]
    assert leaked.loc[("letters", "notes"), columns].tolist() == [15, 11, 1, True]
    assert leaked.loc[("letters", "notes"), "share"] == pytest.approx(11 / 15)
    assert leaked.loc[("notes", "letters"), "leaked"]
    assert not leaked.loc[("letters", "letters"), "leaked"]
    assert len(leaked) == 4
    strict = reported(audit, tmp_path / "at", SETTINGS | {"flagged_share": 0.74})
    frame = pandas.read_csv(strict["leaked_pairs"])
    assert frame.loc[frame["leaked"], ["source", "target"]].values.tolist() == [["notes", "letters"]]
    rows = pandas.read_csv(outputs["leakage"])
    assert rows.loc[rows["flagged"], "share"].min() > 0.3


def test_in_a_strict_study_validation_items_alone_flag_a_pair(audit, tmp_path):
    outputs = reported(audit, tmp_path / "report", SETTINGS | {"strict": True})
    leaked = pandas.read_csv(outputs["leaked_pairs"])
    assert not leaked["leaked"].any()
    assert leaked["removed"].all()
    assert read_leaked(recorded(outputs["leaked_pairs"])) == frozenset()
    assert "Strict: the rows below have been taken out" in outputs["page"].read_text()
    # One of 15 test items is touched by a validation item.
    outputs = reported(audit, tmp_path / "lower", SETTINGS | {"strict": True, "flagged_share": 0.06})
    assert read_leaked(recorded(outputs["leaked_pairs"])) == {("letters", "notes")}


def test_page_says_the_numbers(audit, tmp_path):
    text = reported(audit, tmp_path / "report", SETTINGS)["page"].read_text()
    assert "2 of 2 ordered pairs" in text
    assert "| letters | notes | 15 | 11 | 73.3 % | 1 |" in text
    assert "| near_duplicate | text | 2 | 2 | 76.7 % | 100.0 % |" in text
    assert "| letters | 7 |" in text
    assert "<" not in text


def test_without_an_audit_nothing_is_flagged():
    assert read_leaked(None) == read_leaked([]) == frozenset()


def test_leaked_pairs_of_one_task_alone(tmp_path):
    pairs, within, _ = audited(tmp_path, {"letters": LETTERS})
    frame = leaked_pairs(read_csv(pairs), read_csv(within), SETTINGS)
    assert frame[["source", "target", "n_touched"]].values.tolist() == [["letters", "letters", 0]]


def test_normal_form_keeps_letters_and_digits_only():
    assert normalise("  It’s\tＡ 2nd_Try, — isn't it?") == "it s a 2nd try isn t it"
    assert normalise("Straße") == normalise("STRASSE") == "strasse"
    assert normalise(" :-)  ! ") == ":-) !"


def test_shingles_are_neighbouring_words_with_beginning_and_end():
    pieces = [["a", "b", "c"], ["b", "c"], ["a"], ["a", "a", "a"], ["c", "b"]]
    places = numpy.arange(5)
    table = shingle_table(pieces, places, places.astype(str))
    sets = [set(part["shingle"]) for _, part in table.groupby("piece")]
    assert [len(one) for one in sets] == [4, 3, 2, 3, 3]  # of the fourth: (a, aa and a)
    assert len(sets[0] & sets[1]) == 2  # bc and c)
    assert len(set.union(*sets)) == 10  # (a ab bc c), (b, a), aa, (c cb b)


def test_information_of_words_by_hand():
    """Ten groups; two of those with a word are left out of each count, and two groups' worth of prior is added."""
    phrase, own = ["so", "sorry"], ["blue", "moss"]
    pieces = [phrase] * 8 + [own] * 2
    words = numpy.concatenate([[BORDER, *hashes(one), BORDER] for one in pieces]).astype("uint64")
    piece = numpy.repeat(numpy.arange(10), 4)
    bits = word_bits(words, piece, numpy.arange(10), numpy.arange(10)).reshape(10, 4)
    # "so" in 8 - 2 of 10 groups; after a beginning, of which there are 10 - 2.
    alone = 6.5 / 11
    first = (6 + 2 * (6 + 2 * alone) / (8 + 2)) / (8 + 2)  # after a beginning, and that after nothing
    # "sorry" after "so", and after the beginning with "so", both in 6.
    second = (6 + 2 * (6 + 2 * alone) / (6 + 2)) / (6 + 2)
    assert bits[0, 1:3] == pytest.approx(-numpy.log2([first, second]), abs=1e-5)
    # "blue" and "moss" in two groups, which count as none: the first is as rare after a beginning as it gets.
    assert bits[9, 1:3] == pytest.approx(-numpy.log2([0.2**2 * 0.5 / 11, 0.5 / 11]), abs=1e-5)


def test_information_of_whole_texts_and_what_a_pair_must_share():
    used, groups = numpy.array([0, 0, 0, 0, 1, -1]), numpy.array(["a", "b", "c", "d", "a", "e"])
    assert text_bits(2, used, groups) == pytest.approx(-numpy.log2([2.5 / 6, 0.5 / 6]))
    assert least_bits(64, 0.25) == 8.0  # 256 pairs for one by chance
    assert least_bits(0, 0.25) == 2.0


@pytest.mark.parametrize(("containment", "least"), [(0.3, 4.0), (0.6, 0.5)])
def test_similar_pairs_are_those_of_a_comparison_of_all_pairs(containment, least):
    random = numpy.random.default_rng(0)
    matrix = random.random((120, 60)) * (random.random((120, 60)) < numpy.linspace(0.02, 0.6, 60))
    matrix[60:] = matrix[:60] * (random.random((60, 60)) < 0.7)
    matrix[:, 0] = numpy.maximum(matrix[:, 0], 0.01)
    first, second = numpy.arange(0, 120, 2), numpy.arange(30, 120)
    shared = {(a, b): numpy.minimum(matrix[a], matrix[b]).sum() for a in first for b in second if a != b}
    totals = matrix.sum(axis=1)
    expected = {
        (a, b) for (a, b), bits in shared.items() if bits >= max(least, containment * min(totals[a], totals[b]))
    }
    found = similar_pairs(csr_array(matrix), totals, first, second, containment, least)
    assert {tuple(pair) for pair in found.pieces.tolist()} == expected
    assert found.bits == pytest.approx([shared[tuple(pair)] for pair in found.pieces.tolist()])
    assert 20 < len(expected) < len(shared) / 2


def test_shared_information_and_jaccard_by_hand():
    matrix = csr_array(numpy.array([[1, 2, 3, 0], [0, 1, 4, 1], [1, 1, 1, 1]]).astype(float))
    shared, jaccard = shared_information(matrix, numpy.array([[0, 1], [0, 2], [1, 1]]))
    assert shared.tolist() == [4.0, 3.0, 6.0]
    assert jaccard.tolist() == [0.5, 0.75, 1.0]


def test_ids_from_groups_and_what_is_wrong_with_them(tmp_path):
    groups = ["empdial:hit:12_conv:25", "empdial:hit:12_conv:24"]
    description = {"pool": "empdial", "from_group": {"author": "hit:[0-9]+"}}
    assert row_ids(description, ["a", "b"], groups, {})["author"].tolist() == ["empdial:hit:12"] * 2
    assert row_ids(None, ["a"], ["b"], {}) == {}
    with pytest.raises(DataError, match="matches nothing"):
        row_ids(description, ["a"], ["empdial:other"], {})
    raw = tmp_path / "raw.csv"
    raw.write_text("talk,turn,on\n1,2,35.0\n1,3,\n")
    description = {"pool": "w", "files": ["raw.csv"], "row": ["talk", "turn"], "columns": {"article": "on"}}
    assert row_ids(description, ["1-3", "1-2"], ["g", "g"], {"raw.csv": raw})["article"].tolist() == [None, "w:35"]
    with pytest.raises(DataError, match="no row for 1 of 1 ids"):
        row_ids(description, ["1-4"], ["g"], {"raw.csv": raw})
    raw.write_text('talk,turn,on\n1,2,"35\n1,3,36"\n')
    found = row_ids(description | {"quote": "none"}, ["1-3", "1-2"], ["g", "g"], {"raw.csv": raw})
    assert found["article"].tolist() == ['w:36"', 'w:"35']


def test_labels_of_the_heat_map():
    labels = [cell_label(0.0, False), cell_label(0.01, False), cell_label(12.34, True), cell_label(100.0, True)]
    assert labels == ["", "<0.1", "12.3‡", "100‡"]


def test_planted_leaks_of_every_kind_are_found_and_clean_items_are_not_flagged():
    """One simulated pair of tasks of `make validate`; the bars there are for means over many."""
    sizes, _ = CONDITIONS["150 and 60 dialogues"]
    found = simulate_leaks(sizes, numpy.random.default_rng(7))
    assert found.pop("clean items that are flagged") <= 0.01
    assert set(found) == {f"found: {kind}" for kind in KINDS}
    assert min(found.values()) >= 0.8
