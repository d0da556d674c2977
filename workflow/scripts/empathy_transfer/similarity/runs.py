"""The key of a run of the similarity study: which model, trained on which label of which pairs."""

from dataclasses import dataclass

from empathy_transfer.records.runs import Run

# Families of models. Only the second and the last are trained here.
EMBEDDING, CONTRASTIVE, ZERO_SHOT, FINE_TUNED = FAMILIES = ("embedding", "contrastive", "zero_shot", "fine_tuned")
# The constant answer: the mean label of the training pairs.
FLOOR = "floor"
# In place of a label, of models that are not trained on any.
UNTRAINED = "none"


@dataclass(frozen=True)
class SimilarityRun(Run):
    """A training: family, model (its name in tables), form of the stories, label that it trains on, fold and seed."""

    family: str
    model: str
    form: str
    trained_on: str
    fold: str
    seed: int

    @property
    def folder(self):
        """Folder of the run's results below those of the study."""
        place = f"{self.family}/{self.model}/{self.form}/{self.trained_on}/{self.fold}"
        return f"similarity/runs/{place}/seed={self.seed}"

    @property
    def label(self):
        """The run in words."""
        return f"{self.model} on {self.trained_on} ({self.form} stories, {self.fold}, seed {self.seed})"
