"""The recipe of the transfer study: a task's items, on a frozen encoder with or without a frozen source adapter.

Baseline, transfer, control and variant differ in the source that they are given, and in nothing else. The target's
settings are used for every run of that target (sections 3 and 4 of the study).
"""

from empathy_transfer.data.batches import choose_items
from empathy_transfer.data.splits import SPLITS
from empathy_transfer.kinds import kind_of
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.heads import PooledHead
from empathy_transfer.records.artefacts import read_json
from empathy_transfer.training.evaluation import labels_of
from empathy_transfer.training.run import Recipe


def transfer_recipe(run, inputs, settings, origin):
    """Return the `Recipe` of a run.

    Args:
        run: a `runs.TransferRun`.
        inputs: paths of the target's `tokens` and `task_json`, and, for a transfer, of the source's `adapter`, or
            several of them in the order of the stack.
        settings: the target's training settings. origin: SHA-256 of the `inputs` by name.

    Raises:
        ArtefactError: an input is damaged.
    """
    task = read_json(inputs["task_json"])
    caps = {split: settings[f"max_{split}"] for split in SPLITS}
    items, ids = choose_items(inputs["tokens"], task, run.data, run.seed, caps)
    sources = inputs.get("adapter", [])
    return Recipe(
        items=items,
        held_out={split: (ids[split], labels_of(items[split], task)) for split in ("validation", "test")},
        task=task | {"task": run.target},
        training_labels=labels_of(items["train"], task),
        adaptation=Adaptation(settings["adapter"], tuple(sources) if isinstance(sources, list) else (sources,)),
        head=PooledHead(kind_of(task).outputs(task)),
        loss=settings["loss"],
        pairing=run.target,
        tokens_digest=origin["inputs"]["tokens"],
    )
