"""Reports on corrected and added labels, on a small made-up study."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from empathy_transfer.agreement.intervals import alpha_error, alpha_interval
from empathy_transfer.errors import DataError
from empathy_transfer.metrics import ccc, metric, metrics_of
from empathy_transfer.relabel import comparisons, costs, flags, scores, slices, sweep_figure, table
from empathy_transfer.relabel.agreement import AGREEMENT_COLUMNS, alpha_and_r, compare_sources
from empathy_transfer.relabel.corrected import corrected_labels
from empathy_transfer.relabel.thresholds import chosen_threshold
from empathy_transfer.statistics.intervals import correlation_in_words, correlation_interval
from empathy_transfer.statistics.resampling import bootstrap_counts, make_sample
from empathy_transfer.statistics.seed_variance import SeedVariance
from empathy_transfer.statistics.t_tests import degrees_of_freedom


def test_scores_of_a_resample_are_those_of_the_drawn_texts():
    generator = np.random.default_rng(0)
    labels, predictions = generator.normal(4, 1.5, 30), [generator.normal(4, 1, 30) for _ in range(2)]
    sample = make_sample(labels)
    counts = next(bootstrap_counts(30, 4, seed=1))
    found = comparisons.resample(sample, predictions, [counts])
    for run, values in enumerate(predictions):
        for place, row in enumerate(counts):
            drawn = np.repeat(np.arange(30), row.astype(int))
            for name in comparisons.METRICS:
                expected = metric(name).value(labels[drawn], values[drawn])
                assert found.replicates[name][run, place] == pytest.approx(expected)
        assert found.whole["ccc"][run] == pytest.approx(ccc.value(labels, values))


def test_agreement_of_equal_labels_is_one_and_of_too_few_none():
    labels = np.array([[1.0, 1.0], [4.0, 4.0], [7.0, 7.0]])
    assert alpha_and_r(labels) == (pytest.approx(1), pytest.approx(1))
    assert alpha_and_r(labels[:2]) == (None, None)


# A study of three seeds ----------------------------------------------------------------------------------------------


class Study(NamedTuple):
    """Frames of a study: the test texts, a model's labels of them, scores of runs, and {run: its predictions}."""

    test: pd.DataFrame
    labels: pd.DataFrame
    scores: pd.DataFrame
    runs: dict


@pytest.fixture
def study():
    """Runs of a baseline and of corrected labels, with predictions of which the corrected ones are better."""
    generator = np.random.default_rng(3)
    labels = generator.uniform(1, 7, 120)
    test = pd.DataFrame({
        "id": [f"n{place}" for place in range(120)], "group": [f"g{place // 2}" for place in range(120)],
        "text": ["a text"] * 120, "label": labels, "gender": [1.0, 2.0] * 60, "age": np.arange(120.0),
    })  # fmt: skip
    labelled = test[["id"]].assign(label=labels + generator.normal(0, 0.5, 120), valid=True)
    rows, runs = [], {}
    for model, setting, noise in [("crowd", "baseline", 3.0), ("gpt", "alpha=3.5", 1.0), ("gpt", "trimmed", 3.0)]:
        for seed in (1, 2, 3):
            predictions = labels + generator.normal(0, noise, 120)
            runs["minilm", model, setting, seed] = test[["id", "label"]].assign(prediction=predictions)
            found = {name: metric(name).value(labels, predictions) for name in metrics_of("regression")}
            rows.append({
                "encoder": "minilm", "model": model, "setting": setting, "kind": setting.split("=")[0],
                "number": 3.5 if "=" in setting else None, "seed": seed, "trained_as": setting, "n_base": 10,
                "n_train": 10, "n_concerned": 2, "share_concerned": 0.2, "seconds": 5.0,
                "validation_ccc": found["ccc"], "constant_prediction": False, **found,
            })  # fmt: skip
    frame = pd.DataFrame(rows)
    chosen = frame[frame["setting"] == "alpha=3.5"].assign(setting="alpha=chosen", kind="chosen")
    return Study(test, labelled, pd.concat([frame, chosen], ignore_index=True), runs)


def compare(study):
    groups = study.test.set_index("id")["group"]
    return comparisons.compare_settings(study.scores, groups, study.runs, {"resamples": 500, "alpha": 0.05})


def test_runs_with_other_test_texts_are_refused(study):
    key = ("minilm", "gpt", "trimmed", 2)
    study.runs[key] = study.runs[key].iloc[::-1].reset_index(drop=True)
    with pytest.raises(ValueError, match=r"minilm/gpt/trimmed/seed=2/.*: other test texts"):
        compare(study)


def test_a_planted_gain_is_found_and_no_gain_is_not(study):
    found = compare(study).set_index(["comparison", "setting", "metric"])
    gain = found.loc[("baseline", "alpha=chosen", "ccc")]
    assert gain["low"] > 0.1
    assert gain["p"] < 0.001
    assert gain["clusters"] == 60
    assert found.loc[("baseline", "trimmed", "ccc"), "p"] > 0.05
    assert found.loc[("control", "alpha=chosen", "rmse"), "difference"] < -1
    assert set(found.loc["control"]["other_setting"]) == {"trimmed"}


def test_encoders_and_thresholds_are_compared_on_the_same_test_texts(study):
    generator, labels, rows = np.random.default_rng(5), study.test["label"], []
    for encoder, setting, noise in (("minilm", "alpha=5", 3.0), ("other", "alpha=3.5", 3.0), ("other", "alpha=5", 3.0)):
        for seed in (1, 2, 3):
            answers = study.test[["id", "label"]].assign(prediction=labels + generator.normal(0, noise, 120))
            study.runs[encoder, "gpt", setting, seed] = answers
            rows.append({"encoder": encoder, "model": "gpt", "setting": setting, "trained_as": setting, "seed": seed})
    study = study._replace(scores=pd.concat([study.scores, pd.DataFrame(rows)], ignore_index=True))
    found = compare(study).set_index(["comparison", "encoder", "setting", "other_encoder", "other_setting", "metric"])
    swept = found.loc["thresholds"].xs("ccc", level="metric")["low"]
    assert set(swept.index) == {(name, "alpha=3.5", name, "alpha=5") for name in ("minilm", "other")}
    # Only the first encoder has a better correction at 3.5.
    assert (swept.loc["minilm"] > 0.1).all()
    assert (swept.loc["other"] < 0).all()
    encoders = found.loc["encoders"].xs("ccc", level="metric")["low"]
    assert set(encoders.index) == {("minilm", name, "other", name) for name in ("alpha=3.5", "alpha=5")}
    assert encoders.loc["minilm", "alpha=3.5"].iloc[0] > 0.1
    assert encoders.loc["minilm", "alpha=5"].iloc[0] < 0


def made_up_runs(generator, seeds, shared, own):
    """Runs of two settings that are as good as each other: (``Resampled``, their sides, units).

    Texts and seeds are drawn anew. The size of a run's errors depends on its seed, for both settings alike (``shared``,
    the standard deviation of its logarithm), and on the run itself (``own``).
    """
    labels = generator.normal(0, 1, 60)
    common = generator.normal(0, shared, (seeds, 1))
    runs = []
    for _ in range(2):
        noise = generator.normal(0, 1, (seeds, 60))
        runs.append(labels + np.exp(common + generator.normal(0, own, (seeds, 1))) * noise)
    sample = make_sample(labels)
    found = comparisons.resample(sample, np.concatenate(runs), [next(bootstrap_counts(60, 200, seed=1))])
    return found, [list(range(seeds)), list(range(seeds, 2 * seeds))], sample.n_units


@pytest.mark.parametrize("own", [0.0, 0.05, 0.3])
def test_the_paired_test_keeps_its_level_with_five_seeds(own):
    generator = np.random.default_rng(4)
    found = [made_up_runs(generator, 5, shared=0.3, own=own) for _ in range(800)]
    p = np.array(
        [comparisons.paired_test(runs, "rmse", sides, units, 0.05)["p_paired"] for runs, sides, units in found]
    )
    # Three standard errors of a share of .05 among 800.
    assert 0.02 < (p < 0.05).mean() < 0.075
    # So does 1 %, where a standard error that is too small shows most.
    assert (p < 0.01).mean() < 0.025


def test_what_seeds_share_does_not_widen_the_paired_interval():
    found, sides, units = made_up_runs(np.random.default_rng(5), 5, shared=0.5, own=0.02)
    between = SeedVariance(found.whole["rmse"].var(), 0.0, 8, units)
    row = comparisons.pooled_test(found, "rmse", sides, between, units, 0.05)
    assert row["high_paired"] - row["low_paired"] < 0.5 * (row["high"] - row["low"])
    assert (row["low_paired"] + row["high_paired"]) / 2 == pytest.approx(row["difference"])


def test_the_paired_test_by_hand_and_none_with_few_seeds():
    # Differences of the seeds 1, 2, 3, 4, 5, the same in both resamples but for a shift of 1 of all of them.
    whole, zero = np.array([1.0, 2, 3, 4, 5, 0, 0, 0, 0, 0]), np.zeros(10)
    shift = np.array([1.0] * 5 + [0.0] * 5)
    found = comparisons.Resampled({"ccc": whole}, {"ccc": np.stack([whole + shift, whole - zero], axis=1)})
    row = comparisons.paired_test(found, "ccc", [list(range(5)), list(range(5, 10))], 100, 0.05)
    # Items: the variance of two means that differ by 1, .5. Seeds: 2.5 of one, .5 of the mean of five.
    freedom = degrees_of_freedom([(0.5, 99), (0.5, 4)])
    assert row["high_paired"] - 3 == pytest.approx(stats.t.isf(0.025, freedom))
    assert row["p_paired"] == pytest.approx(2 * stats.t.sf(3, freedom))
    few = comparisons.paired_test(found, "ccc", [list(range(4)), list(range(5, 9))], 100, 0.05)
    assert few == {"low_paired": None, "high_paired": None, "p_paired": None}


def test_the_table_ranks_medians_and_gives_the_best_seed_in_brackets(study):
    rows, page, tex = table.relabelled_table(study.scores, compare(study), 0.05)
    rows = rows.set_index("setting")
    of = study.scores[study.scores["setting"] == "trimmed"]["rmse"]
    assert rows.loc["trimmed", "rmse"] == f"{of.median():.3f} ({of.min():.3f})"
    assert f"<b>{rows.loc['alpha=3.5', 'ccc']}</b>" in page
    assert f"\\textbf{{{rows.loc['alpha=3.5', 'ccc']}}}" in tex


def test_the_figure_of_the_sweep_says_what_its_lines_band_and_units_are(study):
    scores = study.scores.assign(label_distance=0.3)
    figure = sweep_figure.draw_sweep(sweep_figure.sweep(scores), scores)
    (legend,) = figure.legends
    words = ["labels of gpt, mean", "the crowd's labels alone", "from the least to the most of 3 seeds"]
    assert [text.get_text() for text in legend.get_texts()] == words
    assert [axes.get_ylabel() for axes in figure.axes] == ["CCC", "share", "Wasserstein, units of the label"]


def test_an_interval_of_pearson_r_is_that_of_fisher_s_z():
    # z = .7720 and 1.96 / sqrt(80) = .2191: tanh of .5529 and of .9911.
    assert correlation_interval(0.648, 83, 0.05) == (pytest.approx(0.5026, abs=1e-4), pytest.approx(0.7577, abs=1e-4))
    values = np.random.default_rng(0).normal(size=(2, 50))
    expected = stats.pearsonr(*values)
    for level in (0.05, 0.1):
        found = correlation_interval(expected.statistic, 50, level)
        assert found == pytest.approx(tuple(expected.confidence_interval(1 - level)))
    assert correlation_interval(0.5, 3, 0.05) == correlation_interval(1.0, 50, 0.05) == (None, None)
    assert correlation_in_words(0.648, 83, 0.05) == "r 0.648 (95 % interval 0.50 to 0.76 at 83 texts)"
    assert correlation_in_words(0.5, 3, 0.05) == "r 0.500 (3 texts, too few for an interval)"


def test_the_table_says_what_its_number_of_test_texts_can_tell(study):
    _, page, tex = table.relabelled_table(study.scores, compare(study), 0.1)
    best = study.scores.groupby(["model", "setting"])["pearson_r"].median().max()
    assert f"The best of the 4 medians is {correlation_in_words(best, 120, 0.1)}" in page
    assert "minilm: 3 seeds, 10 training texts (up to 10 with added ones), 120 test texts in 60 groups." in page
    for text, percent in [(page, "90 %"), (tex, "90 \\%")]:
        # Of the best r, and of the differences.
        assert text.count(f"{percent} interval") == 2
        assert "noise of seeds only" in text


def test_rows_of_the_table_follow_their_blocks_and_what_stands_for_a_run_is_ranked_too():
    order = [("crowd", ["baseline", "added=0.3", "added=1", "huber"])]
    order += [("gpt", ["alpha=2", "alpha=3.5", "alpha=10", "alpha=chosen", "added=1", "both=1", "random_essays"])]
    values = {"alpha=chosen": 0.5, "alpha=10": 0.4, "baseline": 0.4}
    rows = [
        {"encoder": "minilm", "model": model, "setting": setting, "trained_as": "alpha=2" if "chosen" in setting else
         setting, "pearson_r": values.get(setting, 0.1), "ccc": 0.1, "rmse": 1.0}
        for model, settings in order for setting in reversed(settings)
    ]  # fmt: skip
    found = table.table_rows(pd.DataFrame(rows), pd.DataFrame(columns=["comparison", "metric"]))
    assert [(row["model"], row["setting"]) for row in found] == [(key, name) for key, names in order for name in names]
    assert {row["setting"]: row["rank"]["pearson_r"] for row in found if "pearson_r" in row["rank"]} == {
        "baseline": 2, "alpha=10": 2, "alpha=chosen": 1,
    }  # fmt: skip
    assert [place for place, starts in enumerate(table.block_starts(found)) if starts] == [4]


def test_blocks_of_the_table_are_ruled_and_its_names_are_set_left(study):
    _, page, tex = table.relabelled_table(study.scores, compare(study), 0.05)
    assert '<tr class="block"><td class="words">minilm</td><td class="words">gpt</td>' in page
    assert page.count('<tr class="block">') == 1
    assert '<th scope="col" class="words">encoder</th>' in page
    # Below the head, and between the crowd's labels and the model's.
    assert tex.count("\\midrule") == 2


def test_groups_below_the_least_size_get_no_scores(study):
    scores = study.scores[study.scores["setting"].isin(["baseline", "alpha=chosen"])]
    labels = {"gpt": study.labels.set_index("id")["label"]}
    systems = slices.systems_of(study.test["id"], labels, scores, study.runs)
    runs = [study.runs["minilm", "gpt", "alpha=3.5", seed]["prediction"] for seed in (1, 2, 3)]
    assert systems["minilm", "trained: corrected by gpt"] == pytest.approx(np.mean(runs, axis=0))
    found = slices.score_slices(study.test, systems, {}, 45, {"resamples": 200, "alpha": 0.05})
    assert set(found["system"]) == {"labels of gpt", "trained: baseline", "trained: corrected by gpt"}
    assert found[found["attribute"] == "age"]["ccc"].isna().all()
    assert found[found["attribute"] == "gender"]["ccc_low"].notna().all()
    assert (found[found["attribute"] == "gender"]["n"] == 60).all()


def test_groups_of_writers_are_named_and_cut_where_the_test_texts_are():
    test = pd.DataFrame({"id": range(12), "income": np.arange(12.0) * 1000, "gender": [1.0, 2.0] * 6})
    other = pd.DataFrame({"income": [-5.0, 3000, 3500, 7000, 90_000, np.nan], "gender": [1.0, 5, 5, 2, 1, np.nan]})
    # A third of 0 to 11,000 ends at 3,000, two thirds at 7,000: there are four texts up to each and above.
    words = ["up to 3,000", "over 3,000 to 7,000", "over 7,000"]
    assert {
        group: chosen.sum() for group, chosen in slices.groups_of(test, test, {})["income"].items()
    } == dict.fromkeys(words, 4)
    found = slices.groups_of(other, test, {"gender": {"1": "male", "2": "female"}})
    assert [found["income"][word].tolist() for word in words] == [
        [True, True, False, False, False, False],
        [False, False, True, True, False, False],
        [False, False, False, False, True, False],
    ]
    assert {group: chosen.sum() for group, chosen in found["gender"].items()} == {"male": 2, "female": 1, "5": 2}


def test_the_figure_of_writers_has_the_groups_of_the_scores_and_the_sizes_of_sets(study):
    frames = {"test": study.test, "other": study.test.assign(age=np.arange(120.0) + 60)}
    counted = slices.count_groups(frames, "test", {"gender": {"1": "male"}})
    found = counted.set_index(["set", "attribute", "group"])["n"]
    assert found["test"].to_dict() == {("gender", "male"): 60, ("gender", "2"): 60, ("age", "up to 39"): 40,
                                       ("age", "over 39 to 79"): 40, ("age", "over 79"): 40}  # fmt: skip
    assert found["other"]["age"].tolist() == [0, 20, 100]
    assert [text.get_text() for text in slices.draw_groups(counted, frames).axes[2].get_legend().get_texts()] == [
        "test (120 texts)", "other (120 texts)",
    ]  # fmt: skip


def test_intervals_of_groups_of_writers_draw_whole_writers_and_need_five_of_them(study):
    labels = np.random.default_rng(1).normal(4, 1, 120)
    predictions = labels + np.random.default_rng(2).normal(0, 1, 120)
    settings = {"resamples": 500, "alpha": 0.05}
    # Each text stands there four times, as from one writer who feels the same each time.
    alone = slices.scores_of_group(labels, predictions, np.arange(120), settings)
    labels, predictions, writers = (np.repeat(values, 4) for values in (labels, predictions, np.arange(120)))
    repeated = slices.scores_of_group(labels, predictions, writers, settings)
    assert repeated["clusters"] == 120
    for name, value in alone.items():
        assert repeated[name] == pytest.approx(value)
    few = slices.scores_of_group(labels, predictions, writers // 30, settings)
    assert few["clusters"] == 4
    assert set(few) == {"clusters", "pearson_r", "ccc", "negative"}


def test_scores_come_from_predictions_and_thresholds_are_stored_as_shares_of_the_scale_too():
    answers = {"test": pd.DataFrame({"label": [1.0, 2.0, 6.0], "prediction": [1.0, 3.0, 5.0]})}
    answers["validation"] = answers["test"].assign(prediction=answers["test"]["label"] + 1)
    rows = []
    for model, setting, threshold in [("crowd", "baseline", None), ("gpt", "alpha=3", None), ("gpt", "trimmed", 3.0)]:
        record = {"encoder": "minilm", "model": model, "setting": setting, "seed": 0, "threshold": threshold}
        record |= {"kind": "regression", "metric": "ccc", "n_base": 2, "n_concerned": 1, "n_train": 2}
        rows += scores.rows_of_run(record, answers, 0.5)
    frame = pd.DataFrame(rows, columns=scores.COLUMNS)
    found = scores.one_row_each(scores.with_stand_ins(frame, {("minilm", "gpt", 0): 3.0}, [3, 6], 6)).set_index(
        "setting"
    )
    row = found.loc["trimmed"]
    # Labels 1, 2 and 6 with a variance of 14/3: predictions 1, 3 and 5, and on validation one more than each label.
    assert row[["pearson_r", "ccc"]].tolist() == pytest.approx([10 / 112**0.5, 2 * (10 / 3) / (14 / 3 + 8 / 3)])
    assert row[["rmse", "mae"]].tolist() == pytest.approx([(2 / 3) ** 0.5, 2 / 3])
    assert row[["validation_pearson_r", "validation_ccc"]].tolist() == pytest.approx([1, 28 / 31])
    assert found["kind"].tolist() == ["baseline", "alpha", "trimmed", "alpha", "chosen"]
    assert not found["constant_prediction"].any()
    shares = found["threshold_share"]
    assert shares.dropna().to_dict() == {"alpha=3": 0.5, "trimmed": 0.5, "alpha=chosen": 0.5, "alpha=6": 1.0}


def test_a_correction_of_most_labels_raises_a_flag(study):
    comparison = compare(study)
    for share, raised in [(0.5, False), (0.9, True)]:
        rows = flags.signs_of_failure(study.scores.assign(share_concerned=share), comparison, pd.DataFrame({"ccc": []}))
        assert rows[rows["flag"] == "controls have little left"]["raised"].tolist() == [raised]


def test_seeds_whose_answers_are_all_but_constant_raise_a_flag(study):
    labels, spread = np.array([1.0, 2.0, 6.0]), np.array([-1.0, 0.0, 1.0])
    record = {"encoder": "minilm", "model": "crowd", "setting": "baseline", "seed": 1, "n_base": 2, "n_concerned": 0}
    for size, collapsed in ((0.01, True), (0.1, False)):
        # The standard deviations are 2.16 and .82 times the size.
        answers = dict.fromkeys(
            ["test", "validation"], pd.DataFrame({"label": labels, "prediction": 3 + size * spread})
        )
        assert {row["constant_prediction"] for row in scores.rows_of_run(record, answers, 0.5)} == {collapsed}
    first = (study.scores["trained_as"] == "baseline") & (study.scores["seed"] == 2)
    found = flags.signs_of_failure(
        study.scores.assign(constant_prediction=first), compare(study), pd.DataFrame({"ccc": []})
    )
    found = found[found["flag"] == "collapsed, share of seeds"].set_index("setting")
    assert found["value"].to_dict() == {"baseline": pytest.approx(1 / 3), "alpha=3.5": 0, "trimmed": 0}
    assert found["raised"].to_dict() == {"baseline": True, "alpha=3.5": False, "trimmed": False}


def test_flags_do_not_count_what_stands_for_a_run_and_give_number_and_interval_of_test_texts(study):
    slice_of = {"encoder": "minilm", "attribute": "race", "group": "2", "system": "x", "n": 12, "ccc": -0.1}
    slice_of |= {"ccc_low": -0.4, "ccc_high": 0.2}
    rows = flags.signs_of_failure(study.scores, compare(study), pd.DataFrame([slice_of]))
    found = rows[rows["flag"] == "high variance over seeds"]["setting"]
    assert found.tolist() == ["baseline", "alpha=3.5", "trimmed"]
    last = rows.iloc[-1]
    assert last["flag"] == "negative concordance in race 2"
    expected = {"n": 12, "value": -0.1, "low": -0.4, "high": 0.2, "raised": True}
    assert last[list(expected)].to_dict() == expected


def test_the_interval_of_krippendorff_s_alpha_draws_whole_writers():
    generator = np.random.default_rng(6)
    first = generator.normal(4, 1, 200)
    # Halves: alpha takes its time from the number of different labels.
    labels = np.round(np.column_stack([first, first + generator.normal(0, 1, 200)]) * 2) / 2
    alone = alpha_error(labels, np.arange(200), 2000)
    # The draws by hand: alpha of as many texts, drawn again.
    drawn = [alpha_and_r(labels[generator.integers(0, 200, 200)])[0] for _ in range(300)]
    assert alone["alpha_se"] == pytest.approx(np.std(drawn), rel=0.15)
    # Four times the same text of a writer tells no more than one.
    repeated = alpha_error(np.repeat(labels, 4, axis=0), np.repeat(np.arange(200), 4), 2000)
    assert repeated["clusters"] == 200
    assert repeated["alpha_se"] == pytest.approx(alone["alpha_se"], rel=0.01)
    row = {"krippendorff_alpha": 0.5, "alpha_se": 0.1, "clusters": 10}
    assert alpha_interval(row, 0.05) == (pytest.approx(0.5 - 0.2262, abs=1e-4), pytest.approx(0.5 + 0.2262, abs=1e-4))
    assert alpha_interval(row | {"clusters": 1}, 0.05) == (None, None)


def weigh(study, comparison=None, **answers):
    """Costs by setting, where a model's answers about two texts have these tokens, costs and times."""
    answers = pd.DataFrame({"latency": [None, None]} | answers)
    prices = {"prompt_tokens": 98.5, "answer_tokens": 10, "dollars": {"gpt": [2, 10]}}
    comparison = compare(study) if comparison is None else comparison
    return costs.weigh(study.scores, comparison, study.test["text"], {"gpt": answers}, prices).set_index("setting")


def test_own_answers_cost_what_the_server_counted(study):
    found = weigh(study, tokens_in=[300, 500], tokens_out=[20, 40], cost=[0.001, 0.003])
    assert found.loc["alpha=chosen", ["input_tokens", "output_tokens"]].tolist() == [4000, 300]
    assert found.loc["alpha=chosen", "dollars"] == pytest.approx(0.02)
    free = {"baseline": "no labels bought", "trimmed": "no labels bought"}
    assert found["basis"].to_dict() == free | {"alpha=3.5": "measured", "alpha=chosen": "measured"}


def test_only_settings_that_need_a_model_s_labels_cost_something(study):
    found = weigh(study, tokens_in=[None, None], tokens_out=[None, None], cost=[0.0, 0.0])
    # Ten texts of 98.5 + 6 / 4 tokens at 2 dollars a million, and 10 x 10 tokens at 10.
    assert found.loc["alpha=chosen", "dollars"] == pytest.approx((10 * 100 * 2 + 100 * 10) / 1e6)
    assert found.loc["trimmed", "dollars"] == found.loc["baseline", "dollars"] == 0


def test_a_gain_has_a_price_where_labels_were_bought_and_its_interval_is_above_0(study):
    found = compare(study)
    of_ccc = (found["comparison"] == "baseline") & (found["metric"] == "ccc")
    found.loc[of_ccc & (found["setting"] == "alpha=3.5"), ["difference", "low", "high"]] = [0.04, -0.01, 0.09]
    found.loc[of_ccc & (found["setting"] == "alpha=chosen"), ["difference", "low", "high"]] = [0.04, 0.01, 0.07]
    found.loc[of_ccc & (found["setting"] == "trimmed"), ["difference", "low", "high"]] = [0.04, 0.01, 0.07]
    priced = weigh(study, found, tokens_in=[300, 500], tokens_out=[20, 40], cost=[0.001, 0.003])["dollars_per_gain"]
    # Ten texts of .002 dollars for .04: .005 for each .01. Trimming bought nothing.
    assert priced.dropna().to_dict() == {"alpha=chosen": pytest.approx(0.005)}


def test_a_threshold_as_wide_as_the_scale_buys_nothing(study):
    of_baseline = study.scores[study.scores["setting"] == "baseline"]
    same = of_baseline.assign(model="gpt", setting="alpha=6", kind="alpha", number=6.0)
    study = study._replace(scores=pd.concat([study.scores, same], ignore_index=True))
    found = weigh(study, tokens_in=[300, 500], tokens_out=[20, 40], cost=[0.001, 0.003], latency=[2.0, 4.0])
    names = ["texts_to_label", "input_tokens", "dollars", "labelling_seconds"]
    assert found.loc["alpha=6", names].tolist() == [0, 0, 0, 0]
    assert found.loc["alpha=6", "basis"] == "no labels bought"
    assert found.loc["alpha=3.5", "texts_to_label"] == 10


def test_the_time_of_labelling_is_that_of_own_answers_and_unknown_for_published_ones(study):
    tokens = {"tokens_in": [300, 500], "tokens_out": [20, 40], "cost": [0.001, 0.003]}
    found = weigh(study, **tokens, latency=[2.0, 4.0])
    # Ten texts of three seconds.
    assert found.loc["alpha=chosen", "labelling_seconds"] == pytest.approx(30)
    assert found.loc["baseline", "labelling_seconds"] == 0
    assert (found["training_seconds"] == 5).all()
    found = weigh(study, **tokens, latency=[None, None])
    assert np.isnan(found.loc["alpha=chosen", "labelling_seconds"])
    assert found.loc["trimmed", "labelling_seconds"] == 0


def test_the_threshold_is_the_best_on_validation_of_those_that_replace_a_label():
    records = [
        {"setting": f"alpha={threshold}", "n_concerned": number, "validation": ccc}
        for threshold, ccc, number in [(3, 0.2, 9), (4, 0.3, 5), (4.5, 0.3, 2), (5, 0.4, 0)]
    ]
    assert chosen_threshold(records)["threshold"] == 4.5


def sources(study):
    """Labels of one set by id: the crowd's and a model's."""
    model = study.labels.set_index("id")["label"]
    return {"a": study.test.set_index("id")[["label"]].rename(columns={"label": "crowd"}).assign(gpt=model)}


def test_agreement_of_all_sets_has_a_row_per_pair_of_sources(study):
    groups = {"a": study.test.set_index("id")["group"]}
    found, apart = compare_sources(sources(study), groups, {"resamples": 200, "alpha": 0.05}, 3)
    assert list(found.columns) == AGREEMENT_COLUMNS
    assert found["alpha_low"][0] < found["krippendorff_alpha"][0] < found["alpha_high"][0]
    assert found["clusters"].tolist() == [60]
    assert found[["first", "second", "n"]].to_numpy().tolist() == [["crowd", "gpt", 120]]
    assert len(apart) == 3


def test_corrected_labels_are_those_above_the_threshold_of_all_sets(study):
    study.labels.loc[:1, "label"] = [np.nan, 20.0]
    assert corrected_labels(sources(study), "gpt", 6).to_numpy().tolist() == [["n1", 20.0, "a"]]


def test_corrected_texts_of_two_sets_with_one_id_are_refused(study):
    with pytest.raises(DataError, match="two label sets"):
        corrected_labels(dict.fromkeys("ab", sources(study)["a"]), "gpt", 0)
