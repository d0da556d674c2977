"""Is one model of the similarity of stories better than another by more than chance, on the same pairs?

Pearson's r, and macro F1 of the classes, of two models on the same pairs, by the scores of `statistics.resampling` and
the t test of `statistics.t_tests`. Pairs with a story in common are not independent, so variances come from leaving out
stories (`statistics.dyads`). With several seeds their variance beyond that of items is added, pooled over all models of
a form and metric; with one seed a test is about these trained models, and its words are higher and lower.
"""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from empathy_transfer.records.artefacts import write_csv
from empathy_transfer.significance.paired_tests import ITEMS, ITEMS_AND_SEEDS, effects_of
from empathy_transfer.similarity.answers import read_answers, read_tested
from empathy_transfer.similarity.pair_scores import as_classes
from empathy_transfer.similarity.runs import EMBEDDING, FLOOR
from empathy_transfer.statistics.dyads import Dyads, dyadic_variance
from empathy_transfer.statistics.resampling import make_sample, paired_difference, score_systems, whole_counts
from empathy_transfer.statistics.seed_variance import SeedVariance, seed_variance
from empathy_transfer.statistics.t_tests import t_test

METRICS = ("pearson_r", "f1_macro")
# Fewer stories have no variance to speak of.
LEAST_STORIES = 20
COLUMNS = ["comparison", "family", "model", "other_family", "other_model", "form", "trained_on", "other_trained_on"]
COLUMNS += ["label", "metric", "seeds", "n", "stories", "value", "other_value", "difference", "low", "high", "se", "df"]
COLUMNS += ["p", "q", "covers", "effect"]
MODEL = ["family", "model", "trained_on"]


def write_similarity_comparisons(inputs, tasks, level, comparisons_path):
    """Write comparisons.csv; arguments as in `scores.write_similarity_scores`."""
    tested = read_tested(inputs["tested"], tasks)
    answers = read_answers(inputs["runs"], inputs["embeddings"], inputs["zero_shot"])
    found = compare_models(answers[answers["split"] == "test"], tested, level)
    write_csv(comparisons_path, found)
    print(f"{len(found):,} comparisons, {found['effect'].value_counts().to_dict()}")


def compare_models(answers, tested, level):
    """All comparisons as a frame with ``COLUMNS``.

    ``q`` is by Benjamini and Hochberg over all tests of one kind of comparison, form and metric.
    """
    tables = [pd.DataFrame(columns=[name for name in COLUMNS if name not in ("q", "effect")])]
    for form, part in answers.groupby("form", sort=False):
        about = tested[form]
        for label in about.labels:
            own = part[part["asked"].isna() | (part["asked"] == label)]
            models = {
                model: {seed: rows.set_index("id")["prediction"] for seed, rows in frame.groupby("seed")}
                for model, frame in own.groupby(MODEL, sort=False)
            }
            for metric in METRICS:
                rows = _compare(models, model_pairs(models, label), about.table, label, metric, level)
                tables.append(pd.DataFrame(rows).assign(form=form, label=label, metric=metric))
    found = pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)
    found["q"] = np.nan
    for _, rows in found.groupby(["comparison", "form", "metric"]):
        tests = rows.index[rows["p"].notna()]
        if len(tests):
            found.loc[tests, "q"] = false_discovery_control(found.loc[tests, "p"].astype(float))
    found["effect"] = effects_of(found["difference"], found["q"] <= level, found["covers"]).where(found["q"].notna())
    return found.reindex(columns=COLUMNS)


def model_pairs(models, label):
    """The comparisons of models (family, model, trained_on) on a label: (kind, model, other model).

    `baseline`: each model against each embedding. `training_label`: a model trained on another label against the same
    trained on this one. `models`: two models of any family that are trained on the same label.
    """
    baselines = [model for model in models if model[0] == EMBEDDING]
    others = [model for model in models if model[0] not in (EMBEDDING, FLOOR)]
    pairs = [("baseline", *both) for both in itertools.product(others, baselines)]
    for model in others:
        same = (*model[:2], label)
        if model[2] != label and same in models:
            pairs.append(("training_label", model, same))
    pairs += [("models", *both) for both in itertools.combinations(others, 2) if both[0][2] == both[1][2]]
    return pairs


def _compare(models, pairs, table, label, metric, level):
    """Rows of the comparisons of some models by one metric. Two models are compared on the pairs that both answer."""
    by_items = {}
    for kind, *both in pairs:
        ids = [set(answers.index) for model in both for answers in models[model].values()]
        by_items.setdefault(frozenset(set.intersection(*ids)), []).append((kind, *both))
    rows = []
    for ids, chosen in by_items.items():
        items = table[table["id"].isin(ids)]
        dyads = Dyads(items["first"], items["second"])
        if dyads.n_members < LEAST_STORIES:
            continue
        involved = dict.fromkeys(model for _, *both in chosen for model in both)
        runs = [(model, seed) for model in involved for seed in models[model]]
        labels = items[label].to_numpy()
        predictions = [models[model][seed].reindex(items["id"]).to_numpy() for model, seed in runs]
        if metric == "f1_macro":
            labels, predictions = as_classes(labels), [as_classes(values) for values in predictions]
            present = labels.any(axis=0)
            labels, predictions = labels[:, present], [values[:, present] for values in predictions]
        sample = make_sample(labels)
        scores = [score_systems(sample, predictions, blocks) for blocks in (whole_counts(len(items)), *dyads.blocks)]
        between = _between_seeds(runs, scores)
        for kind, model, other in chosen:
            sides = [[row for row, run in enumerate(runs) if run[0] == one] for one in (model, other)]
            row = _test(scores, sides, between, dyads.n_members, level)
            row |= dict(zip(MODEL, model, strict=True)) | {
                f"other_{name}": one for name, one in zip(MODEL, other, strict=True)
            }
            rows.append(row | {"comparison": kind, "n": len(items), "stories": dyads.n_members})
    return rows


def _test(scores, sides, between, n_stories, level):
    """Difference of two models' mean scores over seeds, its interval and p, as columns."""
    whole, *left_out = scores
    difference = float(paired_difference(whole, *sides)[0])
    values = [float(_mean_score(whole, side, [*sides[0], *sides[1]])) for side in sides]
    items = float(dyadic_variance(*(paired_difference(part, *sides) for part in left_out)))
    # A model without seeds, such as an embedding, has no variance between them.
    trained = [len(side) for side in sides if len(side) > 1]
    seeds = between.part(sum(1 / number for number in trained)) if trained else (0.0, 0)
    tested = t_test(difference, [(items, n_stories - 1), seeds] if seeds[1] else [(items, n_stories - 1)], level)
    covers = ITEMS_AND_SEEDS if seeds[1] else ITEMS
    return {
        "seeds": max(map(len, sides)),
        "value": values[0],
        "other_value": values[1],
        "difference": difference,
        "covers": covers,
        **tested,
    }


def _mean_score(whole, side, systems):
    """Mean score of a side's systems on all items, over the classes that count for both sides."""
    return paired_difference(whole, side, systems, share=0.0)[0]


def _between_seeds(runs, scores):
    """`SeedVariance` of all models with several seeds."""
    whole, *left_out = scores
    values = {(model, "", seed): float(_mean_score(whole, [row], [row])) for row, (model, seed) in enumerate(runs)}
    between, freedom = seed_variance(values)
    items = 0.0
    cells = {}
    for row, (model, _) in enumerate(runs):
        cells.setdefault(model, []).append(row)
    for cell in (cell for cell in cells.values() if len(cell) > 1):
        items += sum(
            float(dyadic_variance(*(paired_difference(part, [row], cell) for part in left_out))) for row in cell
        )
    return SeedVariance(between, items / freedom if freedom else 0.0, freedom, whole.values.shape[0])
