"""
Label settings: the models, scales and prompts that the config names, and what each job of the stage `labels` gets of them.
"""

SCALE_SCHEMA = Path(workflow.basedir) / "workflow/schemas/scale.schema.yaml"
LIVE_MODELS = [name for name, model in MODELS.items() if model["provider"] != "recorded"]
PROMPTS = sorted(path.stem for path in Path(RELABEL["prompts"]).glob("*.j2"))


def check_models():
    """Check that the sets, scales and prompts that the config names are there, and each scale against its schema."""
    for key, names in (("remote_llm", RELABEL["remote_llm"]), ("validation.set", [RELABEL["validation"]["set"]])):
        if unknown := [name for name in names if name not in LABEL_SETS]:
            hint = suggestion(unknown[0], LABEL_SETS)
            raise WorkflowError(f"relabel.{key}: no set '{unknown[0]}'{hint}. Known: {', '.join(LABEL_SETS)}")
    for path in sorted(Path(RELABEL["scales"]).glob("*.yaml")):
        check_schema(load_yaml(path), SCALE_SCHEMA, path)
    for name, model in MODELS.items():
        for key, folder, ending in (("scale", RELABEL["scales"], "yaml"), ("prompt", RELABEL["prompts"], "j2")):
            path = Path(folder) / f"{model[key]}.{ending}"
            if not path.is_file():
                known = sorted(other.stem for other in path.parent.glob(f"*.{ending}"))
                raise WorkflowError(
                    f"relabel.models.{name}.{key}: there is no {path}{suggestion(model[key], known)}. "
                    f"Known: {', '.join(known)}"
                )


def sets_of(model):
    """The sets that a model labels: those that a recorded model has a file of, all for one that can be asked."""
    return [name for name in LABEL_SETS if name in MODELS[model].get("files", LABEL_SETS)]


def labelled_sets():
    """Paths of the labels of all models."""
    return [f"{RESULTS}/relabel/{model}/{name}/labels.parquet" for model in MODELS for name in sets_of(model)]


def asked_labels(wildcards):
    """Paths of the labels of all models for their own target, which stops where there are none to make."""
    if not labelled_sets():
        raise WorkflowError(
            f"relabel.models: no model labels {', '.join(LABEL_SETS)}. docs/label-with-an-llm.md shows models to add."
        )
    return labelled_sets()


def scale_file(wildcards):
    """Path of the scale of a model."""
    return local(f"{RELABEL['scales']}/{MODELS[wildcards.model]['scale']}.yaml")


def prompt_file(wildcards):
    """Path of the template that a job asks: that of its model, if it has none of its own."""
    return local(f"{RELABEL['prompts']}/{wildcards.get('prompt') or MODELS[wildcards.model]['prompt']}.j2")


def asked_set(wildcards):
    """The set that a job asks about: the one of its path, or the one that prompts are compared on."""
    return wildcards.get("set") or RELABEL["validation"]["set"]


def asked_texts(wildcards):
    """Path of the texts that a job asks about."""
    return f"{RESULTS}/relabel/data/{asked_set(wildcards)}.parquet"


def recorded_file(wildcards):
    """Path of the published labels of a recorded model; none for a model that is asked."""
    files = MODELS[wildcards.model].get("files")
    if files is None:
        return []
    name, model = asked_set(wildcards), wildcards.model
    switch = f"To do without this model: `relabel: {{models: {{{model}: null}}}}`"
    if name not in files:
        raise WorkflowError(
            f"relabel.models.{model}.files: no labels of '{name}', only of {', '.join(files)}. {switch}"
        )
    path = RAW_DIR / MODELS[model]["folder"] / files[name]["file"]
    if not path.is_file():
        raise WorkflowError(f"relabel.models.{model}: {path} is missing. To get it: docs/data.md. {switch}")
    return raw_file(MODELS[model]["folder"], files[name]["file"])


def recorded_digest(wildcards):
    """SHA-256 of the published labels of a recorded model as they are now; None for a model that is asked."""
    path = recorded_file(wildcards)
    return digest_now(str(path)) if path else None


def question(wildcards):
    """What a job asks, of whom, and where answers are kept."""
    name = asked_set(wildcards)
    files = MODELS[wildcards.model].get("files")
    model = {key: value for key, value in MODELS[wildcards.model].items() if key not in ("files", "folder")}
    if files:
        model |= {key: files[name][key] for key in ("columns", "sha256")}
    sample = {"repeats": 1, "sample": None}
    if "prompt" in wildcards.keys():
        validation = RELABEL["validation"]
        sample = {
            "repeats": 1 if files else validation["repeats"],
            "sample": {key: validation[key] for key in ("seed", "texts")},
        }
    return sample | {
        "model_name": wildcards.model,
        "settings": dict(sorted(model.items())),
        "set_name": name,
        "remote_allowed": name in RELABEL["remote_llm"],
        "store_folder": config["label_store"],
    }


def asking_threads(wildcards):
    """Threads of a job that asks: a model that runs in it takes what there is."""
    return 8 if MODELS[wildcards.model]["provider"] == "llama_cpp" else 1


def compared_prompts():
    """What prompts are compared for: each live model with each prompt, a recorded one with the prompt that it had."""
    recorded = [name for name in MODELS if name not in LIVE_MODELS and RELABEL["validation"]["set"] in sets_of(name)]
    return [{"model": name, "prompt": MODELS[name]["prompt"]} for name in recorded] + [
        {"model": name, "prompt": prompt} for name in LIVE_MODELS for prompt in PROMPTS
    ]
