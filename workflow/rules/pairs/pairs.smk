"""
Stage: pairs of texts with one label, split for raters, and what they look like.

NEEDS    raw files in raw_dir, or their download
MAKES    <results>/pairs/{scheme}/{pairs}/{train,validation,test}.parquet
         <results>/pairs/{scheme}/{pairs}/task.json
         <results>/rater/data/{sums,splits,items,leaks}.csv
         <results>/figures/pair_texts.{png,svg,csv}
"""


rule prepare_pairs:
    input:
        files=pair_files,
        digests=pair_digests,
    output:
        train="<results>/pairs/{scheme}/{pairs}/train.parquet",
        validation="<results>/pairs/{scheme}/{pairs}/validation.parquet",
        test="<results>/pairs/{scheme}/{pairs}/test.parquet",
        task_json="<results>/pairs/{scheme}/{pairs}/task.json",
        provenance="<results>/pairs/{scheme}/{pairs}/provenance.json",
    log:
        "<logs>/pairs/{scheme}/{pairs}.log",
    conda:
        "../../../environment.yml"
    params:
        dataset=pair_dataset,
        form=pair_form,
        task=pair_definition,
        splits=pair_splits,
        code=pair_code,
    message:
        "Preparing the pairs {wildcards.pairs} ({wildcards.scheme})"
    script:
        "../../scripts/pairs/prepare_pairs.py"


rule count_sums:
    input:
        tables=expand("<results>/pairs/grouped/epitome_share/{split}.parquet", split=SPLITS),
    output:
        sums="<results>/rater/data/sums.csv",
        provenance="<results>/rater/data/sums.provenance.json",
    log:
        "<logs>/rater/data/sums.log",
    conda:
        "../../../environment.yml"
    params:
        highest=6,
        code=code_fingerprint("count_sums"),
    message:
        "Counting the sums of the three levels of Epitome"
    script:
        "../../scripts/pairs/count_sums.py"


rule count_pairs:
    input:
        tables=[path for split in SPLITS for path in pair_tables(f"{split}.parquet")],
        task_files=pair_tables("task.json"),
    output:
        labels="<results>/rater/data/splits.csv",
        counts="<results>/rater/data/items.csv",
        provenance="<results>/rater/data/splits.provenance.json",
    log:
        "<logs>/rater/data/splits.log",
    conda:
        "../../../environment.yml"
    params:
        code=code_fingerprint("count_pairs"),
    message:
        "Counting pairs and labels of all splits"
    script:
        "../../scripts/pairs/count_pairs.py"


rule audit_pairs:
    input:
        tables=[path for split in SPLITS for path in pair_tables(f"{split}.parquet", pairs_of_different_texts())],
    output:
        leaks="<results>/rater/data/leaks.csv",
        provenance="<results>/rater/data/leaks.provenance.json",
    log:
        "<logs>/rater/data/leaks.log",
    conda:
        "../../../environment.yml"
    params:
        settings={key: config["leakage"][key] for key in ("chance", "containment", "jaccard")},
        code=code_fingerprint("audit_pairs"),
    message:
        "Looking for held-out pairs in the training data of raters"
    script:
        "../../scripts/pairs/audit_pairs.py"


rule plot_pair_texts:
    input:
        tables=whole_pairs(PAIR_TASKS),
    output:
        png=report(
            "<results>/figures/pair_texts.png",
            caption="../../report/pair_texts.rst",
            category="Data",
            labels={"shown": "pairs of texts"},
        ),
        svg="<results>/figures/pair_texts.svg",
        csv="<results>/figures/pair_texts.csv",
        provenance="<results>/figures/pair_texts.provenance.json",
    log:
        "<logs>/figures/pair_texts.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=shown_pairs(),
        code=code_fingerprint("plot_pair_texts"),
    message:
        "Drawing words and labels of pairs"
    script:
        "../../scripts/pairs/plot_pair_texts.py"


rule pairs:
    input:
        pair_results(),
        pair_tables("task.json"),
