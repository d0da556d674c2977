"""
Stage: how similar tasks are, by the embeddings of their texts and by the Fisher information of their baselines.

NEEDS    <results>/data/{task}/{train,validation,test}.parquet, <results>/tokens/{task}/tokens.safetensors
         <results>/baseline/full/seed={seed}/{task}/{adapter,head}.safetensors
MAKES    <results>/features/dataset_embeddings/{task}.safetensors
         <results>/features/task_embeddings/seed={seed}/{task}.safetensors
         <results>/features/{dataset_similarity,task_similarity,task_components}.csv
         <results>/figures/similarity_{dataset,task}.{png,svg,csv}
"""


rule embed_dataset:
    input:
        train=training_table,
        validation="<results>/data/{task}/validation.parquet",
        test="<results>/data/{task}/test.parquet",
        after=ancient("<results>/data/{task}/released"),
    output:
        embedding="<results>/features/dataset_embeddings/{task}.safetensors",
        provenance="<results>/features/dataset_embeddings/{task}.provenance.json",
    log:
        "<logs>/features/dataset_embeddings/{task}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        model=config["analysis"]["features"]["embedding"],
        max_texts=config["analysis"]["features"]["max_texts"],
        seed=config["analysis"]["features"]["seed"],
        code=code_fingerprint("embed_dataset"),
    message:
        "Embedding the texts of {wildcards.task}"
    script:
        "../../scripts/analyse/embed_dataset.py"


rule compare_datasets:
    input:
        embeddings=expand("<results>/features/dataset_embeddings/{task}.safetensors", task=TASKS),
    output:
        similarity="<results>/features/dataset_similarity.csv",
        provenance="<results>/features/dataset_similarity.provenance.json",
    log:
        "<logs>/features/dataset_similarity.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=list(TASKS),
        code=code_fingerprint("compare_datasets"),
    message:
        "Comparing the texts of all tasks"
    script:
        "../../scripts/analyse/compare_datasets.py"


rule embed_task:
    input:
        tokens="<results>/tokens/{task}/tokens.safetensors",
        task_json="<results>/data/{task}/task.json",
        adapter="<results>/baseline/full/seed={seed}/{task}/adapter.safetensors",
        head="<results>/baseline/full/seed={seed}/{task}/head.safetensors",
    output:
        embedding="<results>/features/task_embeddings/seed={seed}/{task}.safetensors",
        provenance="<results>/features/task_embeddings/seed={seed}/{task}.provenance.json",
    log:
        "<logs>/features/task_embeddings/seed={seed}/{task}.log",
    conda:
        "../../../environment.yml"
    resources:
        gpu=1,
    params:
        training=target_training,
        encoder=config["encoder"],
        examples=config["analysis"]["features"]["fisher_examples"],
        code=embedding_code,
    message:
        "Embedding what was learnt of {wildcards.task} (seed {wildcards.seed})"
    script:
        "../../scripts/analyse/embed_task.py"


rule compare_tasks:
    input:
        embeddings=expand(
            "<results>/features/task_embeddings/seed={seed}/{task}.safetensors",
            seed=SEEDS,
            task=TASKS,
        ),
    output:
        similarity="<results>/features/task_similarity.csv",
        components="<results>/features/task_components.csv",
        provenance="<results>/features/task_similarity.provenance.json",
    log:
        "<logs>/features/task_similarity.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=list(TASKS),
        code=code_fingerprint("compare_tasks"),
    message:
        "Comparing what was learnt of all tasks"
    script:
        "../../scripts/analyse/compare_tasks.py"


rule plot_similarity:
    input:
        similarity="<results>/features/{similarity}_similarity.csv",
        ratings=local(config["ratings"]),
    output:
        png=report(
            "<results>/figures/similarity_{similarity}.png",
            caption="../../report/similarity.rst",
            category="Similarity",
            labels={"of": "{similarity}"},
        ),
        svg="<results>/figures/similarity_{similarity}.svg",
        csv="<results>/figures/similarity_{similarity}.csv",
        provenance="<results>/figures/similarity_{similarity}.provenance.json",
    log:
        "<logs>/figures/similarity_{similarity}.log",
    conda:
        "../../../environment.yml"
    params:
        tasks=reported(TASKS),
        code=code_fingerprint("plot_similarity"),
    message:
        "Drawing how similar tasks are ({wildcards.similarity} embeddings)"
    script:
        "../../scripts/analyse/plot_similarity.py"
