"""
Stage: language models that are fine-tuned on rated pairs of stories.

NEEDS    <results>/pairs/{fold}/{task}/{train,validation,test}.parquet; explanations, where a variant is to write them
MAKES    <results>/similarity/runs/fine_tuned/{model}/{form}/{label}/{fold}/seed={seed}/{adapter.safetensors,run.json}
"""


wildcard_constraints:
    tuned="|".join(FINE_TUNED_MODELS or ["none"]),


rule fine_tune:
    input:
        unpack(tuned_pairs),
    output:
        run="<results>/similarity/runs/fine_tuned/{tuned}/{form}/{story_label}/{fold}/seed={seed}/run.json",
        predictions="<results>/similarity/runs/fine_tuned/{tuned}/{form}/{story_label}/{fold}/seed={seed}/predictions.parquet",
        validation="<results>/similarity/runs/fine_tuned/{tuned}/{form}/{story_label}/{fold}/seed={seed}/validation.parquet",
        adapter="<results>/similarity/runs/fine_tuned/{tuned}/{form}/{story_label}/{fold}/seed={seed}/adapter.safetensors",
        provenance="<results>/similarity/runs/fine_tuned/{tuned}/{form}/{story_label}/{fold}/seed={seed}/provenance.json",
    log:
        "<logs>/similarity/runs/fine_tuned/{tuned}/{form}/{story_label}/{fold}/seed={seed}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        settings=tuning_settings,
        code=code_fingerprint("fine_tune", metrics="pearson_r"),
    message:
        "Fine-tuning {wildcards.tuned} on {wildcards.story_label} ({wildcards.form} stories, {wildcards.fold}, seed {wildcards.seed})"
    script:
        "../../scripts/similarity/fine_tune.py"
