"""The plan of the stage that trains with labels from language models, and what runs again after which change."""

from collections import Counter

import pytest
import yaml

from study_copy import ROOT, StudyCopy, in_parallel

SEEDS, MODELS = 5, 2
LOCAL = ("relabel", "--configfile", "config/local.yaml")
# With the local study's settings: five of the crowd (the baseline, three shares added, the Huber loss), and per model
# seven thresholds below the scale's width, three shares added, one with both, and six controls.
OF_CROWD, OF_MODEL, OF_CHOSEN = 5, 17, 7
REPORTS = {
    *"collect_relabelled compare_relabelled tabulate_relabelled plot_thresholds weigh_costs".split(),
    *"slice_writers judge_claims flag_failures report_relabelled".split(),
}


def raw_files():
    """Paths of the raw files of all label sets, and of the recorded labels that the workflow names."""
    sets = yaml.safe_load((ROOT / "config/label_sets/newsemp.yaml").read_text(encoding="utf-8"))["sets"]
    essays = [f"{about['folder']}/{name}" for about in sets.values() for name in about["sha256"]]
    train, dev = "NewsEmp2022/messages_train_ready_for_WS", "NewsEmp2022/messages_dev_features_ready_for_WS_2022"
    others = [f"NewsEmp2023/WASSA23_essay_level_{part}" for part in ("with_labels_train", "dev")]
    recorded = [f"llmpathy_labels/{name}_{model}.tsv" for name in (train, dev, *others) for model in ("gpt", "llama")]
    return essays + recorded


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A copy of the repository with stand-ins for the stage's raw files, and its dry run."""
    study = StudyCopy.of_repository(tmp_path_factory.mktemp("relabel") / "study")
    for path in raw_files():
        study.write(f"resources/raw/{path}", "")
    run = study.dry_run(*LOCAL)
    assert run.status == 0, run.text
    return study, run


def trained(run):
    """Number of training jobs by whose labels they use."""
    return Counter(job.names["labeller"] for job in run.jobs if job.rule == "train_relabelled")


def test_each_seed_trains_each_setting_once(plan):
    _, run = plan
    assert trained(run) == {"crowd": OF_CROWD * SEEDS, "gpt": OF_MODEL * SEEDS, "llama": OF_MODEL * SEEDS}
    assert run.rules["choose_threshold"] == MODELS * SEEDS
    assert run.rules["prepare_label_set"] == run.rules["tokenise_label_set"] == 4
    assert not run.trained  # nothing of the transfer study
    assert all("alpha=6" not in job.wildcards for job in run.jobs)


def test_what_runs_again(plan, tmp_path):
    study, run = plan
    study.finish(run.jobs, *LOCAL)

    def changed(name, change, moved_to="resources/raw"):
        copy = study.clone(tmp_path / name)
        (copy.folder / "resources/raw").rename(copy.folder / moved_to)
        copy.edit_yaml("config/local.yaml", lambda content: change(content["relabel"]))
        planned = copy.dry_run(*LOCAL, EMPATHY_RAW_DIR=moved_to)
        assert planned.status == 0, planned.text
        return planned

    runs = in_parallel(
        {
            "nothing": lambda: changed("nothing", lambda relabel: None),
            "threshold": lambda: changed("threshold", lambda relabel: relabel["correction"]["thresholds"].append(2.5)),
            "moved": lambda: changed("moved", lambda relabel: None, moved_to="elsewhere"),
            "huber": lambda: changed("huber", lambda relabel: relabel["training"].update(huber_delta=0.5)),
            "seed": lambda: changed("seed", lambda relabel: relabel.update(seeds=[0, 42, 100, 999, 1234, 7])),
        }
    )
    assert runs["nothing"].rules == runs["moved"].rules == {}
    # The new threshold's runs; and, since another threshold may be chosen, what depends on the choice.
    assert trained(runs["threshold"]) == dict.fromkeys(("gpt", "llama"), (1 + OF_CHOSEN) * SEEDS)
    assert runs["threshold"].rules["choose_threshold"] == MODELS * SEEDS
    assert trained(runs["huber"]) == {"crowd": SEEDS}
    assert trained(runs["seed"]) == {"crowd": OF_CROWD, "gpt": OF_MODEL, "llama": OF_MODEL}
    for name in ("threshold", "huber", "seed"):
        assert set(runs[name].rules) >= REPORTS, name


def test_a_missing_raw_file_is_named_with_a_word_on_how_to_get_it(tmp_path):
    copy = StudyCopy.of_repository(tmp_path / "study")
    for path in raw_files():
        if not path.startswith("wassa22"):
            copy.write(f"resources/raw/{path}", "")
    run = copy.dry_run(*LOCAL)
    assert run.status != 0
    assert "CodaLab" in run.text
    assert "wassa22/WASSA22_essay_level_dev.tsv is missing" in run.text


def test_the_other_targets_plan_without_the_stage(plan):
    study, _ = plan
    run = study.dry_run("data", "--configfile", "config/demo.yaml")
    assert run.status == 0, run.text
    assert not any(job.rule.endswith(("relabelled", "label_set")) for job in run.jobs)


def test_every_setting_of_the_stage_is_explained():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    keys = schema["properties"]["relabel"]["properties"]
    assert [key for key in keys if f"`relabel: {key}`" not in page] == []
