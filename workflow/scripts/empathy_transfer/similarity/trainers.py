"""What trainers of libraries are told alike: where they run, that they are repeatable, and that they write nothing."""

from empathy_transfer.models.hardware import choose_device


def trainer_arguments(folder, training, seed, precision):
    """Arguments of `transformers.TrainingArguments` and of the classes that the libraries derive from it.

    Args:
        folder: one that is deleted afterwards: nothing is saved, logged or reported. training: `epochs`, `batch_size`,
            `learning_rate`. seed: of the order and of dropout. precision: `bf16` or `fp32`.
    """
    return {
        "output_dir": folder,
        "num_train_epochs": training["epochs"],
        "per_device_train_batch_size": training["batch_size"],
        "learning_rate": training["learning_rate"],
        "bf16": precision == "bf16",
        "use_cpu": choose_device() == "cpu",
        "seed": seed,
        "data_seed": seed,
        "save_strategy": "no",
        "logging_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }
