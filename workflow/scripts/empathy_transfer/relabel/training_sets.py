"""The training set of a setting: which texts, with whose labels, and the loss that is used on them.

A setting is one of
- `baseline` and `huber` (the crowd's labels; another loss),
- `alpha=3.5` (corrected at a threshold), `added=0.3` (a share of the other texts added, with the model's labels, or
  the crowd's where the model is `crowd`), `both=0.3` (corrected at the chosen threshold, and added),
- a control that changes as many labels as the correction at the chosen threshold (`correction.CONTROLS`),
- `cleanlab` (as many labels replaced, without a language model, by cross-validated predictions from the texts) and
  `trimmed` (the same share of the largest losses left out of each batch).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from empathy_transfer.data.batches import derived_seed
from empathy_transfer.errors import DataError
from empathy_transfer.relabel.augmentation import nested_sample, share_of
from empathy_transfer.relabel.correction import CONTROLS, beyond_threshold, control, correct

CROWD = "crowd"
PLAIN = ("baseline", "huber")
# What stands in a setting's name before the number that it has.
NUMBERED = ("alpha", "added", "both")
# Settings that change as many labels as the correction at the threshold that a model and a seed have chosen.
EQUAL_SHARE = (*CONTROLS, "cleanlab", "trimmed")


@dataclass(frozen=True)
class Setting:
    """A setting by name: its `kind`, and the number behind it (a threshold or a share; None without one)."""

    kind: str
    number: float | None = None

    @classmethod
    def parse(cls, name):
        """Read a setting's name, such as `alpha=3.5`. Raises ValueError for an unknown one."""
        kind, _, number = name.partition("=")
        if kind in NUMBERED and number:
            return cls(kind, float(number))
        if kind in (*PLAIN, *EQUAL_SHARE) and not number:
            return cls(kind)
        known = ", ".join([*PLAIN, *EQUAL_SHARE, *(f"{kind}=<number>" for kind in NUMBERED)])
        raise ValueError(f"unknown setting {name!r}: expected one of {known}")


def base_texts(frame, cap, seed):
    """Return the rows of a set that have a crowd label, at most ``cap`` of them, drawn per seed (all when None)."""
    frame = frame[frame[CROWD].notna()]
    chosen = nested_sample(frame["id"], cap or len(frame), "base", seed)
    return frame[chosen].reset_index(drop=True)


def compose_training_set(setting, base, pool, seed, threshold=None, suspicion=None):
    """Return (training set, number of base labels that the setting acts on).

    Args:
        setting: a ``Setting``.
        base: frame of the base texts: id, set, crowd, llm (labels in units of the scale; llm may be missing).
        pool: frame of the texts that may be added, likewise, and with the `label` that they would be added with.
        seed: the study's seed. threshold: the chosen threshold, for settings that need it.
        suspicion: for `cleanlab`, frame (index id) with `quality` (lowest first) and `prediction`.

    Raises:
        DataError: the setting leaves no text to train on.

    The training set has the columns id, set, label, crowd, llm and origin (crowd, llm, mean, model). Texts of the pool
    without a label are left out and not replaced.
    """
    crowd, llm = base["crowd"].to_numpy(), base["llm"].to_numpy()
    labels, kept, origin, number = crowd.copy(), np.ones(len(base), dtype=bool), "llm", 0
    if setting.kind in ("alpha", "both"):
        threshold = setting.number if setting.kind == "alpha" else threshold
        labels = correct(crowd, llm, threshold)
    if threshold is not None:
        number = int(beyond_threshold(crowd, llm, threshold).sum())
    if setting.kind in CONTROLS:
        labels, kept = control(setting.kind, crowd, llm, threshold, derived_seed("controls", setting.kind, seed))
        origin = "mean" if setting.kind == "flagged_mean" else "llm"
    elif setting.kind == "cleanlab":
        found = suspicion.loc[base["id"]]
        worst = np.argsort(found["quality"].to_numpy(), kind="stable")[:number]
        labels[worst], origin = found["prediction"].to_numpy()[worst], "model"
    training = base.assign(label=labels, origin=np.where(labels != crowd, origin, CROWD))[kept]
    if setting.kind in ("added", "both"):
        chosen = pool[nested_sample(pool["id"], share_of(len(pool), setting.number), "added", seed)]
        training = pd.concat([training, chosen[chosen["label"].notna()]])
    if training.empty:
        raise DataError(
            f"{setting.kind}: no text is left to train on: the threshold of {threshold:g}, chosen on validation, "
            f"concerns all {len(base):,} labels. Take it out of relabel: correction: thresholds, or {setting.kind} "
            "out of its controls."
        )
    return training[["id", "set", "label", "crowd", "llm", "origin"]].reset_index(drop=True), number
