"""Simulated studies of labels from language models, as the rules of their claims see them.

Runs answer test and validation texts, and err on texts for four reasons: what all runs have in common, what an encoder
has, what a setting of an encoder has, and what is a run's own. So another set of texts would move encoders and settings
against each other, which no number of seeds shows. Scores, comparisons and agreement are then made by the functions
that make them in a study.
"""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.claims.label_rules import LabelEvidence
from empathy_transfer.metrics.ccc import value as concordance
from empathy_transfer.relabel.agreement import compare_sources
from empathy_transfer.relabel.comparisons import compare_settings
from empathy_transfer.relabel.scores import BASELINE, CHOSEN
from empathy_transfer.relabel.training_sets import CROWD

LEVEL = 0.05
SETTINGS = {"resamples": 200, "alpha": LEVEL}
MODELS, ENCODERS, SEEDS = ("gpt", "llama"), ("deberta_v3_base", "roberta_base"), 5
TRAINED = (CHOSEN, "added=0.3", "added=1", "both=1")
THRESHOLDS = numpy.arange(0.0, 6.5, 0.5)
TESTED, VALIDATED, LABELLED, WRITERS = 300, 200, 400, 100
# Pearson r of a run with the labels on Fisher's z scale, and its standard deviation between seeds.
STRENGTH, SEED_SD = 0.55, 0.04
# Shares of the variance of errors: in common, an encoder's, a setting's; the rest is a run's own.
SHARES = (0.4, 0.2, 0.15)
AGREEMENT = {"models": 0.8, "crowd": 0.27}
# What two labels of one writer share of what they differ by.
WRITER_SHARE = 0.3


class LabelTruth(NamedTuple):
    """What truly is, as gains of r on Fisher's z scale.

    `settings` is {setting: gain over the baseline}, `encoder` what the first encoder has over the other, `threshold`
    what thresholds from 3.5 to 4.5 have over others, `agreement` what agreement lies above the limits that are printed.
    """

    settings: dict | None = None
    encoder: float = 0.0
    threshold: float = 0.0
    agreement: float = 0.0


def label_evidence(truth, seed):
    """The `LabelEvidence` of one simulated study; ``seed`` is a list of numbers."""
    generator = numpy.random.default_rng(seed)
    scores, runs = _runs(truth, generator)
    trained = scores[scores["trained_as"] == scores["setting"]]
    comparisons = compare_settings(trained, pandas.Series(range(TESTED)), runs, SETTINGS)
    return LabelEvidence(scores, comparisons, _agreement(truth, generator), LEVEL)


def _runs(truth, generator):
    """Scores of all runs, and {run: frame of its answers to the test texts}."""
    labels = {part: generator.standard_normal(size) for part, size in (("test", TESTED), ("validation", VALIDATED))}
    common = {part: generator.standard_normal(len(values)) for part, values in labels.items()}
    rows, runs = [], {}
    for encoder in ENCODERS:
        own = {part: generator.standard_normal(len(values)) for part, values in labels.items()}
        level = STRENGTH + (truth.encoder if encoder == ENCODERS[0] else 0.0)
        luck = SEED_SD * numpy.sqrt(0.4) * generator.standard_normal(SEEDS)
        trained = [
            (CROWD, BASELINE, 0.0),
            *((MODELS[0], name, (truth.settings or {}).get(name, 0.0)) for name in TRAINED),
        ]
        for model, setting, gain in trained:
            answers = _answers(labels["test"], common["test"], own["test"], level + gain + luck, generator)
            for number, answered in enumerate(answers):
                frame = pandas.DataFrame({"id": range(TESTED), "label": labels["test"], "prediction": answered})
                runs[encoder, model, setting, number] = frame
                row = {"encoder": encoder, "model": model, "setting": setting, "kind": setting.partition("=")[0]}
                row |= {"seed": number, "trained_as": setting, "ccc": concordance(labels["test"], answered)}
                rows.append(row | {"kind": "chosen"} if setting == CHOSEN else row)
        for threshold in THRESHOLDS:
            gain = truth.threshold * (3.5 <= threshold <= 4.5)
            answers = _answers(
                labels["validation"], common["validation"], own["validation"], level + gain + luck, generator
            )
            row = {"encoder": encoder, "model": MODELS[0], "setting": f"alpha={threshold:g}", "kind": "alpha"}
            row |= {"number": threshold, "trained_as": ""}
            for number, answered in enumerate(answers):
                rows.append(row | {"seed": number, "validation_ccc": concordance(labels["validation"], answered)})
    return pandas.DataFrame(rows), runs


def _answers(labels, common, own, levels, generator):
    """Answers of the runs of a setting (seeds x texts), whose mean r has these levels (seeds)."""
    strength = levels + SEED_SD * numpy.sqrt(0.6) * generator.standard_normal(SEEDS)
    setting, single = generator.standard_normal(len(labels)), generator.standard_normal((SEEDS, len(labels)))
    parts = (*SHARES, 1 - sum(SHARES))
    errors = sum(numpy.sqrt(share) * part for share, part in zip(parts, (common, own, setting, single), strict=True))
    r = numpy.tanh(strength)[:, None]
    return r * labels + numpy.sqrt(1 - r**2) * errors


def _agreement(truth, generator):
    """The frame of agreement.csv: a set of texts that the crowd and two models label."""
    limits = {kind: limit + truth.agreement for kind, limit in AGREEMENT.items()}
    writers = numpy.arange(LABELLED) // (LABELLED // WRITERS)

    def drawn():
        """Numbers that texts of a writer share in part."""
        shared = generator.standard_normal(WRITERS)[writers]
        return numpy.sqrt(WRITER_SHARE) * shared + numpy.sqrt(1 - WRITER_SHARE) * generator.standard_normal(LABELLED)

    # All labels have mean 0 and variance 1, so that alpha is their correlation.
    crowd, models = drawn(), drawn()
    shared = limits["crowd"] / numpy.sqrt(limits["models"])
    models = shared * crowd + numpy.sqrt(1 - shared**2) * models
    labels = {CROWD: crowd}
    for model in MODELS:
        labels[model] = numpy.sqrt(limits["models"]) * models + numpy.sqrt(1 - limits["models"]) * drawn()
    # Few different values: the time that alpha takes grows with the cube of their number.
    frame = pandas.DataFrame(labels, index=pandas.RangeIndex(LABELLED, name="id")).round(1)
    return compare_sources({"train": frame}, {"train": pandas.Series(writers)}, SETTINGS, 1)[0]
