"""Fine-tune a causal language model on rated pairs of stories: LoRA by peft, the loop by trl's `SFTTrainer`."""

import tempfile
import time

from empathy_transfer.data.batches import derived_seed
from empathy_transfer.errors import DataError
from empathy_transfer.metrics import pearson_r
from empathy_transfer.models.hardware import choose_device, choose_precision, use_processor
from empathy_transfer.records.artefacts import read_csv, write_json, write_table
from empathy_transfer.similarity.causal_models import load_causal_model, save_lora, with_lora
from empathy_transfer.similarity.rating_answers import rate_pairs
from empathy_transfer.similarity.rating_prompts import RatingPrompts
from empathy_transfer.similarity.story_pairs import read_pairs
from empathy_transfer.similarity.trainers import trainer_arguments


def fine_tune(run, inputs, outputs, model_settings, variant, lora, training, threads=1):
    """Train a run and write what it answers to pairs that it has not seen.

    Args:
        run: a `runs.SimilarityRun`.
        inputs: tables of pairs `train`, `validation`, `test`, and where the variant needs it the CSV `explanations`.
        outputs: paths of `predictions` and `validation` (id, label, prediction, 1 to 4), `adapter` (safetensors) and
            `run` (the record).
        model_settings: `name`, and perhaps `revision` and `gguf_file`.
        variant: `explanation`, `loss_on` (`answer` or `all`) and `reversed`, see the config's schema.
        lora: `r`, `alpha`, `dropout`. training: `epochs`, `batch_size`, `accumulation`, `learning_rate`, `max_length`,
            `max_explanation`, `precision`. threads: CPU threads.

    Raises:
        EncoderNotFoundError: the model is not here. DataError: stories don't fit, or explanations are missing.
    """
    started = time.monotonic()
    use_processor(threads)
    precision = choose_precision(training["precision"], choose_device())
    pairs = {split: read_pairs(inputs[split]) for split in ("train", "validation", "test")}
    model, tokenizer, digest = load_causal_model(model_settings, precision)
    seed = derived_seed("similarity", run.fold, run.seed) % 2**32
    model = with_lora(model, lora, seed)
    prompts = RatingPrompts(tokenizer, run.trained_on, variant["explanation"], training["max_length"])
    explanations = (
        read_explanations(inputs.get("explanations") or None, pairs["train"]) if variant["explanation"] else None
    )
    examples = training_examples(pairs["train"], prompts, variant, explanations)
    print(f"{run.label}: {len(pairs['train']):,} pairs, {len(examples):,} examples, {precision}")
    trained = time.monotonic()
    steps = fit_language_model(model, tokenizer, examples, training, seed, precision)
    trained = time.monotonic() - trained
    scores = {}
    for split, name in {"test": "predictions", "validation": "validation"}.items():
        answers = rate_pairs(model, prompts, pairs[split], training["max_explanation"])
        write_table(outputs[name], pairs[split][["id", "label"]].assign(prediction=answers))
        scores[split] = pearson_r.value(pairs[split]["label"].to_numpy(), answers)
    save_lora(outputs["adapter"], model, lora, digest, seed=run.seed, variant=variant)
    record = run.columns | {
        "loss": {"name": f"language_model_{variant['loss_on']}"},
        "encoder": model_settings["name"].rpartition("/")[2],
        "variant": variant,
        **{f"n_{split}": len(frame) for split, frame in pairs.items()},
        "examples": len(examples),
        "tokens": sum(len(example["input_ids"]) for example in examples),
        "trained_parameters": sum(part.numel() for part in model.parameters() if part.requires_grad),
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


def read_explanations(path, pairs):
    """{id: explanation} of training pairs from a CSV file with the columns id and explanation.

    Raises:
        DataError: there is no such file or column, or pairs have none; it names the first by its id.
    """
    setting = "similarity: fine_tuning: explanations"
    if path is None:
        raise DataError(
            f"{setting}: a variant explains before it answers, so name a CSV with explanations to learn from"
        )
    frame = read_csv(path, verify=False, dtype=str)
    if missing := {"id", "explanation"} - set(frame):
        raise DataError(f"{path} has no column {sorted(missing)[0]}. {setting} needs id and explanation.")
    found = frame.dropna().drop_duplicates("id").set_index("id")["explanation"].to_dict()
    if lacking := [item for item in pairs["id"] if item not in found]:
        raise DataError(
            f"{path}: {len(lacking)} of {len(pairs)} training pairs have no explanation, such as {lacking[0]}"
        )
    return found


def training_examples(pairs, prompts, variant, explanations=None):
    """Examples as `RatingPrompts.example` makes them, of each pair in one order, or in both where `reversed`."""
    examples = []
    for row in pairs.itertuples():
        orders = [(row.first, row.second), (row.second, row.first)][: 2 if variant["reversed"] else 1]
        explanation = explanations[row.id] if explanations else None
        examples += [prompts.example(*order, row.label, explanation, variant["loss_on"]) for order in orders]
    return examples


def fit_language_model(model, tokenizer, examples, training, seed, precision):
    """Train the adapter of a model in place by trl, which leaves no file behind; returns the steps.

    Nothing is saved by the trainer: its `save_model` writes a pickle of its arguments.
    """
    from datasets import Dataset, disable_progress_bars
    from trl import SFTConfig, SFTTrainer

    disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            **trainer_arguments(folder, training, seed, precision),
            gradient_accumulation_steps=training["accumulation"],
            max_length=training["max_length"],
            gradient_checkpointing=False,
        )
        data = Dataset.from_list(examples)
        trainer = SFTTrainer(model=model, args=settings, train_dataset=data, processing_class=tokenizer)
        trainer.train()
        return trainer.state.global_step
