"""Comparisons, tables, claims and the page of raters, on made-up answers of known quality."""

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.claims.rater_claims import rater_claims
from empathy_transfer.claims.rater_rules import RaterEvidence
from empathy_transfer.metrics import accuracy, f1_weighted
from empathy_transfer.raters import comparisons as raters
from empathy_transfer.raters import report, slices, table
from empathy_transfer.significance.cell_tests import intervals_of_cells, resample_classes, resampled_cells
from empathy_transfer.statistics.resampling import bootstrap_counts
from study_copy import ROOT

LEVELS = ["0", "1", "2", "3"]
LOSSES = ("cross_entropy", "focal", "kl_divergence", "corn")
SETTINGS = {"resamples": 300, "alpha": 0.05}
CLAIMS = ROOT / "resources/claims/raters.yaml"


def answers(generator, labels, right):
    """Levels of which a share is right, and the others are a level away."""
    away = np.clip(labels + generator.choice([-1, 1], len(labels)), 0, 3)
    return np.where(generator.random(len(labels)) < right, labels, away)


def alike(architecture, loss):
    """All raters are as good as each other."""
    return 0.6


def as_printed(architecture, loss):
    """Bi-encoders are better."""
    return 0.75 if architecture == "bi" else 0.5


def against_print(architecture, loss):
    """Cross-encoders are better, and the divergence is the best loss."""
    return (0.5 if architecture == "bi" else 0.7) + (0.15 if loss == "kl_divergence" else 0)


def focal_best(architecture, loss):
    """The focal loss is the best one."""
    return 0.75 if loss == "focal" else 0.5


def one_best(architecture, loss):
    """One rater is better than all others."""
    return 0.8 if (architecture, loss) == ("bi", "focal") else 0.5


def made_up(generator, quality, losses=LOSSES, seeds=5, pairs=160, luck=0.02):
    """Predictions {(cell, seed): frame} and groups; `quality(architecture, loss)` is the share of right answers."""
    labels = generator.integers(0, 4, pairs)
    ids = [f"p{number}" for number in range(pairs)]
    groups = pd.Series([f"g{number // 2:03d}" for number in range(pairs)], index=ids)
    found = {}
    for architecture in ("bi", "cross"):
        for loss in losses:
            for seed in range(seeds):
                right = quality(architecture, loss) + generator.normal(0, luck)
                given = answers(generator, labels, right)
                columns = {"id": ids, "label": labels.astype(str), "prediction": given.astype(str)}
                found[(architecture, loss, "plain"), seed] = pd.DataFrame(columns)
    return found, groups


def compared(found, groups):
    """Frames of cells and comparisons of made-up answers."""
    tested = resampled_cells(*raters.sample_of(found, groups, "classification"), SETTINGS)
    names = {"scheme": "grouped", "pairs": "levels"}
    cells = [names | dict(zip(raters.CELL, cell, strict=True)) | row for cell, row in intervals_of_cells(tested)]
    rows = [names | row for row in raters.compare_raters(tested, "classification")]
    return pd.DataFrame(cells).assign(floor=0.1), raters.with_q(pd.DataFrame(rows))


def verdicts(found, groups):
    """Verdicts of the claims on levels, by claim."""
    judged = rater_claims(CLAIMS, RaterEvidence(compared(found, groups)[1], 0.05))
    return judged.groupby("name")["verdict"].agg(list)


def test_scores_of_a_resample_are_those_of_the_drawn_pairs():
    found, groups = made_up(np.random.default_rng(0), alike, LOSSES[:1], seeds=1, pairs=40)
    sample, given = raters.sample_of(found, groups, "classification")
    (counts,) = list(bootstrap_counts(20, 3, seed=1))
    resampled = resample_classes(sample, list(given.values()), [counts])
    for place, predicted in enumerate(given.values()):
        for draw, row in enumerate(counts):
            drawn = np.repeat(np.arange(40), np.repeat(row.astype(int), 2))
            both = sample.labels[drawn], predicted[drawn]
            assert resampled.replicates["accuracy"][place, draw] == pytest.approx(accuracy.value(*both))
            assert resampled.replicates["f1_weighted"][place, draw] == pytest.approx(f1_weighted.value(*both))


def test_what_is_compared_with_what():
    cells = [("bi", "cross_entropy", "plain"), ("bi", "focal", "plain"), ("cross", "cross_entropy", "plain")]
    cells += [("bi", "corn", "plain"), ("cross", "cross_entropy", "without_segments")]
    found = raters.compared_pairs(cells, "cross_entropy")
    assert ("architecture", cells[0], cells[2]) in found
    assert ("variant", cells[4], cells[2]) in found
    losses = [(one[1], other[1]) for word, one, other in found if word == "loss"]
    assert sorted(losses) == [("corn", "cross_entropy"), ("focal", "corn"), ("focal", "cross_entropy")]
    assert len(found) == 5


def test_claims_are_rarely_judged_where_nothing_differs():
    generator, wrong, studies = np.random.default_rng(3), {}, 40
    for _ in range(studies):
        for claim, found in verdicts(*made_up(generator, alike, LOSSES[:3], pairs=120)).items():
            # That losses don't differ is true here.
            false = (
                {"supported"} if claim == "divergence differs from cross-entropy" else {"supported", "not supported"}
            )
            wrong[claim] = wrong.get(claim, 0) + bool(false & set(found))
    # 5 % of 40 are 2; more than 6 have a probability of .003.
    assert len(wrong) == 3
    assert max(wrong.values()) <= 6


def test_claims_follow_what_was_planted():
    generator = np.random.default_rng(4)
    found = verdicts(*made_up(generator, as_printed, pairs=400))
    assert found["bi-encoder better for levels"] == ["supported"]
    assert set(found["focal loss best"]) <= {"undecided"}
    found = verdicts(*made_up(generator, against_print, pairs=400))
    assert found["bi-encoder better for levels"] == ["not supported"]
    assert found["focal loss best"] == ["not supported"] * 2
    assert found["divergence differs from cross-entropy"] == ["supported"] * 2
    assert verdicts(*made_up(generator, focal_best, pairs=400))["focal loss best"] == ["supported"] * 2


def test_one_seed_judges_nothing():
    found = verdicts(*made_up(np.random.default_rng(5), alike, seeds=1))
    assert {verdict for row in found for verdict in row} == {"not testable"}


@pytest.fixture(scope="module")
def study():
    """Frames of scores, cells and comparisons of a study in which bi-encoders with focal loss are best."""
    found, groups = made_up(np.random.default_rng(6), one_best, seeds=3)
    cells, comparisons = compared(found, groups)
    rows = []
    for (cell, seed), frame in found.items():
        for metric in ("accuracy", "precision_weighted", "recall_weighted", "f1_weighted"):
            value = float((frame["label"] == frame["prediction"]).mean())
            names = {"scheme": "grouped", "pairs": "levels"} | dict(zip(raters.CELL, cell, strict=True))
            rows.append(names | {"seed": seed, "metric": metric, "value": value, "floor": 0.25})
    return pd.DataFrame(rows), cells, comparisons


def test_tables_have_the_best_in_bold_and_the_constant_answer_last(study):
    scores, cells, _ = study
    tables = table.as_tables(table.rater_rows(scores, cells), 0.05)
    assert [made.caption for made in tables] == [
        "Bi-encoders on levels, grouped splits",
        "Cross-encoders on levels, grouped splits",
    ]
    bi = {row.cells[0].text: row.cells[1:] for row in tables[0].rows}
    assert list(bi)[-1] == "constant answer"
    assert [cell.bold for cell in bi["focal"]] == [True] * 4
    assert not any(cell.bold for cell in bi["cross-entropy"])
    assert bi["constant answer"][0].text == "0.250"
    assert "(" in bi["focal"][3].text


def test_slices_by_level_and_length_by_hand():
    first, second = ["a"] * 30, [" ".join(["w"] * (1 + number)) for number in range(30)]
    labels = ["0"] * 12 + ["1"] * 12 + ["2"] * 6
    test = pd.DataFrame({"id": range(30), "group": range(30), "context": first, "text": second, "label": labels})
    given = pd.DataFrame({"id": range(30), "label": labels, "prediction": ["0"] * 18 + ["2"] * 12})
    rows = pd.DataFrame(slices.slices_of(slices.with_slices(test), [given], SETTINGS))
    found = rows.set_index(["value_of_slice", "measure"])["value"]
    assert found["0", "right"] == 1
    # Of twelve items of level 1, six are given 0 and six are given 2.
    assert found["1", "right"] == 0
    assert found["1", "error"] == 0
    assert "2" not in rows["value_of_slice"].tolist()  # six are too few
    assert found["shortest third", "right"] == 1
    assert found["longest third", "error"] == pytest.approx(4 * 1 / 10)


def test_the_page_names_the_winner_and_what_test_pairs_share(study):
    _, cells, comparisons = study
    leaks = pd.DataFrame(
        [
            {
                "scheme": "grouped",
                "pairs": "levels",
                "held_out": "test",
                "against": "train",
                "kind": "same_post",
                "items": 3,
                "share": 0.02,
            }
        ]
    )
    costs = pd.DataFrame(
        [
            {
                "scheme": "grouped",
                "pairs": "levels",
                "architecture": "bi",
                "variant": "plain",
                "n_train": 100,
                "epochs": 2,
                "seconds": 4.0,
                "memory": 500,
            }
        ]
    )
    claims = rater_claims(CLAIMS, RaterEvidence(comparisons, 0.05))
    nothing = pd.DataFrame(columns=slices.COLUMNS)
    page = report.as_page(claims, cells, comparisons, nothing, leaks, costs, 0.05)
    assert "The highest mean has the bi-encoder, focal" in page
    assert "Of 4 others that differ in one thing, 4 are below it by more than chance" in page
    assert "Of the test pairs 3 (2.0 %) share with train pairs: same post" in page
    assert "| 50.0 |" in page
