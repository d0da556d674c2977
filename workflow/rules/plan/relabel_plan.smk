"""
Plan of the stage that trains with labels from language models: its sets of texts, settings and runs. Plain Python.
"""

RELABEL = config["relabel"]
TEXTS = load_yaml(RELABEL["label_sets"])
check_schema(TEXTS, Path(workflow.basedir) / "workflow/schemas/label_sets.schema.yaml", RELABEL["label_sets"])
LABEL_SETS = TEXTS["sets"]
ROLES = RELABEL["roles"]
CROWD = "crowd"
# A model that a later config file sets to null is switched off.
MODELS = {name: model for name, model in RELABEL["models"].items() if model}
LABEL_MODELS = sorted(MODELS)
RELABEL_ENCODERS = {encoder["key"]: encoder for encoder in RELABEL["encoders"]}
# A threshold as wide as the scale replaces nothing: that is the baseline, which is trained once.
WIDTH = TEXTS["range"][1] - TEXTS["range"][0]
THRESHOLDS = sorted(value for value in RELABEL["correction"]["thresholds"] if value < WIDTH)
# Settings that change as many labels as the correction at the threshold chosen for a model and a seed.
EQUAL_SHARE = RELABEL["correction"]["controls"]


def relabel_settings(labeller):
    """Names of the settings that are trained with the labels of a model, or of the crowd."""
    added = [f"added={fraction:g}" for fraction in RELABEL["augmentation"]["fractions"]]
    if labeller == CROWD:
        return ["baseline", *added, "huber"]
    both = [f"both={fraction:g}" for fraction in RELABEL["augmentation"]["both_fractions"]]
    return [f"alpha={threshold:g}" for threshold in THRESHOLDS] + added + both + EQUAL_SHARE


def relabel_runs(name):
    """Paths of a file of all runs of the stage."""
    return [
        f"{RESULTS}/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}/{name}"
        for encoder in RELABEL_ENCODERS
        for labeller in [CROWD, *LABEL_MODELS]
        for setting in relabel_settings(labeller)
        for seed in RELABEL["seeds"]
    ]


def earlier_sets(wildcards):
    """A label set and those before it in their file, whose texts it must not hold, as its reader takes them."""
    names = list(LABEL_SETS)
    chosen = names[: names.index(wildcards.set) + 1]
    keys = ("columns", "essays", "gold", "quote", "sha256")
    return {name: {key: LABEL_SETS[name][key] for key in keys if key in LABEL_SETS[name]} for name in chosen}


def set_files(wildcards):
    """Raw files of a label set and of those before it; missing ones stop the run with a word on how to get them."""
    named = [
        (LABEL_SETS[name]["folder"], file)
        for name, about in earlier_sets(wildcards).items()
        for file in about["sha256"]
    ]
    if missing := [path for folder, file in named if not (path := RAW_DIR / folder / file).is_file()]:
        raise WorkflowError(f"relabel: {missing[0]} is missing. To get it: {TEXTS['obtain']}. {TEXTS['terms']}")
    return [raw_file(folder, file) for folder, file in named]


def set_digests(wildcards):
    """SHA-256 of the raw files of a label set and of those before it as they are now, in the order of `set_files`."""
    return [digest_now(str(path)) for path in set_files(wildcards)]


def relabel_encoder(wildcards):
    """The encoder of a run, as its job takes it."""
    return dict(sorted(RELABEL_ENCODERS[wildcards.encoder].items()))


def relabel_training(wildcards):
    """Training settings of a run, in a fixed order; the Huber loss's own only where that is used."""
    unused = () if wildcards.setting == "huber" else ("huber_delta",)
    return dict(sorted((key, value) for key, value in RELABEL["training"].items() if key not in unused))


def relabelled_code(wildcards):
    """Fingerprint of a training: the loss is the one that its setting is named after, or squared error."""
    loss = wildcards.setting if wildcards.setting in ("huber", "trimmed") else "squared_error"
    chosen = {"kinds": "regression", "metrics": "ccc", "adaptations": "full", "losses": loss}
    return code_fingerprint("train_relabelled", engines=ENGINES[RELABEL["training"]["engine"]], **chosen)


def training_inputs(wildcards):
    """What a run reads: label sets and their tokens, and what its model and setting need beyond."""
    if unknown := [name for name in ROLES.values() if name not in LABEL_SETS]:
        hint = suggestion(unknown[0], LABEL_SETS)
        raise WorkflowError(f"relabel.roles: no set '{unknown[0]}' in {RELABEL['label_sets']}{hint}.")
    inputs = {role: f"{RESULTS}/relabel/data/{name}.parquet" for role, name in ROLES.items()}
    tokens = f"{RESULTS}/relabel/tokens/{wildcards.encoder}"
    inputs |= {f"{role}_tokens": f"{tokens}/{name}/tokens.safetensors" for role, name in ROLES.items()}
    if wildcards.labeller != CROWD:
        for role in ("train", "added"):
            inputs[f"{role}_labels"] = f"{RESULTS}/relabel/{wildcards.labeller}/{ROLES[role]}/labels.parquet"
    if wildcards.setting in EQUAL_SHARE or wildcards.setting.startswith("both="):
        chosen = f"{RESULTS}/relabel/thresholds/{wildcards.encoder}/{wildcards.labeller}"
        inputs["threshold"] = f"{chosen}/seed={wildcards.seed}.json"
    if wildcards.setting == "cleanlab":
        inputs["embeddings"] = f"{tokens}/{ROLES['train']}/embeddings.safetensors"
    return inputs


def sweep_records(wildcards):
    """Metrics of the runs of a model and a seed that correct at each threshold."""
    runs = f"{RESULTS}/relabel/runs/{wildcards.encoder}/{wildcards.labeller}"
    return [f"{runs}/alpha={threshold:g}/seed={wildcards.seed}/run.json" for threshold in THRESHOLDS]


def bought_answers():
    """Paths of the answers of each model about the texts that runs train on, by the name of a rule's input."""
    return {
        f"answers_{model}": [f"{RESULTS}/relabel/{model}/{ROLES[role]}/answers.parquet" for role in ("train", "added")]
        for model in LABEL_MODELS
    }
