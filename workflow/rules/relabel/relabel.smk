"""
Stage: correct crowd labels by those of a language model, add to them, and train with the result.

NEEDS    raw files of the label sets in raw_dir
         <results>/relabel/{model}/{set}/labels.parquet
MAKES    <results>/relabel/data/{set}.parquet
         <results>/relabel/corrected/{model}/alpha={threshold}.csv
         <results>/relabel/thresholds/{encoder}/{labeller}/seed={seed}.json
         <results>/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}/{run.json,predictions.parquet}
"""


wildcard_constraints:
    encoder="|".join(RELABEL_ENCODERS),
    labeller="|".join([CROWD, *LABEL_MODELS]),
    set="|".join(LABEL_SETS),
    setting=r"[a-z_]+(=[0-9.]+)?",
    threshold=r"\d+(\.\d+)?",


rule prepare_label_set:
    input:
        files=set_files,
    output:
        table="<results>/relabel/data/{set}.parquet",
        provenance="<results>/relabel/data/{set}.provenance.json",
    log:
        "<logs>/relabel/data/{set}.log",
    conda:
        "../../../environment.yml"
    params:
        sets=earlier_sets,
        digests=set_digests,
        demographics=TEXTS["demographics"],
        bounds=TEXTS["range"],
        record_folder=RECORDED_DIGESTS,
        code=code_fingerprint("prepare_label_set"),
    message:
        "Preparing the label set {wildcards.set}"
    script:
        "../../scripts/relabel/prepare_label_set.py"


rule tokenise_label_set:
    input:
        table="<results>/relabel/data/{set}.parquet",
    output:
        tokens="<results>/relabel/tokens/{encoder}/{set}/tokens.safetensors",
        provenance="<results>/relabel/tokens/{encoder}/{set}/provenance.json",
    log:
        "<logs>/relabel/tokens/{encoder}/{set}.log",
    conda:
        "../../../environment.yml"
    params:
        encoder=relabel_encoder,
        code=code_fingerprint("tokenise_label_set"),
    message:
        "Tokenising {wildcards.set} for {wildcards.encoder}"
    script:
        "../../scripts/relabel/tokenise_label_set.py"


rule embed_label_set:
    input:
        tokens="<results>/relabel/tokens/{encoder}/{set}/tokens.safetensors",
    output:
        embeddings="<results>/relabel/tokens/{encoder}/{set}/embeddings.safetensors",
        provenance="<results>/relabel/tokens/{encoder}/{set}/embeddings.provenance.json",
    log:
        "<logs>/relabel/tokens/{encoder}/{set}.embeddings.log",
    conda:
        "../../../environment.yml"
    params:
        encoder=relabel_encoder,
        code=code_fingerprint("embed_label_set"),
    message:
        "Embedding {wildcards.set} with {wildcards.encoder}"
    script:
        "../../scripts/relabel/embed_label_set.py"


rule choose_threshold:
    input:
        runs=sweep_records,
    output:
        threshold="<results>/relabel/thresholds/{encoder}/{labeller}/seed={seed}.json",
        provenance="<results>/relabel/thresholds/{encoder}/{labeller}/seed={seed}.provenance.json",
    log:
        "<logs>/relabel/thresholds/{encoder}/{labeller}/seed={seed}.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("choose_threshold"),
    message:
        "Choosing the threshold of {wildcards.labeller} on validation (seed {wildcards.seed})"
    script:
        "../../scripts/relabel/choose_threshold.py"


rule train_relabelled:
    input:
        unpack(training_inputs),
    output:
        run="<results>/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}/run.json",
        predictions="<results>/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}/predictions.parquet",
        validation="<results>/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}/validation.parquet",
        training_set="<results>/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}/training_set.parquet",
        epochs="<results>/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}/epochs.jsonl",
        provenance="<results>/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}/provenance.json",
    log:
        "<logs>/relabel/runs/{encoder}/{labeller}/{setting}/seed={seed}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        training=relabel_training,
        encoder=relabel_encoder,
        code=relabelled_code,
    message:
        "Training with labels of {wildcards.labeller}: {wildcards.setting} ({wildcards.encoder}, seed {wildcards.seed})"
    script:
        "../../scripts/relabel/train_relabelled.py"


# Training labels of variants of the study's own tasks, see docs/corrected-labels.md.
rule correct_labels:
    input:
        tables=expand("<results>/relabel/data/{set}.parquet", set=LABEL_SETS),
        labels=expand("<results>/relabel/{{model}}/{set}/labels.parquet", set=LABEL_SETS),
    output:
        corrected="<results>/relabel/corrected/{model}/alpha={threshold}.csv",
        provenance="<results>/relabel/corrected/{model}/alpha={threshold}.provenance.json",
    log:
        "<logs>/relabel/corrected/{model}/alpha={threshold}.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("correct_labels"),
    message:
        "Correcting labels of all sets by {wildcards.model} above {wildcards.threshold}"
    script:
        "../../scripts/relabel/correct_labels.py"


include: "relabel_scores.smk"
include: "relabel_audit.smk"
include: "relabel_report.smk"
