"""
Stage: the sets of texts that language models label.

NEEDS    raw files in raw_dir, as config/label_sets/*.yaml describes them
MAKES    <results>/relabel/data/{set}.parquet
"""


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
