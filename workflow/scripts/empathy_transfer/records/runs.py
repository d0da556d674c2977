"""Keys of runs: what tells one training from all others of a study.

A key knows the columns that stand for it in tables, the folder of its results below the study's, and its words.
"""

from dataclasses import asdict, dataclass

# In place of a source: the target alone (baseline), and the frozen adapters of the controls of capacity.
BASELINE = "none"
CONTROLS = ("self", "random_identity", "random_full", "longer")


class Run:
    """What all keys have; a key is a frozen dataclass of plain values."""

    @property
    def columns(self):
        """The key as {column: value}, in the order of tables."""
        return asdict(self)

    @classmethod
    def of(cls, record):
        """The key in a mapping that has its columns, such as a run's record or a row of a table."""
        return cls(**{name: record[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class TransferRun(Run):
    """A run of the transfer study: source (`none` for a baseline, or a control), target, data condition and seed."""

    source: str
    target: str
    data: str
    seed: int

    @property
    def folder(self):
        """Folder of the run's results below those of the study."""
        if self.source == BASELINE:
            return f"baseline/{self.data}/seed={self.seed}/{self.target}"
        stage = "controls" if self.source in CONTROLS else "transfer"
        return f"{stage}/{self.data}/seed={self.seed}/{self.source}--{self.target}"

    @property
    def label(self):
        """The run in words."""
        origin = "" if self.source == BASELINE else f" from {self.source}"
        return f"{self.target}{origin} ({self.data} data, seed {self.seed})"


@dataclass(frozen=True)
class RelabelledRun(Run):
    """A run of the study of labels: encoder (its key in the config), whose labels, what is done with them, and seed."""

    encoder: str
    model: str
    setting: str
    seed: int

    @property
    def folder(self):
        """Folder of the run's results below those of the study."""
        return f"relabel/runs/{self.encoder}/{self.model}/{self.setting}/seed={self.seed}"

    @property
    def label(self):
        """The run in words."""
        return f"{self.model} {self.setting} ({self.encoder}, seed {self.seed})"


@dataclass(frozen=True)
class RaterRun(Run):
    """A run of the study of raters.

    `scheme` is how pairs are split, `pairs` the task, `architecture` `bi` or `cross`, `loss` the loss's name, `variant`
    what is trained (`plain`: the whole encoder), and `seed` the seed.
    """

    scheme: str
    pairs: str
    architecture: str
    loss: str
    variant: str
    seed: int

    @property
    def folder(self):
        """Folder of the run's results below those of the study."""
        model = f"{self.architecture}/{self.loss}/{self.variant}"
        return f"rater/runs/{self.scheme}/{self.pairs}/{model}/seed={self.seed}"

    @property
    def label(self):
        """The run in words."""
        model = f"{self.architecture}-encoder, {self.loss}, {self.variant}"
        return f"{self.pairs}: {model} ({self.scheme} splits, seed {self.seed})"
