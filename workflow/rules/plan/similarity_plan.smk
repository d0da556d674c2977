"""
Plan of the study of empathic similarity: its pairs, models and trainings, and what each job gets of them. Plain Python.
"""

SIMILARITY = config["similarity"]
STORY_LABELS, STORY_FORMS = SIMILARITY["labels"], SIMILARITY["forms"]
FOLDS = ["published"]
if SIMILARITY["scheme"] == "folds":
    FOLDS = [f"fold{number}" for number in range(1, config["pairs"]["folds"] + 1)]
STORY_ENCODERS = {encoder["key"]: encoder for encoder in SIMILARITY["encoders"]}
LOSSES = {name: own for name, own in SIMILARITY["contrastive"]["losses"].items() if own is not None}
# A model of the contrastive family is an encoder and a loss; its name stands in paths and tables.
CONTRASTIVE_MODELS = {
    f"{encoder}_{loss}": {"encoder": encoder, "loss": loss} for encoder in STORY_ENCODERS for loss in LOSSES
}
CONTRASTIVE_FILES = {
    name: f"<results>/similarity/runs/contrastive/{{contrastive}}/{{form}}/{{story_label}}/{{fold}}/seed={{seed}}/{file}"
    for name, file in {
        "run": "run.json",
        "predictions": "predictions.parquet",
        "validation": "validation.parquet",
        "provenance": "provenance.json",
        **({"model": "model.safetensors"} if SIMILARITY["contrastive"]["keep_models"] else {}),
    }.items()
}
# A model that a later config file sets to null is switched off.
JUDGES = {name: model for name, model in SIMILARITY["zero_shot"]["models"].items() if model}
LANGUAGE_MODELS = {name: model for name, model in SIMILARITY["fine_tuning"]["models"].items() if model}
TUNING_VARIANTS = {name: own for name, own in SIMILARITY["fine_tuning"]["variants"].items() if own}
FINE_TUNED_MODELS = {
    f"{model}_{variant}": {"model": model, "variant": variant}
    for model in LANGUAGE_MODELS
    for variant in TUNING_VARIANTS
}


def story_task(label, form):
    """The task of a label of one form of the stories."""
    return f"{SIMILARITY['pairs']}_{label}" + ("" if form == "full" else f"_{form}")


STORY_TASKS = {story_task(label, form): [label, form] for label in STORY_LABELS for form in STORY_FORMS}


def story_pairs(split, forms=STORY_FORMS, labels=STORY_LABELS):
    """Paths of the tables of a split, of all folds."""
    tasks = [story_task(label, form) for form in forms for label in labels]
    return [f"{RESULTS}/pairs/{fold}/{task}/{split}.parquet" for task in tasks for fold in FOLDS]


def check_stories():
    """Stop where a task of the stage has no data, with the reason; it is asked when its jobs are planned."""
    for task in STORY_TASKS:
        if task not in PAIR_TASKS:
            reason = PAIRS_LEFT_OUT.get(task) or f"it is in no file of {config['pairs']['datasets']}"
            raise WorkflowError(f"similarity: the pairs '{task}' can't be prepared: {reason}")


def similarity_runs(name):
    """Paths of a file of all trainings of the stage."""
    main, every = SIMILARITY["labels"][:1], SIMILARITY["contrastive"]["all_labels"]
    trained = {
        ("contrastive", model): STORY_LABELS if about["loss"] in every else main
        for model, about in CONTRASTIVE_MODELS.items()
    }
    trained |= {("fine_tuned", model): SIMILARITY["fine_tuning"]["labels"] for model in FINE_TUNED_MODELS}
    return [
        f"{RESULTS}/similarity/runs/{family}/{model}/{form}/{label}/{fold}/seed={seed}/{name}"
        for (family, model), labels in trained.items()
        for form in STORY_FORMS
        for label in labels
        for fold in FOLDS
        for seed in SIMILARITY["seeds"]
    ]


def story_embeddings(name):
    """Paths of a file of all embedding baselines."""
    return [
        f"{RESULTS}/similarity/embedding/{encoder}/{form}/{name}" for encoder in STORY_ENCODERS for form in STORY_FORMS
    ]


def judged_pairs():
    """Paths of the labels of all language models that are asked."""
    return [
        f"{RESULTS}/similarity/zero_shot/{model}/{form}/{label}/labels.parquet"
        for model in JUDGES
        for form in STORY_FORMS
        for label in STORY_LABELS
    ]


def similarity_answers():
    """What scores and comparisons read, by the name of a rule's input."""
    return {
        "runs": similarity_runs("run.json"),
        "predictions": [*similarity_runs("predictions.parquet"), *similarity_runs("validation.parquet")],
        "embeddings": story_embeddings("predictions.parquet"),
        "records": story_embeddings("run.json"),
        "zero_shot": judged_pairs(),
        "tested": story_pairs("test"),
    }


def trained_pairs(wildcards):
    """Tables of the pairs that a training reads."""
    check_stories()
    task = story_task(wildcards.story_label, wildcards.form)
    return {
        split: f"{RESULTS}/pairs/{wildcards.fold}/{task}/{split}.parquet" for split in ("train", "validation", "test")
    }


def embedded_pairs(wildcards):
    """Tables of all pairs of a form: their texts are the same whatever the label."""
    check_stories()
    return story_pairs("test", [wildcards.form], STORY_LABELS[:1])


def story_encoder(wildcards):
    """The encoder of a job, as it takes it."""
    key = wildcards.get("story_encoder") or CONTRASTIVE_MODELS[wildcards.contrastive]["encoder"]
    return dict(sorted(STORY_ENCODERS[key].items()))


def contrastive_settings(wildcards):
    """Loss and training of a contrastive run, in a fixed order."""
    name = CONTRASTIVE_MODELS[wildcards.contrastive]["loss"]
    return {
        "loss": {"name": name} | dict(sorted(LOSSES[name].items())),
        "training": dict(sorted(SIMILARITY["contrastive"]["training"].items())),
        "mapping": SIMILARITY["scores_as"],
    }


def check_trainings():
    """Check that losses and labels that the config names are there, and explanations where they are trained on."""
    contrastive, tuning, where = SIMILARITY["contrastive"], SIMILARITY["fine_tuning"], "similarity.fine_tuning"
    if unknown := [loss for loss in contrastive["all_labels"] if loss not in contrastive["losses"]]:
        known = ", ".join(contrastive["losses"])
        raise WorkflowError(f"similarity.contrastive.all_labels: no loss '{unknown[0]}'. Known: {known}")
    if unknown := [label for label in tuning["labels"] if label not in STORY_LABELS]:
        raise WorkflowError(f"{where}.labels: no label '{unknown[0]}'. Known: {', '.join(STORY_LABELS)}")
    explaining = [name for name, about in TUNING_VARIANTS.items() if about["explanation"]]
    if LANGUAGE_MODELS and explaining and not tuning["explanations"]:
        raise WorkflowError(
            f"{where}.variants.{explaining[0]}: it explains before it answers; name a CSV with the columns id and "
            f"explanation in {where}.explanations, or set `explanation: false`."
        )


def tuned_pairs(wildcards):
    """What a fine-tuning reads: tables of pairs, and explanations where its variant writes some."""
    inputs = trained_pairs(wildcards)
    if TUNING_VARIANTS[FINE_TUNED_MODELS[wildcards.tuned]["variant"]]["explanation"]:
        inputs["explanations"] = local(SIMILARITY["fine_tuning"]["explanations"])
    return inputs


def tuning_settings(wildcards):
    """Model, variant and training of a fine-tuning, in a fixed order."""
    about, tuning = FINE_TUNED_MODELS[wildcards.tuned], SIMILARITY["fine_tuning"]
    settings = {"model_settings": LANGUAGE_MODELS[about["model"]], "variant": TUNING_VARIANTS[about["variant"]]}
    settings |= {name: tuning[name] for name in ("lora", "training")}
    return {name: dict(sorted(value.items())) for name, value in sorted(settings.items())}
