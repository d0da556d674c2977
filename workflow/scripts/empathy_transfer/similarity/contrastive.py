"""Train an encoder on pairs of stories by a contrastive loss of sentence-transformers, with that library's trainer."""

import tempfile
import time

import numpy as np

from empathy_transfer.data.batches import derived_seed
from empathy_transfer.metrics import pearson_r
from empathy_transfer.models.hardware import choose_device, choose_precision, use_processor
from empathy_transfer.records.artefacts import write_json, write_table
from empathy_transfer.similarity.contrastive_losses import CONTRASTIVE_LOSSES
from empathy_transfer.similarity.sentence_models import save_sentence_model, sentence_model, story_cosines
from empathy_transfer.similarity.story_pairs import read_pairs, to_rating
from empathy_transfer.similarity.trainers import trainer_arguments


def train_contrastive(run, inputs, outputs, encoder_settings, loss, training, mapping, threads=1):
    """Train a run and write what it answers to pairs that it has not seen.

    The state after the last epoch is tested, as in the study. Validation pairs choose nothing here; their scores are
    there to choose among losses with.

    Args:
        run: a `runs.SimilarityRun`.
        inputs: tables of pairs: `train`, `validation`, `test`.
        outputs: paths of `predictions` and `validation` (id, label, prediction, 1 to 4), `run` (the record), and where
            it is wanted of `model` (safetensors).
        encoder_settings: `name`, `revision`, `max_length`.
        loss: {"name": one of `CONTRASTIVE_LOSSES`, and its own settings: `scale` or `margin`}.
        training: `epochs`, `batch_size`, `learning_rate`, `weight_decay`, `warmup_share`, `dropout`, `precision`.
        mapping: one of `story_pairs.MAPPINGS`. threads: CPU threads.

    Raises:
        DataError: no pairs that the loss could learn from. FloatingPointError: the training diverged.
    """
    from transformers import set_seed

    started = time.monotonic()
    use_processor(threads)
    pairs = {split: read_pairs(inputs[split]) for split in ("train", "validation", "test")}
    model, encoder = sentence_model(encoder_settings, training["dropout"])
    make_examples, make_loss = CONTRASTIVE_LOSSES[loss["name"]]
    seed = derived_seed("similarity", run.fold, run.seed) % 2**32
    examples = make_examples(pairs["train"], mapping, np.random.default_rng(seed))
    precision = choose_precision(training["precision"], choose_device())
    print(f"{run.label}: {len(pairs['train']):,} pairs, {len(examples['first']):,} examples, {precision}")
    set_seed(seed)  # of a classifier that a loss may bring; order and dropout have the trainer's own
    trained = time.monotonic()
    steps = fit_contrastive(model, make_loss(model, loss), examples, training, seed, precision)
    trained = time.monotonic() - trained
    scores = {}
    for split, name in {"test": "predictions", "validation": "validation"}.items():
        frame = pairs[split]
        answers = to_rating(story_cosines(model, frame), mapping)
        write_table(outputs[name], frame[["id", "label"]].assign(prediction=answers))
        scores[split] = pearson_r.value(frame["label"].to_numpy(), answers)
    if "model" in outputs:
        save_sentence_model(outputs["model"], model, encoder, encoder_settings["max_length"], seed=run.seed, loss=loss)
    record = run.columns | {
        "loss": loss,
        "encoder": encoder.public_name,
        **{f"n_{split}": len(frame) for split, frame in pairs.items()},
        "examples": len(examples["first"]),
        "epochs": training["epochs"],
        "steps": steps,
        "precision": precision,
        "device": choose_device(),
        "training_seconds": round(trained, 3),
        "seconds": round(time.monotonic() - started, 3),
        "validation_pearson_r": scores["validation"],
    }
    write_json(outputs["run"], record)
    print(f"{steps} steps in {trained:.1f} s; r {scores['validation']:.3f} on validation pairs")


def fit_contrastive(model, loss, examples, training, seed, precision):
    """Train a model in place by sentence-transformers' trainer, which leaves no file behind; returns the steps.

    Args:
        model: a `SentenceTransformer`. loss: the library's. examples: columns of the data set, see
            `contrastive_losses`. training: see `train_contrastive`. seed: of the order and of dropout. precision:
            `bf16` or `fp32`.
    """
    from datasets import Dataset, disable_progress_bars
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        settings = SentenceTransformerTrainingArguments(
            **trainer_arguments(folder, training, seed, precision),
            weight_decay=training["weight_decay"],
            warmup_ratio=training["warmup_share"],
        )
        trainer = SentenceTransformerTrainer(
            model=model, args=settings, train_dataset=Dataset.from_dict(examples), loss=loss
        )
        trainer.train()
        steps = trainer.state.global_step
    model.eval()
    return steps
