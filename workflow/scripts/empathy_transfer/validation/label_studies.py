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
from empathy_transfer.relabel.training_sets import CROWD, Setting

LEVEL = 0.05
SETTINGS = {"resamples": 200, "alpha": LEVEL}
MODELS, ENCODERS, SEEDS = ("gpt", "llama"), ("deberta_v3_base", "roberta_base"), 5
TRAINED = (CHOSEN, "added=0.3", "added=1", "both=1")
THRESHOLDS = (2.0, 3.5, 4.5, 5.5)
PARTS, LABELLED, WRITERS = {"test": 300, "validation": 200}, 400, 100
# Pearson r of a run with the labels on Fisher's z scale, its standard deviation between seeds, and what runs of one
# seed have in common of that.
STRENGTH, SEED_SD, SEED_CORRELATION = 0.55, 0.04, 0.4
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
    comparisons = compare_settings(scores, pandas.Series(range(PARTS["test"])), runs, SETTINGS, ["ccc"])
    return LabelEvidence(scores, comparisons, _agreement(truth, generator), LEVEL)


def _runs(truth, generator):
    """Scores of all runs, and {run: frame of its answers to the test texts}."""
    texts = {name: generator.standard_normal((2, size)) for name, size in PARTS.items()}  # labels, and common errors
    rows, runs = [], {}
    for encoder in ENCODERS:
        own = {name: generator.standard_normal(size) for name, size in PARTS.items()}
        level = STRENGTH + (truth.encoder if encoder == ENCODERS[0] else 0.0)
        common = level + SEED_SD * numpy.sqrt(SEED_CORRELATION) * generator.standard_normal(SEEDS)
        for model, setting, gain in _settings(truth):
            parsed = Setting.parse(setting) if setting != CHOSEN else Setting("chosen")
            row = {"encoder": encoder, "model": model, "setting": setting, "trained_as": setting}
            row |= {"kind": parsed.kind, "number": parsed.number}
            luck = SEED_SD * numpy.sqrt(1 - SEED_CORRELATION) * generator.standard_normal(SEEDS)
            r = numpy.tanh(common + gain + luck)[:, None]
            answers = {name: _answers(*texts[name], own[name], r, generator) for name in PARTS}
            for seed in range(SEEDS):
                test, validation = (answers[name][seed] for name in PARTS)
                frame = pandas.DataFrame({"id": range(PARTS["test"]), "label": texts["test"][0], "prediction": test})
                runs[encoder, model, setting, seed] = frame
                validated = concordance(texts["validation"][0], validation)
                rows.append(row | {"seed": seed, "validation_ccc": validated})
    return pandas.DataFrame(rows), runs


def _settings(truth):
    """(model, setting, gain over the baseline) of all settings."""
    gains = truth.settings or {}
    yield CROWD, BASELINE, 0.0
    for name in TRAINED:
        yield MODELS[0], name, gains.get(name, 0.0)
    for threshold in THRESHOLDS:
        yield MODELS[0], f"alpha={threshold:g}", truth.threshold * (3.5 <= threshold <= 4.5)


def _answers(labels, common, own, r, generator):
    """Answers of the runs of a setting (seeds x texts), each of which has its r (seeds x 1) over all texts."""
    setting, single = generator.standard_normal(len(labels)), generator.standard_normal((SEEDS, len(labels)))
    parts = (*SHARES, 1 - sum(SHARES))
    errors = sum(numpy.sqrt(share) * part for share, part in zip(parts, (common, own, setting, single), strict=True))
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
