"""
Stage: how far language models and the crowd agree, which labels look wrong, and for which writers.

NEEDS    <results>/relabel/data/{set}.parquet, <results>/relabel/{model}/{set}/labels.parquet, <results>/relabel/scores.csv
MAKES    <results>/relabel/{agreement,disagreements,audit,audit_summary,demographics}.csv
         <results>/figures/relabel_writers.{png,svg,csv}
"""


rule measure_label_agreement:
    input:
        tables=expand("<results>/relabel/data/{set}.parquet", set=LABEL_SETS),
        labels=expand("<results>/relabel/{model}/{set}/labels.parquet", model=LABEL_MODELS, set=LABEL_SETS),
    output:
        agreement="<results>/relabel/agreement.csv",
        disagreements="<results>/relabel/disagreements.csv",
        provenance="<results>/relabel/agreement.provenance.json",
    log:
        "<logs>/relabel/agreement.log",
    conda:
        "../../../environment.yml"
    params:
        settings={key: config["analysis"][key] for key in ("alpha", "resamples")},
        listed=RELABEL["reports"]["listed"],
        code=code_fingerprint("measure_label_agreement"),
    message:
        "Measuring how far language models and the crowd agree"
    script:
        "../../scripts/relabel/measure_label_agreement.py"


rule audit_labels:
    input:
        table=f"<results>/relabel/data/{ROLES['train']}.parquet",
        labels=expand(f"<results>/relabel/{{model}}/{ROLES['train']}/labels.parquet", model=LABEL_MODELS),
        embeddings=f"<results>/relabel/tokens/{next(iter(RELABEL_ENCODERS))}/{ROLES['train']}/embeddings.safetensors",
    output:
        audit="<results>/relabel/audit.csv",
        summary="<results>/relabel/audit_summary.csv",
        provenance="<results>/relabel/audit.provenance.json",
    log:
        "<logs>/relabel/audit.log",
    conda:
        "../../../environment.yml"
    params:
        seed=RELABEL["seeds"][0],
        code=code_fingerprint("audit_labels"),
    message:
        "Looking for crowd labels that look wrong"
    script:
        "../../scripts/relabel/audit_labels.py"


rule slice_writers:
    input:
        scores="<results>/relabel/scores.csv",
        predictions=relabel_runs("predictions.parquet"),
        test=f"<results>/relabel/data/{ROLES['test']}.parquet",
        tables=expand("<results>/relabel/data/{set}.parquet", set=LABEL_SETS),
        labels=expand(f"<results>/relabel/{{model}}/{ROLES['test']}/labels.parquet", model=LABEL_MODELS),
    output:
        slices="<results>/relabel/demographics.csv",
        provenance="<results>/relabel/demographics.provenance.json",
    log:
        "<logs>/relabel/demographics.log",
    conda:
        "../../../environment.yml"
    params:
        codes=TEXTS.get("codes", {}),
        least=RELABEL["reports"]["least_group"],
        settings={key: config["analysis"][key] for key in ("alpha", "resamples")},
        code=code_fingerprint("slice_writers"),
    message:
        "Scoring labels and models by group of writers"
    script:
        "../../scripts/relabel/slice_writers.py"


rule plot_writers:
    input:
        tables=expand("<results>/relabel/data/{set}.parquet", set=LABEL_SETS),
    output:
        png=report(
            "<results>/figures/relabel_writers.png",
            caption="../../report/relabel_writers.rst",
            category="Labels from language models",
        ),
        svg="<results>/figures/relabel_writers.svg",
        csv="<results>/figures/relabel_writers.csv",
        provenance="<results>/figures/relabel_writers.provenance.json",
    log:
        "<logs>/figures/relabel_writers.log",
    conda:
        "../../../environment.yml"
    params:
        test_set=ROLES["test"],
        codes=TEXTS.get("codes", {}),
        code=code_fingerprint("plot_writers"),
    message:
        "Drawing who wrote the texts"
    script:
        "../../scripts/relabel/plot_writers.py"
