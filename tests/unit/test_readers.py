"""Readers, on generated stand-ins of the official layouts and on small partial forms."""

import json
from importlib import import_module
from pathlib import Path

import pandas
import pytest
import yaml

from empathy_transfer.data.readers import common, conv, empathy_hope, empdial, epitome, eqt, mi, news, table, wassa
from empathy_transfer.data.tasks import task_frame
from empathy_transfer.errors import DataError
from standins import write_standins

ROOT = Path(__file__).parents[2]
DATASETS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "config/datasets").glob("*.yaml"))}
OWNERS = {task: name for name, dataset in DATASETS.items() for task in dataset["tasks"]}


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    write_standins(folder)
    return folder


def read(raw, task_name, **overrides):
    """The reader's frame of one task of the nine datasets."""
    dataset = DATASETS[OWNERS[task_name]]
    form = {"form": "main", **{key: dataset.get(key) for key in ("folder", "reader", "columns", "context")}}
    files = {name: raw / dataset["folder"] / name for name in dataset["files"]}
    reader = import_module(f"empathy_transfer.data.readers.{dataset['reader']}")
    return reader.read(files, form, {**dataset["tasks"][task_name], **overrides})


def rows(raw, task_name, **overrides):
    """The rows of one task of the nine datasets."""
    task = DATASETS[OWNERS[task_name]]["tasks"][task_name]
    return task_frame(read(raw, task_name, **overrides), task_name, task)


@pytest.mark.parametrize("task_name", sorted(OWNERS))
def test_every_task_reads_from_the_official_layout(raw, task_name):
    frame = rows(raw, task_name)
    task = DATASETS[OWNERS[task_name]]["tasks"][task_name]
    assert list(frame.columns) == ["id", "group", "context", "text", "label", "label_source"]
    assert len(frame) >= 40
    assert frame["id"].is_unique
    assert not frame["context"].isin(["", "nan", "None"]).any()
    if task["kind"] == "regression":
        assert frame["label"].dtype == "float64"
        assert frame["label"].between(*task["range"]).all()
    else:
        counts = frame["label"].value_counts()
        assert set(counts.index) == set(task["labels"])
        assert counts.min() >= 2


def test_standins_are_reproducible(tmp_path):
    for name in "ab":
        write_standins(tmp_path / name, rows=40, seed=3)
    contents = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.?sv")}
        for name in "ab"
    ]
    assert contents[0] == contents[1]


def test_groups_are_shared_where_conversations_are(raw):
    groups = {task: set(rows(raw, task)["group"]) for task in OWNERS}
    assert groups["news_empathy"] == groups["conv_empathy"]
    assert groups["empdial_qint"] <= groups["empdial_emo"]
    assert groups["empdial_ei"] <= groups["empdial_emo"]
    # Pools that have nothing to do with each other never share a group by chance.
    assert not groups["epitome_er"] & groups["condolence"] & groups["mi_behavior"]
    assert {next(iter(group)).split(":")[0] for group in groups.values()} == {
        "wassa",
        "empdial",
        "epitome",
        "tweet",
        "mi",
        "condolence",
    }


def test_conv_sorts_turns_as_numbers_and_looks_only_back(raw):
    frame = read(raw, "conv_empathy")
    first = frame[frame["id"].str.startswith("1-")]
    assert list(first["id"]) == [f"1-{turn}" for turn in range(12)]
    assert first["context"].iloc[0] is None
    assert first["context"].iloc[11] == "\n".join(first["text"].iloc[:11])
    previous = read(raw, "conv_empathy", context="previous_turn")
    assert list(previous["context"].iloc[1:3]) == list(previous["text"].iloc[:2])
    assert read(raw, "conv_empathy", context="none")["context"].isna().all()
    with pytest.raises(DataError, match="paired"):
        read(raw, "conv_empathy", context="paired")


def test_wassa_joins_the_conversations_of_the_repeated_essay(raw):
    groups = wassa.conversation_groups(pandas.Series(["443", "449", "44"]))
    assert list(groups) == ["wassa:443", "wassa:443", "wassa:44"]


def copy_of(raw, tmp_path, folder):
    """A copy of one folder of the stand-ins, to be changed."""
    target = tmp_path / folder
    target.mkdir(parents=True, exist_ok=True)
    for path in (raw / folder).iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def test_news_refuses_the_same_essay_in_two_groups(raw, tmp_path):
    folder = copy_of(raw, tmp_path, "news_wassa23")
    path = folder / news.TRAIN
    frame = pandas.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    frame.loc[9, "essay"] = frame.loc[0, "essay"].upper()
    frame.to_csv(path, sep="\t", index=False)
    with pytest.raises(DataError, match=r"row 1 and .*row 10: the same essay in conversations '1'"):
        read(tmp_path, "news_empathy")


def test_news_takes_the_first_emotion(raw):
    assert set(read(raw, "news_emotion")["emotion"]) == set(DATASETS["news"]["tasks"]["news_emotion"]["labels"])


def test_gold_labels_of_another_length_are_refused(raw, tmp_path):
    folder = copy_of(raw, tmp_path, "conv_wassa23")
    path = folder / conv.GOLD
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(DataError, match="one is cut off"):
        read(tmp_path, "conv_empathy")


def test_empdial_contexts_openings_and_kinds(raw):
    frame = read(raw, "empdial_role")
    opening = frame["opening"] == "yes"
    assert frame.loc[opening, "context"].isna().all()
    assert frame.loc[~opening, "context"].notna().all()
    assert (frame.loc[opening, "role"] == "speaker").all()
    assert not rows(raw, "empdial_role")["id"].str.endswith("-1").any()
    all_turns = read(raw, "empdial_ei")
    assert all_turns["context"].iloc[5] == "\n".join(all_turns["text"].iloc[:5])
    # Opening turns have no context and count as EI items.
    kinds = all_turns.groupby("ei_kind")["ei"].agg(set)
    assert kinds["intent"] == set(empdial.INTENTS)
    assert kinds["emotion"] <= set(frame["emo"])
    assert set(rows(raw, "empdial_ei")["label_source"]) == {"model"}


def test_empdial_refuses_a_label_that_is_neither_intent_nor_emotion(raw, tmp_path):
    folder = copy_of(raw, tmp_path, "empdial_ei")
    path = folder / "sad.csv"
    path.write_text(path.read_text().replace(",questioning\n", ",qestioning\n"))
    with pytest.raises(DataError, match=r"sad\.csv, row \d+, column 'Label': unknown value of 10 characters"):
        read(tmp_path, "empdial_ei")


def test_eqt_full_form_gives_questions_of_their_turn(raw):
    frame = read(raw, "empdial_qint")
    twice = frame[frame["id"].str.contains("-6-")].head(2)
    assert list(twice["id"].str.rsplit("-", n=1).str[1]) == ["0", "1"]
    first, second = twice["text"]
    assert second == f"{first} Why?"
    assert twice["context"].nunique() == 1
    assert len(twice["context"].iloc[0].splitlines()) == 5
    # The sources of a question's act and intent differ: each task has its own.
    acts = read(raw, "empdial_qact")
    assert set(frame["label_source"]) == {"human", "model"}
    assert not (frame["label_source"].to_numpy() == acts["label_source"].to_numpy()).all()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("act_list", "['Irony'", "not a list"),
        ("act_list", "[]", "0 values for"),
        ("labeled_question_idx", "[7]", "no sentence"),
        ("intent_source", "['oracle']", "unknown source of 6 characters"),
        ("utterance_idx", "second", "not a number"),
    ],
)
def test_eqt_full_form_refuses(raw, tmp_path, column, value, message):
    folder = copy_of(raw, tmp_path, "empdial_eqt")
    path = folder / "ed_annotated.csv"
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[1, column] = value
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match=f"row 2, column '{column}': .*{message}"):
        read(tmp_path, "empdial_qint")


def test_eqt_held_out_form(tmp_path):
    path = tmp_path / "test_set.derived.csv"
    frame = pandas.DataFrame(
        {
            "id": ["hit:1_conv:2-4-1", "hit:1_conv:2-2-0"],
            "utterance_truncated": ["One. \n Two? \n Three. \n Four? Five?", "One. \n Two?"],
            "type": ["Irony", "Suggest a reason"],
            "intent": ["Motivate", "De-escalate"],
        }
    )
    frame.to_csv(path, index=False)
    result = eqt.read({path.name: path}, {"context": "all_previous"}, {"label": "act"})
    assert list(result["text"]) == ["Four? Five?", "Two?"]
    assert list(result["context"]) == ["One.\nTwo?\nThree.", "One."]
    assert list(result["act"]) == ["irony", "suggest a reason"]
    assert set(result["group"]) == {"empdial:hit:1_conv:2"}
    previous = eqt.read({path.name: path}, {"context": "previous_turn"}, {"label": "act"})
    assert list(previous["context"]) == ["Three.", "One."]


def test_mi_context_is_the_nearest_earlier_speaker(raw):
    frame = read(raw, "mi_behavior")
    assert len(frame[frame["behavior"] == "other"]) == 0
    assert frame["context"].notna().all()
    # Two sentences of one listener turn answer the same words.
    assert frame["context"].iloc[0] == frame["context"].iloc[1]
    assert frame["context"].iloc[0] != frame["context"].iloc[2]


def test_mi_tolerates_other_spellings_of_column_names(tmp_path):
    path = tmp_path / "MI Dataset.csv"
    path.write_text(
        "Dialog_ID,Author,Text,Final Agreed Label,more\n"
        "7,speaker,A kettle whistles.,,x\n"
        "7,listener,It does.,Simple  Reflection,x\n"
        "7,listener,Yes.,-,x\n"
    )
    frame = mi.read({path.name: path}, {"context": "previous_turn"}, {})
    assert frame[["id", "group", "context", "text", "behavior"]].values.tolist() == [
        ["7-2", "mi:7", "A kettle whistles.", "It does.", "simple reflection"]
    ]
    path.write_text("dialog_id,author,label\n7,speaker,x\n")
    with pytest.raises(DataError, match="no column 'text', 'final_agreed_label'"):
        mi.read({path.name: path}, {"context": "none"}, {})


def test_mi_sentences_that_repeat_share_a_group(tmp_path):
    path = tmp_path / "test_output.csv"
    path.write_text(
        "Text,Ground truth (index),Ground truth,Prediction (index),Prediction\n"
        "Well done.,6,Affirm,0,Warn\nwell  DONE.,6,Affirm,0,Warn\nGo home.,1,Direct,0,Warn\nHm.,1,Other,0,Warn\n"
    )
    frame = mi.read({path.name: path}, {"context": "previous_turn"}, {})
    assert list(frame["behavior"]) == ["affirm", "affirm", "direct"]
    assert frame["group"].iloc[0] == frame["group"].iloc[1] != frame["group"].iloc[2]
    assert frame["id"].is_unique
    assert frame["context"].isna().all()


def test_epitome_keeps_the_first_of_repeated_pairs(raw):
    frame = read(raw, "epitome_er")
    assert len(frame) == 60
    assert list(frame.loc[0, ["er", "ex", "ip"]]) == ["0", "1", "2"]
    # A line break inside the post would look like a second turn.
    assert frame.loc[0, "context"] == "0: a post. It has two lines."


def test_epitome_refuses_files_about_different_pairs(raw, tmp_path):
    folder = copy_of(raw, tmp_path, "epitome")
    path = folder / epitome.FILES["ip"]
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:41]))
    with pytest.raises(DataError, match="different posts"):
        read(tmp_path, "epitome_er")


def test_empathy_hope_skips_ids_without_text(raw, tmp_path):
    assert len(read(raw, "empathy_hope")) == 54
    assert read(raw, "empathy_hope")["id"].str.fullmatch(r"\d{19}").all()
    folder = copy_of(raw, tmp_path, "empathy_hope")
    (folder / empathy_hope.TEXTS).write_text("tweet_id,text\n1.38574E+18,Rounded\n")
    with pytest.raises(DataError, match="no text for any id"):
        read(tmp_path, "empathy_hope")
    (folder / empathy_hope.TEXTS).write_text("tweet_id,text\n5,One\n5,Two\n")
    with pytest.raises(DataError, match="row 2, column 'tweet_id': '5' stands there twice"):
        read(tmp_path, "empathy_hope")


def test_empathy_hope_tells_how_many_tweets_it_loses(raw, tmp_path, capsys):
    read(raw, "empathy_hope")
    assert "supportive_annotation.csv: 6 of 60 rows are left out: tweets.csv has no text" in capsys.readouterr().out
    folder = copy_of(raw, tmp_path, "empathy_hope")
    path = folder / empathy_hope.TEXTS
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:30]))  # 29 of 60 tweets
    with pytest.raises(DataError, match=r"31 of 60 rows are left out: tweets\.csv has no text for their id"):
        read(tmp_path, "empathy_hope")
    form = {"reader": "empathy_hope", "max_lost": 0.6}
    assert len(empathy_hope.read({file.name: file for file in folder.iterdir()}, form, {})) == 29
    # Ids that another program has rounded.
    path.write_text("".join([*lines[:10], *(line.replace("1385740", "138574000", 1) for line in lines[10:])]))
    with pytest.raises(DataError, match=r"tweets\.csv: 45 of 54 rows are left out: their id is not in"):
        read(tmp_path, "empathy_hope")


@pytest.mark.parametrize(
    ("task_name", "column"),
    [
        ("news_empathy", "conversation_id"),
        ("conv_empathy", "conversation_id"),
        ("empdial_emo", "Dialog_ID"),
        ("mi_behavior", "dialog_id"),
        ("empdial_qact", "conv_id"),
        ("epitome_er", "sp_id"),
    ],
)
def test_an_empty_conversation_is_no_group(raw, tmp_path, task_name, column):
    dataset = DATASETS[OWNERS[task_name]]
    for path in copy_of(raw, tmp_path, dataset["folder"]).iterdir():
        mark = "\t" if path.suffix == ".tsv" else ","
        table = pandas.read_csv(path, sep=mark, dtype=str, keep_default_na=False, header=0)
        if column in table:
            table[column] = [" " if value == table[column].iloc[0] else value for value in table[column]]
            table.to_csv(path, sep=mark, index=False)
    with pytest.raises(DataError, match=r"row \d+: task .*: empty group"):
        rows(tmp_path, task_name)


# --- the generic table reader ---

COLUMNS = {"id": "key", "text": "words", "group": "writer", "context": "before"}
RECORDS = [
    {"key": "a", "words": "NA", "writer": "w1", "before": "", "mood": "no"},
    {"key": "b", "words": 'She said "null", twice', "writer": "w1", "before": "Hello.\nThere.", "mood": "yes"},
    {"key": "c", "words": "Ünïcode\nand a line", "writer": "w2", "before": "None", "mood": "no"},
]


def write_records(path, records):
    """Write records in the format of the path's ending."""
    frame = pandas.DataFrame(records)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        frame.to_csv(path, sep="\t" if path.suffix == ".tsv" else ",", index=False)
    return path


def read_table(*paths, columns=None, context="paired", task=None):
    form = {"reader": "table", "folder": "essays", "columns": columns or COLUMNS, "context": context}
    return table.read({path.name: path for path in paths}, form, task or {"label": "mood"})


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_table_reads_all_formats_alike(tmp_path, ending):
    frame = read_table(write_records(tmp_path / f"essays.{ending}", RECORDS))
    assert list(frame["id"]) == ["a", "b", "c"]
    assert list(frame["group"]) == ["essays:w1", "essays:w1", "essays:w2"]
    assert list(frame["text"]) == [record["words"] for record in RECORDS]
    assert list(frame["context"]) == [None, "Hello.\nThere.", "None"]
    assert list(frame["mood"]) == ["no", "yes", "no"]
    assert frame[common.PLACE].iloc[2] == f"essays.{ending}, row 3"


def test_table_defaults(tmp_path):
    path = write_records(tmp_path / "essays.csv", RECORDS)
    frame = read_table(path, columns={"text": "words"}, context="none")
    assert list(frame["id"]) == ["row1", "row2", "row3"]
    assert list(frame["group"]) == ["essays:row1", "essays:row2", "essays:row3"]
    assert frame["context"].isna().all()
    second = write_records(tmp_path / "more.csv", RECORDS)
    both = read_table(path, second, columns={"text": "words"}, context="none")
    assert list(both["id"][:4]) == ["essays-1", "essays-2", "essays-3", "more-1"]


def test_table_keeps_whole_numbers_whole_and_lists(tmp_path):
    records = [{"key": 1, "words": "x", "tags": ["a", "b"]}, {"key": 2, "words": "y", "tags": []}]
    for ending in ("jsonl", "parquet"):
        frame = read_table(
            write_records(tmp_path / f"t.{ending}", records), columns={"id": "key", "text": "words"}, context="none"
        )
        assert list(frame["id"]) == ["1", "2"]
        assert [list(tags) for tags in frame["tags"]] == [["a", "b"], []]


def test_table_refuses(tmp_path):
    path = write_records(tmp_path / "essays.csv", RECORDS)
    with pytest.raises(DataError, match=r"essays\.csv: no column 'wörter'\. The file has 'key', 'words'"):
        read_table(path, columns={"text": "wörter"}, context="none")
    with pytest.raises(DataError, match="context `paired` needs `context`"):
        read_table(path, columns={"text": "words"})
    with pytest.raises(DataError, match="previous_turn"):
        read_table(path, context="previous_turn")
    empty = write_records(tmp_path / "e.csv", [*RECORDS, {**RECORDS[0], "key": "d", "writer": " "}])
    with pytest.raises(DataError, match=r"e\.csv, row 4, column 'writer': empty"):
        read_table(empty)
    other = tmp_path / "essays.xlsx"
    other.write_bytes(b"x")
    with pytest.raises(DataError, match=r"\.xlsx"):
        read_table(other)


SECRET = "a private matter"


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_a_file_cut_in_half_is_an_error_that_quotes_no_text(tmp_path, ending):
    records = [{**RECORDS[1], "key": str(number), "words": f'"{SECRET}",\t{number}'} for number in range(9)]
    path = write_records(tmp_path / f"essays.{ending}", records)
    whole = path.read_bytes()
    # Cut inside the quoted text of a row in the middle.
    middle = whole.index(SECRET.encode(), len(whole) // 2) + 4 if ending != "parquet" else len(whole) // 2
    path.write_bytes(whole[:middle])
    with pytest.raises(DataError, match=rf"essays\.{ending}.*Fetch the file again") as caught:
        read_table(path)
    assert SECRET[:4] not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"key,words\n1,x\n2\n", "row 2: 1 fields where the first line has 2"),
        (b"key,words\n1,x\n2,y,z\n", "row 2: 3 fields"),
        (b"key,words\n1,x\n2,\xff\n", "not UTF-8"),
        (b'key,words\n1,"x\n', "unexpected end of data"),
        (b"key,key\n1,x\n", "'key' stands there more than once"),
        (b"key,word\n1,x\n", "no column 'words'"),
    ],
)
def test_damaged_tables_are_errors(tmp_path, content, message):
    path = tmp_path / "essays.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        common.read_delimited(path, ["words"])


def test_marks_of_spreadsheets_and_long_fields_are_read(tmp_path):
    path = tmp_path / "essays.csv"
    path.write_bytes(b"\xef\xbb\xbfkey,words\r\n1," + b"x" * 300_000 + b"\r\n")
    frame = common.read_delimited(path, ["key", "words"])
    assert len(frame["words"].iloc[0]) == 300_000


def test_earlier_turns_keeps_lines_apart():
    contexts = common.earlier_turns(["a\nb", " ", "c"], ["x", "x", "x"], "all_previous")
    assert contexts == [None, "a b", "a b"]


def test_text_key_ignores_case_and_spacing_only():
    assert common.text_key(" A  b\n") == common.text_key("a B")
    assert common.text_key("a b") != common.text_key("ab")


@pytest.mark.parametrize("task_name", sorted(OWNERS))
def test_a_cut_file_stops_every_reader(raw, tmp_path, task_name):
    """Each dataset's first file ends in the middle of a quoted field or of a row."""
    dataset = DATASETS[OWNERS[task_name]]
    folder = copy_of(raw, tmp_path, dataset["folder"])
    path = folder / next(iter(dataset["files"]))
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, len(whole) // 2) + 1
    path.write_bytes(whole[: start + 3])
    with pytest.raises(DataError, match=path.name):
        read(tmp_path, task_name)
