"""
Plan of what people and other people's models say of the similarity of stories: their raw files and settings. Plain Python.
"""

# A group or split that a later config file sets to null is switched off.
RATING_GROUPS = {name: about for name, about in config["similarity"]["agreement"]["raters"].items() if about}
PEER_SPLITS = {split: about for split, about in config["similarity"]["peers"].items() if about}
WITH_MACHINES = {name: about for name, about in RATING_GROUPS.items() if about.get("machines")}
COMPARED_GROUPS = [pair for pair in config["similarity"]["agreement"]["compared"] if set(pair) <= set(RATING_GROUPS)]
AGREEMENT_TABLES = ["agreement", "raters", "equal_raters", "ceiling", "machines", "cultures"]
REPORTED_TABLES = ["agreement", "equal_raters", "ceiling", "cultures", "peers", "beside_ceiling", "claims"]


def similarity_file(part, about):
    """A raw file of the stage; a missing one stops the run with a word on where it comes from."""
    if not (path := RAW_DIR / about["folder"] / about["file"]).is_file():
        raise WorkflowError(f"similarity.{part}: {path} is missing. It comes from {about['obtain']}.")
    return raw_file(about["folder"], about["file"])


def rating_files(wildcards):
    """Raw files of all groups of raters, in the order of `RATING_GROUPS`."""
    return [similarity_file(f"agreement.raters.{name}", about) for name, about in RATING_GROUPS.items()]


def machine_files(wildcards):
    """Raw files of the groups of raters beside whom a machine rated."""
    return [similarity_file(f"agreement.raters.{name}", about) for name, about in WITH_MACHINES.items()]


def peer_files(wildcards):
    """Raw files of all peers: of each split its scores, then its pairs."""
    parts = [(split, part) for split in PEER_SPLITS for part in ("scores", "pairs")]
    return [similarity_file(f"peers.{split}.{part}", PEER_SPLITS[split][part]) for split, part in parts]


def similarity_digests(wildcards):
    """SHA-256 of all raw files of the stage as they are now, by folder and file."""
    parts = [*RATING_GROUPS.values(), *(about[part] for about in PEER_SPLITS.values() for part in ("scores", "pairs"))]
    named = {(about["folder"], about["file"]) for about in parts}
    return {f"{folder}/{file}": digest_now(str(RAW_DIR / folder / file)) for folder, file in sorted(named)}


def described_files(parts):
    """Descriptions of files without what is for people alone, in a fixed order."""
    unused = ("obtain", "folder")
    if not isinstance(parts, dict):
        return parts
    return {key: described_files(value) for key, value in sorted(parts.items()) if key not in unused}


def model_results(name):
    """Path of a table on the models that this workflow trains, where it has their rules; else none."""
    path = f"{RESULTS}/similarity/{name}.csv"
    return path if any(each.is_producer(path) for each in workflow.rules) else []


def model_scores(wildcards):
    """Path of the scores of these models."""
    return model_results("scores")


def model_comparisons(wildcards):
    """Path of their comparisons."""
    return model_results("comparisons")


def ceiling_settings():
    """Whose ceiling stands beside models, and which peers do."""
    forms = {split: about["form"] for split, about in sorted(PEER_SPLITS.items())}
    return {
        "forms": forms,
        "group": config["similarity"]["agreement"]["ceiling"],
        "split": config["similarity"]["shown"],
    }
