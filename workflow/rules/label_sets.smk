"""
Stage: the sets of texts that language models label.

NEEDS    raw files in raw_dir, as config/label_sets/*.yaml describes them
MAKES    <results>/relabel/data/{set}.parquet
"""

LABEL_SETS = {
    name: about
    for path in sorted(Path("config/label_sets").glob("*.yaml"))
    for name, about in load_yaml(path)["sets"].items()
}


def label_set_files(wildcards):
    """Paths of the raw files of a set."""
    about = LABEL_SETS[wildcards.set]
    return [str(RAW_DIR / about["folder"] / name) for name in about["sha256"]]


def label_set(wildcards):
    """How a set is read."""
    return dict(sorted(LABEL_SETS[wildcards.set].items()))


rule prepare_label_set:
    input:
        files=label_set_files,
    output:
        texts="<results>/relabel/data/{set}.parquet",
        provenance="<results>/relabel/data/{set}.provenance.json",
    log:
        "<logs>/relabel/data/{set}.log",
    conda:
        "../../environment.yml"
    params:
        definition=label_set,
        code=code_fingerprint("prepare_label_set"),
    message:
        "Preparing the texts of {wildcards.set}"
    script:
        "../scripts/prepare_label_set.py"
