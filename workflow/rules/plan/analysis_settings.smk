"""
Analysis settings: what tests, tables and figures need to know of the study.
"""


def reported(tasks):
    """What tables and figures need to know of each of these tasks."""
    keys = ["dataset", "title", "kind", "metric", "theme", "labels", "range"]
    known = {
        name: task | {"dataset": dataset}
        for dataset, content in DATASETS.items()
        for name, task in content["tasks"].items()
    }
    return {name: {key: known[name][key] for key in keys if key in known[name]} for name in tasks}


def registered_settings():
    """What the study's preregistration, if it names one, is compared with: its settings, tasks and ratings."""
    if not config["preregistration"]:
        return {}
    tasks = {task: DATASETS[about["dataset"]]["tasks"][task] for task, about in TASKS.items()}
    return {"config": dict(sorted(config.items())), "tasks": tasks, "ratings": digest_now(config["ratings"])}


def significance_settings():
    """What the tests of significance use of the config's block `analysis`."""
    return {key: config["analysis"][key] for key in ("absent_classes", "alpha", "margins", "resamples")}


def test_settings():
    """What tests of differences use of the config's block `analysis`."""
    return {key: config["analysis"][key] for key in ("absent_classes", "alpha", "resamples")}


def interval_settings():
    """What intervals use of the config's block `analysis`."""
    return {key: config["analysis"][key] for key in ("alpha", "resamples")}


def described(tasks):
    """What features of pairs need to know of each of these tasks."""
    about = {}
    for task in tasks:
        dataset = DATASETS[TASKS[task]["dataset"]]
        about[task] = {key: dataset[key] for key in ("data_source", "language_setting")}
        about[task] |= {key: TASKS[task][key] for key in ("dataset", "kind", "labels") if key in TASKS[task]}
    return about


def published_tasks(wildcards):
    """Of the published study's tasks, in its order, what the paper says in words: where their texts come from."""
    about = {}
    for name, dataset in load_datasets("config/datasets").items():
        words = {key: dataset[key] for key in ("data_source", "language_setting")}
        about |= {task: {"dataset": name} | words for task in dataset["tasks"]}
    return {task: about[task] for task in published_order()}


def importance_settings():
    """Settings of the importance analysis in a fixed order, without those of its neighbours."""
    settings = config["analysis"]["importance"]
    others = ("regression_labels", "null_draws")
    plain = {key: value for key, value in sorted(settings.items()) if key not in others}
    return plain | {"grid": dict(sorted(settings["grid"].items()))}
