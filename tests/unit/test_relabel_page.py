"""The page of results on corrected and added labels, on a made-up study of the real one's shape."""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.claims.label_claims import label_claims
from empathy_transfer.claims.label_rules import LabelEvidence
from empathy_transfer.metrics import metric, metrics_of
from empathy_transfer.relabel import report
from empathy_transfer.relabel.comparisons import compare_settings
from empathy_transfer.relabel.flags import signs_of_failure
from empathy_transfer.relabel.training_sets import EQUAL_SHARE
from empathy_transfer.report.comparison_words import finding
from empathy_transfer.statistics.verdicts import HARMED, IMPROVED
from study_copy import ROOT

SEEDS = (0, 42, 100, 999, 1234)
THRESHOLDS = (0, 2, 3, 3.5, 4, 4.5, 5)
FRACTIONS = (0.1, 0.3, 1)
# Size of the errors of runs: 1 where a setting is no better than the baseline.
PLANTED = {"alpha=4": 0.4, "random_essays": 0.4, "both=1": 0.2}


def settings_of(model):
    added = [f"added={fraction:g}" for fraction in FRACTIONS]
    if model == "crowd":
        return ["baseline", *added, "huber"]
    return [f"alpha={threshold:g}" for threshold in THRESHOLDS] + [*added, "both=1", *EQUAL_SHARE]


class Study(NamedTuple):
    """Frames of the stage, and the page."""

    comparisons: pd.DataFrame
    claims: pd.DataFrame
    flags: pd.DataFrame
    page: str


@pytest.fixture(scope="module")
def study():
    """A study of two models, five seeds and 195 runs."""
    generator = np.random.default_rng(8)
    labels = generator.uniform(1, 7, 100)
    test = pd.DataFrame({"id": [f"n{place}" for place in range(100)], "label": labels})
    groups = pd.Series([f"g{place // 2}" for place in range(100)], index=test["id"])
    rows, runs = [], {}
    for model in ("crowd", "gpt", "llama"):
        for setting in settings_of(model):
            kind, _, number = setting.partition("=")
            for seed in SEEDS:
                size = PLANTED.get(setting, 1.0) if model == "gpt" else 1.0
                predictions = labels + 2 * size * generator.normal(0, 1, 100)
                runs["minilm", model, setting, seed] = test.assign(prediction=predictions)
                found = {name: metric(name).value(labels, predictions) for name in metrics_of("regression")}
                rows.append({
                    "encoder": "minilm", "model": model, "setting": setting, "kind": kind, "seed": seed,
                    "number": float(number) if number else None, "trained_as": setting, "n_base": 320,
                    "share_concerned": 0.25, "constant_prediction": False, "validation_ccc": found["ccc"], **found,
                })  # fmt: skip
    trained = pd.DataFrame(rows)
    stand_ins = [trained[trained["setting"] == "alpha=4"].assign(setting="alpha=chosen", kind="chosen")]
    same = trained[trained["setting"] == "baseline"]
    stand_ins += [same.assign(model=model, setting="alpha=6", kind="alpha", number=6.0) for model in ("gpt", "llama")]
    scores = pd.concat([trained, *stand_ins], ignore_index=True)
    agreements = {"set": ["a", "a"], "first": ["crowd", "gpt"], "second": ["gpt", "llama"], "clusters": [50, 50]}
    agreements |= {"krippendorff_alpha": [0.2, 0.85], "alpha_se": [0.01, 0.01]}
    slices = {"encoder": ["minilm"], "attribute": ["race"], "group": ["2"], "system": ["a|b <i>*c*"], "ccc": [-0.1]}
    slices |= {"n": [12], "ccc_low": [-0.4], "ccc_high": [0.2]}
    comparisons = compare_settings(scores, groups, runs, {"resamples": 300, "alpha": 0.05})
    evidence = LabelEvidence(scores, comparisons, pd.DataFrame(agreements), 0.05)
    claims = label_claims(ROOT / "resources/claims/labels.yaml", evidence)
    flags = signs_of_failure(scores, comparisons, pd.DataFrame(slices))
    return Study(comparisons, claims, flags, report.as_page(scores, comparisons, claims, flags, 0.05))


@pytest.fixture
def text(study):
    return study.page


def rows_below(text, title):
    """Cells of the rows of the first table below a title."""
    lines = text[text.index(title) :].splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.replace("\\|", "\0").strip("|").split("|")])
    return rows


def test_gains_of_correction_augmentation_and_both_stand_with_intervals(study, text):
    rows = {(row[0], row[1]): row for row in rows_below(text, "### What was gained")}
    assert [key[0] for key in rows] == ["gpt"] * 3 + ["llama"] * 3 + ["crowd"]
    assert rows["gpt", "corrected at the chosen threshold"][5] == "**improved**"
    assert rows["gpt", "corrected at the chosen threshold, and 100 % of the other texts added"][5] == "**improved**"
    assert rows["gpt", "100 % of the other texts added"][5] == "**undecided**"
    found = study.comparisons
    found = found[(found["comparison"] == "baseline") & (found["metric"] == "ccc")].set_index(["model", "setting"])
    row = found.loc[("gpt", "alpha=chosen")]
    cells = rows["gpt", "corrected at the chosen threshold"]
    assert cells[3] == f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
    assert cells[4] == f"{row['low_paired']:+.3f} to {row['high_paired']:+.3f}"
    assert f"- gpt, corrected at the chosen threshold: {cells[3]}, **improved**." in text
    assert "Chosen on validation for llama, by seed: 4, 4, 4, 4, 4; this replaces 25 % of the labels" in text


def test_each_control_is_said_to_do_as_well_or_not(text):
    rows = rows_below(text, "### Do controls do as well?")
    of_gpt = {row[2]: row[4] for row in rows if row[:2] == ["gpt", "corrected at the chosen threshold"]}
    assert len(of_gpt) == len(EQUAL_SHARE) + 1
    assert of_gpt.pop("as many labels replaced, on random texts") == "**undecided**"
    assert set(of_gpt.values()) == {"**control is worse**"}
    assert "- gpt: of 7 controls of its correction, 6 worse, 1 undecided." in text
    of_added = [row for row in rows if row[2].startswith("the crowd's labels, ")]
    assert [row[0] for row in of_added] == ["gpt"] * 3 + ["llama"] * 3
    both = [row for row in rows if row[0] == "gpt" and row[4] == "**both is better**"]
    assert {row[2] for row in both} == {"corrected at the chosen threshold", "100 % of the other texts added"}


def test_verdicts_and_raised_flags_are_those_of_their_files(study, text):
    claimed = study.claims
    rows = rows_below(text, "## The printed claims")
    verdicts = "**" + claimed["verdict"] + "**"
    assert [(row[0], row[6]) for row in rows] == list(zip(claimed["claim"], verdicts, strict=True))
    flagged = study.flags
    assert f"{flagged['raised'].sum()} of {len(flagged)} checks raise a flag." in text
    raised = flagged[flagged["raised"].astype(bool)].groupby(["flag", "encoder", "model"], dropna=False)["value"]
    rows = rows_below(text, "## Signs of failure")
    assert [row[0] for row in rows if row[2] == "a\0b &lt;i&gt;\\*c\\*"] == ["negative concordance in race 2"]
    assert len(rows) == len(raised)


def test_settings_that_raise_the_same_flag_share_a_row():
    flag = {"encoder": "minilm", "flag": "concordance far below Pearson r", "model": "gpt", "limit": 0.7}
    frame = [flag | {"setting": f"alpha={place}", "value": value, "raised": value < 0.7}
             for place, value in enumerate([0.2, 0.31, 0.9])]  # fmt: skip
    frame.append({"flag": "negative concordance in race 2", "model": "x", "n": 12, "value": -0.1, "low": -0.4,
                  "high": 0.2, "limit": 0, "raised": True})  # fmt: skip
    assert [" | ".join(row) for row in report._flags(pd.DataFrame(frame))] == [
        "concordance far below Pearson r | minilm | gpt | 2 of 3 | 0.200 to 0.310 | 0.7 | –",
        "negative concordance in race 2 | – | x | – | -0.100 (-0.400 to +0.200) | 0 | 12",
    ]


def test_text_from_files_can_not_break_the_page(text):
    row = next(row for row in rows_below(text, "## Signs of failure") if row[0].startswith("negative concordance"))
    assert row[2] == "a\0b &lt;i&gt;\\*c\\*"
    assert report.plain_text("[a](b)\n`c` _d_ e_f \\") == "\\[a\\](b) \\`c\\` \\_d\\_ e_f \\\\"


def test_the_page_says_what_its_tests_cover_and_what_is_not_given(text):
    assert "95 % interval over test texts and seeds" in text
    assert "**undecided, q** means" in text
    assert "the false discovery rate q is above 0.05" in text
    assert "measure the noise of seeds only" in text
    assert "That table is not given here" in text


def test_files_that_the_page_names_are_made_by_the_stage(text):
    rules = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("workflow/rules/relabel/*.smk"))
    names = re.findall(r"^\| `([^`]+)` \|", text.partition("## Where more stands")[2], re.MULTILINE)
    assert len(names) == 10
    for name in names:
        assert f'"<results>/{name}"' in rules, name


def test_a_finding_needs_two_seeds_an_interval_beside_0_and_a_small_false_discovery_rate():
    columns = {"seeds": [1, 5, 5, 5, 5], "low": [1, 1, -1, -2, 1], "high": [2, 2, 1, -1, 2]}
    columns |= {"sure": [True, True, False, True, False], "q": [0.01, 0.01, 0.6, 0.01, 0.0534]}
    words = ["not testable (one seed)", "improved", "undecided", "harmed", "undecided, q 0.053"]
    assert [finding(row, IMPROVED, HARMED) for row in pd.DataFrame(columns).itertuples()] == words
