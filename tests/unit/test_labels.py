"""From recorded labels and raw answers to labels.parquet, and the comparison of prompts."""

import json

import numpy as np
import pandas
import pytest

from empathy_transfer.errors import DataError
from empathy_transfer.frame.job import open_job
from empathy_transfer.labelling.labels import invalid_line, parse_labels
from empathy_transfer.labelling.prompt_report import report_prompts
from empathy_transfer.records.artefacts import read_csv, read_table, write_table
from empathy_transfer.records.files import sha256_file
from fake_jobs import fake_snakemake
from label_studies import ask, write_set
from study_copy import ROOT

SCALE, PROMPT = ROOT / "config/scales/batson_empathy.yaml", ROOT / "config/prompts/scale_aware.j2"
SIX = ["sympathetic", "moved", "compassionate", "tender", "warm", "soft_hearted"]


def recorded(path, lines):
    path.write_text("\r\n".join(["essay_id\tllm_empathy", *lines, ""]), encoding="utf-8")
    columns = {"id": "essay_id", "label": "llm_empathy"}
    settings = {"provider": "recorded", "model": "gpt", "columns": columns, "sha256": sha256_file(path)}
    return {"settings": settings, "recorded_path": path}


def as_job(rule, path, write):
    """Write a table as a job does, with its provenance."""
    output = {"table": str(path), "provenance": str(path.with_suffix(".provenance.json"))}
    with open_job(fake_snakemake(rule, output, log=str(path.with_suffix(".log")))) as job:
        write(job.output["table"])
    return path


def parse(folder, answers, scale=SCALE, prompt=PROMPT):
    sealed = as_job("ask_model", folder / "sealed.parquet", lambda path: write_table(path, answers))
    parse_labels(sealed, scale, prompt, folder / "labels.parquet")
    return read_table(folder / "labels.parquet", verify=False)


def answers_of(raws, repeats=None, **columns):
    """A table of answers as the asking job exports it."""
    count = len(raws)
    frame = pandas.DataFrame(
        {
            "id": [f"t{number}" for number in range(count)],
            "status": "answered",
            "provider": "openai",
            "model": "m-1",
            "model_version": "",
            "prompt": "scale_aware",
            "scale": "batson_empathy",
            "repeat": repeats or [0] * count,
            "raw": raws,
            "finish": "stop",
            "served_model": "served-1",
            "tokens_in": 100,
            "tokens_out": 50,
            "cost": 0.001,
            "latency": 2.0,
        }
    )
    return frame.assign(**columns)


def full(*scores):
    return json.dumps(dict(zip(SIX, scores, strict=True)))


def test_recorded_labels_are_joined_by_id_and_those_off_the_scale_are_invalid(tmp_path):
    texts = write_set(tmp_path / "set.parquet", ["a", "b", "c", "d", "a"])
    own = recorded(tmp_path / "gpt.tsv", ["t4\t2", "t0\t4.166666667", "t1\t", "t2\t8", "other\t3"])
    answers = read_table(ask(tmp_path, set_path=texts, **own), verify=False)
    labels = parse(tmp_path, answers)
    columns = ["id", "label", "valid", "reason", *SIX, "provider", "model", "model_version", "prompt", "scale"]
    assert list(labels.columns) == columns
    assert list(labels["id"]) == ["t0", "t1", "t2", "t3", "t4"]
    # t0 and t4 have one text but two labels, which are kept apart.
    assert labels["label"].fillna(-1).tolist() == [4.166666667, -1, -1, -1, 2.0]
    assert labels["valid"].tolist() == [True, False, False, False, True]
    assert labels["reason"].fillna("").tolist() == ["", "no_answer", "out_of_range: label", "not_asked", ""]
    assert labels[SIX].isna().all(axis=None)
    assert labels.dtypes[["label", "valid"]].astype(str).tolist() == ["float64", "bool"]
    assert set(labels["model_version"]) == {own["settings"]["sha256"][:16]}
    assert (labels["provider"] == "recorded").all()


def test_a_corrected_file_of_recorded_labels_is_another_version(tmp_path):
    texts = write_set(tmp_path / "set.parquet", ["a"])
    first = read_table(ask(tmp_path, set_path=texts, **recorded(tmp_path / "a.tsv", ["t0\t2"])), verify=False)
    second = read_table(ask(tmp_path, set_path=texts, **recorded(tmp_path / "a.tsv", ["t0\t3"])), verify=False)
    assert (first["raw"][0], second["raw"][0]) == ("2", "3")


@pytest.mark.parametrize(
    ("lines", "change", "words"),
    [
        (["t0\t2", "t0\t3"], {}, "a.tsv, row 2: this id has a label already"),
        (["t0\t2"], {"sha256": "0" * 64}, "not the file that the config names"),
        (["t0\t2"], {"columns": {"id": "id", "label": "llm_empathy"}}, "no column 'id'"),
    ],
)
def test_a_file_of_recorded_labels_that_is_not_as_said_is_refused(tmp_path, lines, change, words):
    texts = write_set(tmp_path / "set.parquet", ["a"])
    own = recorded(tmp_path / "a.tsv", lines)
    with pytest.raises(DataError, match=words):
        ask(tmp_path, set_path=texts, recorded_path=own["recorded_path"], settings=own["settings"] | change)


@pytest.mark.parametrize(
    ("of_set", "of_file", "words"),
    [
        ("t{}", "t{}.0", r"The set has 't0', the file 't0\.0'.*was written as decimals"),
        ("t{}", "T{}", r"The set has 't0', the file 'T0'. Ids must be the same"),
        ("t{}", " t{}", "Ids must be the same"),
        ("t{}", "I had a long day and {}", "and at most 20% may lack one. Ids must be the same"),
    ],
)
def test_recorded_labels_of_other_ids_are_refused(tmp_path, of_set, of_file, words):
    count = 60
    texts = write_set(tmp_path / "set.parquet", [f"text {number}" for number in range(count)])
    lines = [f"{of_file.format(number)}\t{1 + number % 7}" for number in range(count)]
    with pytest.raises(DataError, match=rf"gpt\.tsv: 60 of 60 texts have no row there.*{words}"):
        ask(tmp_path, set_path=texts, **recorded(tmp_path / "gpt.tsv", lines))


@pytest.mark.parametrize("written", ["{},5", "{} points", "0_{}", "1{}", "nan"])
def test_recorded_labels_that_are_no_numbers_of_the_scale_are_refused(tmp_path, written):
    texts = write_set(tmp_path / "set.parquet", ["a", "b", "c", "d", "e", "f"])
    # Two of six: more than a fifth. The places are those of the file.
    lines = ["t0\t1", f"t1\t{written.format(4)}", "t2\t3", f"t3\t{written.format(5)}", "t4\t", "t5\t7"]
    with pytest.raises(DataError, match=r"gpt\.tsv, row 2, column 'llm_empathy': \w+, as the labels of 2 of 6 texts"):
        ask(tmp_path, set_path=texts, **recorded(tmp_path / "gpt.tsv", lines))


def test_what_a_join_loses_is_told_and_a_fifth_may_be_lost(tmp_path, capfd):
    texts = write_set(tmp_path / "set.parquet", list("abcde"))
    lines = ["t0\t1", "t1\t8", "t2\t", "t3\t4", *(f"other{number}\t3" for number in range(9))]
    answers = read_table(ask(tmp_path, set_path=texts, **recorded(tmp_path / "gpt.tsv", lines)), verify=False)
    assert answers["status"].tolist() == ["answered", "answered", "no_answer", "answered", "not_asked"]
    told = capfd.readouterr().out
    assert "gpt.tsv: 4 of 5 texts have a row, 1 of these no label of the scale batson_empathy; 9 rows are about" in told


def test_recorded_labels_that_are_all_empty_end_the_job(tmp_path):
    texts = write_set(tmp_path / "set.parquet", list("abc"))
    with pytest.raises(RuntimeError, match=r"none of the 3 answers can be read \(3 x no_answer\)"):
        ask(tmp_path, set_path=texts, **recorded(tmp_path / "gpt.tsv", ["t0\t", "t1\t", "t2\t"]))


def test_labels_of_a_model_have_a_column_per_item_and_the_servers_version(tmp_path):
    labels = parse(tmp_path, answers_of([full(1, 2, 3, 4, 5, 6), full(1, 2, 3, 4, 5, 9), "half a"]))
    assert labels["label"].fillna(-1).tolist() == [3.5, -1, -1]
    assert labels.loc[0, SIX].tolist() == [1, 2, 3, 4, 5, 6]
    assert labels.loc[1:, SIX].isna().all(axis=None)
    assert labels["reason"].fillna("").tolist() == ["", "out_of_range: soft_hearted", "not_json"]
    assert set(labels["model_version"]) == {"served-1"}
    assert "repeat" not in labels
    assert invalid_line(labels) == "3 answers, 2 invalid (66.7 %): 1 x out_of_range: soft_hearted, 1 x not_json"


def test_the_version_of_a_local_model_is_its_digest_and_not_the_path_that_it_serves(tmp_path):
    own = {"provider": "llama_cpp", "model_version": "0123abcd", "served_model": "models/mine.gguf"}
    labels = parse(tmp_path, answers_of([full(1, 2, 3, 4, 5, 6)], **own))
    assert labels["model_version"].tolist() == ["0123abcd"]


def compared(folder, crowd, *answers):
    """The rows and the page of tables of answers, against labels of a crowd for the texts t0, t1 ..."""
    human = pandas.DataFrame({"id": [f"t{n}" for n in range(len(crowd))], "text": "a lamp", "label": crowd})
    texts = as_job("prepare_label_set", folder / "lamps.parquet", lambda path: write_table(path, human))
    asked, read = [], []
    for number, table in enumerate(answers):
        (own := folder / str(number)).mkdir()
        labels = parse(own, table)
        asked.append(own / "sealed.parquet")
        read.append(as_job("parse_sample", own / "sealed_labels.parquet", lambda path, t=labels: write_table(path, t)))
    names = [{"model": "mine", "prompt": f"prompt_{number}"} for number in range(len(answers))]
    paths = folder / "prompts.csv", folder / "prompts.html"
    report_prompts(asked, read, names, [texts], "lamps", {"mine": 4}, 0.05, *paths)
    return read_csv(paths[0], verify=False).to_dict("records"), paths[1].read_text(encoding="utf-8")


def test_prompts_are_compared_on_the_sample(tmp_path):
    # Twice the same, but for t1; t4 can't be read; t5 has no crowd label.
    same = [full(*[score] * 6) for score in (2, 3, 5, 4)]
    raws = [*same, "?", full(*[5] * 6), same[0], full(*[5] * 6), *same[2:], "?", full(*[5] * 6)]
    answers = answers_of(raws, repeats=[0] * 6 + [1] * 6, id=[f"t{n}" for n in range(6)] * 2)
    (row,), page = compared(tmp_path, [1.0, 2, 3, 4, 4, None], answers)
    assert (row["model"], row["texts"], row["compared"], row["retested"]) == ("mine", 6, 4, 5)
    assert row["parsed"] == pytest.approx(5 / 6)
    # Crowd 1, 2, 3, 4 against 2, 3, 5, 4: variances 5/4, covariance 1, means one apart.
    assert row["pearson_r"] == pytest.approx(0.8)
    # Fisher's z of .8 is ln(9) / 2 = 1.0986, its error 1 at four texts: 1.0986 -+ 1.9600.
    assert row["pearson_low"] == pytest.approx(np.tanh(1.0986 - 1.9600), abs=1e-4)
    assert row["pearson_high"] == pytest.approx(np.tanh(1.0986 + 1.9600), abs=1e-4)
    assert row["ccc"] == pytest.approx(2 / (5 / 4 + 5 / 4 + 1))
    # Differences 1, 1, 2, 0.
    assert (row["rmse"], row["bias"]) == (pytest.approx((6 / 4) ** 0.5), pytest.approx(1))
    assert row["retest_difference"] == pytest.approx(2 / 5)
    assert row["cost"] == pytest.approx(0.012)
    assert row["cost_full"] == pytest.approx(6 * 0.001)
    assert row["hours_full"] == pytest.approx(6 * 2.0 / 4 / 3600)
    assert "<td>0.800 (-0.70 to 1.00)</td><td>0.571</td>" in page.replace("\u00a0", " ")
    assert "95 % interval of r" in page


def test_a_prompt_that_failed_has_its_reason_in_place_of_figures(tmp_path):
    reason = "3 questions in a row failed, the last one: status 500: <not> now"
    good, bad = answers_of([full(*[2] * 6)] * 4), answers_of([full(*[2] * 6), None], failure=reason)
    (other, row), page = compared(tmp_path, [1.0, 2, 3, 4], good, bad)
    assert {name: value for name, value in row.items() if value == value} == {
        "model": "mine",
        "prompt": "prompt_1",
        "scale": "batson_empathy",
        "provider": "openai",
        "failure": reason,
    }
    assert other["texts"] == 4
    assert "<td>4</td><td>100.0</td><td>4</td>" in page
    assert "<td>–</td><td>failed</td><td>–</td>" in page
    assert "mine, prompt_1 failed: 3 questions in a row failed, the last one: status 500: &lt;not&gt; now" in page
    assert "--forcerun ask_sample" in page


def test_a_perfect_r_has_no_interval(tmp_path):
    answers = answers_of([full(*[score] * 6) for score in (1, 2, 3, 4)])
    (row,), page = compared(tmp_path, [2.0, 3, 4, 5], answers)
    assert row["pearson_r"] == 1
    assert "<td>1.000</td>" in page
    assert "failed" not in page


def test_of_three_texts_nothing_is_said(tmp_path):
    raws = [full(*[score] * 6) for score in (2, 3, 5)]
    answers = answers_of(raws * 2, repeats=[0] * 3 + [1] * 3, id=["t0", "t1", "t2"] * 2)
    (row,), page = compared(tmp_path, [1.0, 2, 3], answers)
    assert (row["texts"], row["compared"], row["retested"]) == (3, 3, 3)
    unsaid = ["pearson_r", "pearson_low", "ccc", "rmse", "bias", "retest_pearson_r", "retest_difference"]
    assert np.isnan([row[name] for name in unsaid]).all()
    assert "<td>3</td>" + 4 * "<td>–</td>" + "<td>3</td>" + 2 * "<td>–</td>" in page


def test_what_recorded_labels_cost_is_unknown_and_not_nothing(tmp_path):
    answers = answers_of(["2"], provider="recorded", cost=0.0, latency=np.nan)
    (row,), page = compared(tmp_path, [1.0], answers)
    assert np.isnan([row["cost"], row["cost_full"], row["hours_full"]]).all()
    assert "0.0000" not in page
