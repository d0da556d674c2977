"""One engine of the training benchmark, in a process of its own: it trains a round for each line that it reads.

python benchmarks/training_worker.py '{"encoder": "minilm", "lengths": "epitome", "dropout": 0.0, "items": 64,
                                       "engine": "fast", "threads": 1}'
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))
CASE = json.loads(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = str(CASE["threads"])
os.environ["EMPATHY_FIRST_LAYER_FOLDER"] = str(Path(tempfile.gettempdir()) / "empathy-transfer-benchmark")

import numpy as np
import torch
import workloads

from empathy_transfer.data.batches import Items, batch_of, training_batches
from empathy_transfer.losses import loss_function
from empathy_transfer.models.adaptations import Adaptation
from empathy_transfer.models.adapter_files import save_adapter
from empathy_transfer.models.compose import compose
from empathy_transfer.models.hardware import choose_precision, use_processor
from empathy_transfer.models.heads import PooledHead
from empathy_transfer.models.parameters import draw
from empathy_transfer.records.encoders import MINILM, Encoder, find_encoder
from empathy_transfer.records.files import sha256_file
from empathy_transfer.records.provenance import FORMAT, write_provenance
from empathy_transfer.training.optimizer import AdamW

LABELS = 3
ADAPTER = {"type": "seq_bn", "reduction_factor": workloads.REDUCTION}
SETTINGS = {"learning_rate": 1e-4, "weight_decay": 0.0, "steps": 100_000, "warmup_share": 0.0, "max_gradient_norm": 1.0}


def encoder_of(name):
    """Return MiniLM, or a random encoder of RoBERTa-base's shape, written once to the temporary folder."""
    if name == "minilm":
        return find_encoder(MINILM)
    folder = Path(tempfile.gettempdir()) / "empathy-transfer-roberta-base-shape"
    if not (folder / "model.safetensors").is_file():
        from transformers import RobertaConfig, RobertaModel

        torch.manual_seed(0)
        shape = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1}
        RobertaModel(RobertaConfig(**shape)).save_pretrained(folder)
    return Encoder(name, folder, "0" * 64)


def items_of():
    """Return random items with the lengths of the case."""
    lengths = workloads.lengths_of(CASE)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 20000, (sum(lengths),), generator=generator, dtype=torch.int32)
    kinds = torch.zeros(len(ids), dtype=torch.uint8)
    labels = torch.arange(len(lengths)) % LABELS
    return Items(ids, kinds, torch.tensor([0, *lengths]).cumsum(0), labels, np.arange(len(lengths)))


def write_source(encoder, folder):
    """Write a new adapter to a folder, as a finished training leaves it; returns its path."""
    path = Path(folder) / "adapter.safetensors"
    shapes = Adaptation(ADAPTER).shapes(json.loads((encoder.folder / "config.json").read_text(encoding="utf-8")))
    save_adapter(path, draw(shapes, torch.Generator().manual_seed(2)), encoder, ADAPTER)
    entry = {"sha256": sha256_file(path), "bytes": path.stat().st_size}
    record = {"format": FORMAT, "outputs": {path.name: entry}, "remake": "make bench"}
    write_provenance(path.with_name("provenance.json"), record)
    return path


def our_engine():
    """Return a function that trains on the items once with one of our engines, and its precision."""
    encoder, items = encoder_of(CASE["encoder"]), items_of()
    precision = choose_precision("auto", "cpu")
    options = {"dropout": CASE["dropout"], "seed": 1, "device": "cpu", "precision": precision}
    with tempfile.TemporaryDirectory() as folder:
        adaptation = Adaptation(ADAPTER, (write_source(encoder, folder),))
        engine = compose(CASE["engine"], encoder, adaptation, PooledHead(LABELS), **options)
    engine.keep_first_layer({"train": items}, f"{CASE['lengths']} {CASE['items']}")
    loss_of = loss_function({"name": "cross_entropy"})
    optimizer = AdamW(engine.parameters(), **SETTINGS)
    engine.train()
    engine.seed(1)
    seeds = iter(range(10**6))

    def train(count):
        """Train on the items once, or on the first few steps of that."""
        generator = torch.Generator().manual_seed(next(seeds))
        seen, started = 0, time.perf_counter()
        for positions in training_batches(items.lengths, workloads.BATCH, generator)[:count]:
            batch = batch_of(items, "train", positions)
            loss_of(engine.logits(batch), batch.labels).backward()
            optimizer.step()
            seen += len(positions)
        return seen / (time.perf_counter() - started)

    return train, precision


def library_trainer():
    """Return a function that trains on the items once with `AdapterTrainer`, and its precision."""
    from adapters import AdapterTrainer, AutoAdapterModel
    from adapters.composition import Stack
    from transformers import TrainerCallback, TrainingArguments, set_seed

    best = CASE["engine"] == "best"
    set_seed(1)
    dropout = {"hidden_dropout_prob": CASE["dropout"], "attention_probs_dropout_prob": CASE["dropout"]}
    model = AutoAdapterModel.from_pretrained(str(encoder_of(CASE["encoder"]).folder), use_safetensors=True, **dropout)
    for name in ("source", "target"):
        model.add_adapter(name, config="seq_bn")
    model.add_classification_head("target", num_labels=LABELS)
    model.train_adapter("target")
    model.active_adapters, model.active_head = Stack("source", "target"), "target"
    items = items_of()
    offsets = items.offsets.tolist()
    rows = [
        {"input_ids": items.input_ids[start:end].tolist(), "labels": int(label), "length": end - start}
        for start, end, label in zip(offsets[:-1], offsets[1:], items.labels, strict=True)
    ]

    def collate(batch):
        """Pad a batch: to its longest text, or to the maximum."""
        width = max(len(row["input_ids"]) for row in batch) if best else workloads.MAXIMUM
        ids, mask = (torch.zeros(len(batch), width, dtype=torch.long) for _ in range(2))
        for place, row in enumerate(batch):
            ids[place, : len(row["input_ids"])] = torch.tensor(row["input_ids"])
            mask[place, : len(row["input_ids"])] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([row["labels"] for row in batch])}

    class Clock(TrainerCallback):
        """Time from the first step to the last one, without what happens around training."""

        def on_step_begin(self, *_, **__):
            self.begun = getattr(self, "begun", None) or time.perf_counter()

        def on_step_end(self, *_, **__):
            self.ended = time.perf_counter()

    def train(count):
        """Train on the items once, or on the first few steps of that."""
        # Padded to the maximum, every batch costs the same: one is enough.
        steps = 1 if not best else count or -(-len(rows) // workloads.BATCH)
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder, per_device_train_batch_size=workloads.BATCH, max_steps=steps, bf16=best, group_by_length=best,
                length_column_name="length", use_cpu=True, report_to=[], save_strategy="no", logging_strategy="no",
                disable_tqdm=True, remove_unused_columns=False,
            )  # fmt: skip
            trainer = AdapterTrainer(
                model=model, args=arguments, train_dataset=rows, data_collator=collate, callbacks=[clock]
            )
            trainer.train()
        return min(steps * workloads.BATCH, len(rows)) / (clock.ended - clock.begun)

    return train, "bf16" if best else "fp32"


def main():
    """Take one step, say so, and train a round per line of standard input."""
    # Our engines run as in a job, the library's trainer as it comes.
    if CASE["engine"] in ("fast", "reference"):
        use_processor(CASE["threads"])
        train, precision = our_engine()
    else:
        torch.set_num_threads(CASE["threads"])
        train, precision = library_trainer()
    train(1)
    answer({"precision": precision})
    for _ in sys.stdin:
        speed = train(None)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        answer({"samples_per_second": speed, "peak_memory_mb": round(memory)})


def answer(content):
    """Write a line to the process that asked."""
    print(json.dumps(content), file=ANSWERS, flush=True)


if __name__ == "__main__":
    # The libraries' own output goes elsewhere, so that answers are alone on their stream.
    ANSWERS = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    main()
