"""
Language models that are asked about pairs of stories: what each job gets of their settings. Plain Python.
"""

ZERO_SHOT = SIMILARITY["zero_shot"]


def check_judges():
    """Check that the scales and prompts of the models that are asked are there, and each scale against its schema."""
    if not JUDGES:
        return
    for label in STORY_LABELS:
        path = Path(ZERO_SHOT["scales"]) / f"{label}.yaml"
        if not path.is_file():
            raise WorkflowError(f"similarity.zero_shot.scales: there is no {path}, which the label '{label}' needs.")
        check_schema(load_yaml(path), SCALE_SCHEMA, path)
    for name, model in JUDGES.items():
        path = Path(ZERO_SHOT["prompts"]) / f"{model['prompt']}.j2"
        if not path.is_file():
            known = sorted(other.stem for other in path.parent.glob("*.j2"))
            raise WorkflowError(
                f"similarity.zero_shot.models.{name}.prompt: there is no {path}{suggestion(model['prompt'], known)}. "
                f"Known: {', '.join(known)}"
            )


def judge_scale(wildcards):
    """Path of the scale of a label."""
    return local(f"{ZERO_SHOT['scales']}/{wildcards.story_label}.yaml")


def judge_prompt(wildcards):
    """Path of the prompt of a model."""
    return local(f"{ZERO_SHOT['prompts']}/{JUDGES[wildcards.judge]['prompt']}.j2")


def judge_recorded(wildcards):
    """Path of the recorded ratings of a label; none for a model that is asked."""
    model, label = JUDGES[wildcards.judge], wildcards.story_label
    if "files" not in model:
        return []
    setting = f"similarity.zero_shot.models.{wildcards.judge}.files"
    if label not in model["files"]:
        raise WorkflowError(f"{setting}: no ratings of '{label}', only of {', '.join(model['files'])}.")
    path = RAW_DIR / model["folder"] / model["files"][label]["file"]
    if not path.is_file():
        raise WorkflowError(f"{setting}: {path} is missing.")
    return raw_file(model["folder"], model["files"][label]["file"])


def judge_digest(wildcards):
    """SHA-256 of the recorded ratings as they are now; None for a model that is asked."""
    path = judge_recorded(wildcards)
    return digest_now(str(path)) if path else None


def judge_question(wildcards):
    """What a job asks, of whom, and where answers are kept."""
    model, label = JUDGES[wildcards.judge], wildcards.story_label
    settings = {key: value for key, value in model.items() if key not in ("files", "folder")}
    if "files" in model:
        settings |= {key: model["files"][label][key] for key in ("columns", "sha256")}
    return {
        "model_name": wildcards.judge,
        "settings": dict(sorted(settings.items())),
        "set_name": f"{SIMILARITY['pairs']}_{label}",
        "remote_allowed": ZERO_SHOT["remote_llm"],
        "store_folder": config["label_store"],
        "repeats": 1,
        "sample": ZERO_SHOT["pairs"] and {"seed": ZERO_SHOT["seed"], "texts": ZERO_SHOT["pairs"]},
    }


def judge_threads(wildcards):
    """Threads of a job that asks: a model that runs in it takes what there is."""
    return 8 if JUDGES[wildcards.judge]["provider"] == "llama_cpp" else 1
