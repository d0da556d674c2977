"""Which pairs are packed, by dry runs; nothing is trained here."""

import json

import pytest

from study_copy import in_parallel

SMALL = ["condolence", "epitome_er", "news_empathy", "news_emotion"]
ADDED = "news_distress"
RUN = "results/full/transfer/full/seed=1"
PAIRS, CONDITIONS = len(SMALL) * (len(SMALL) - 1), 2


@pytest.fixture(scope="module")
def runs(full_study, full_plan, tmp_path_factory):
    """Dry runs of a study of four tasks: new and finished, without packs and with them."""
    folder = tmp_path_factory.mktemp("packs")
    new = full_study.clone(folder / "new")
    new.configure(seeds=[1], tasks=SMALL, controls=[], pack=2)
    finished = full_study.clone(folder / "finished")
    finished.configure(seeds=[1], tasks=SMALL, controls=[])
    finished.finish([job for job in full_plan.jobs if job.within(SMALL, seed="1")])
    file = f"{RUN}/condolence--epitome_er/metrics.json"

    def after(name, *arguments, **config):
        study = finished.clone(folder / name)
        for path in (study.folder / "results/full/transfer").glob("*/*/*/provenance.json"):
            path.write_text(json.dumps(records[path.parent.name.split("--")[1]]))
        study.configure(**config)
        return study.dry_run(*arguments)

    records = recorded(finished)
    return in_parallel(
        {
            "new": new.dry_run,
            "a file": lambda: new.clone(folder / "file").dry_run(file),
            "from 1 to 4": lambda: after("from_1_to_4", pack=4),
            "a task more": lambda: after("more", pack=3, tasks=[*SMALL, ADDED]),
            "longer": lambda: after("longer", pack=3, training=longer(finished)),
        }
    )


def recorded(study):
    """What the provenance of a pair says of its settings and code, by target: as a plan hands them to its jobs."""
    probe = study.folder / "probe.smk"
    text = (study.folder / "Snakefile").read_text(encoding="utf-8")
    probe.write_text(
        text.replace('config["pack"] > 1', "True")
        + "\n\nwith open('records.json', 'w') as file:\n"
        + "    import json\n"
        + "    json.dump({task: {'code': code_fingerprint('train_transfer'), 'settings': {'training': "
        + "training_settings(task), 'encoder': config['encoder']}} for task in KNOWN}, file)\n",
        encoding="utf-8",
    )
    run = study.run("--snakefile", "probe.smk", "--list-rules")
    assert run.status == 0, run.text
    return json.loads((study.folder / "records.json").read_text(encoding="utf-8"))


def longer(study):
    """Training settings with another number of epochs for all tasks."""
    settings = {}
    study.clone(study.folder.with_name("settings")).edit_yaml("config/config.yaml", settings.update)
    return settings["training"] | {"override": {"epochs": 3}}


def of(run, rule):
    """The jobs of a rule in a run that worked."""
    assert run.status == 0, run.text
    return [job.names for job in run.jobs if job.rule == rule]


def test_every_pair_is_a_job_and_every_target_has_its_parts(runs):
    run = runs["new"]
    assert len(of(run, "unpack_transfer")) == PAIRS * CONDITIONS
    assert of(run, "train_transfer") == []
    # Three sources in parts of two.
    assert len(of(run, "train_pack")) == 2 * len(SMALL) * CONDITIONS
    assert {(job["target"], job["part"]) for job in of(run, "train_pack")} == {(t, p) for t in SMALL for p in "01"}


def test_a_file_by_name_brings_no_other_pair(runs):
    run = runs["a file"]
    assert (of(run, "train_pack"), of(run, "unpack_transfer")) == ([], [])
    assert [(job["source"], job["target"]) for job in of(run, "train_transfer")] == [("condolence", "epitome_er")]
    assert len(of(run, "train_baseline")) == 1


def test_nothing_runs_again_when_a_finished_study_packs(runs):
    assert runs["from 1 to 4"].status == 0, runs["from 1 to 4"].text
    assert runs["from 1 to 4"].jobs == ()


def test_a_new_task_brings_its_own_pairs_alone(runs):
    run = runs["a task more"]
    assert of(run, "train_transfer") == []
    unpacked = of(run, "unpack_transfer")
    assert len(unpacked) == 2 * len(SMALL) * CONDITIONS
    assert all(ADDED in (job["source"], job["target"]) for job in unpacked)
    # Its four sources in parts of three, and for each other target the part that it falls into.
    assert len(of(run, "train_pack")) == (2 + len(SMALL)) * CONDITIONS


def test_pairs_with_other_settings_are_packed(runs):
    run = runs["longer"]
    assert of(run, "train_transfer") == []
    assert len(of(run, "unpack_transfer")) == PAIRS * CONDITIONS
    assert len(of(run, "train_pack")) == len(SMALL) * CONDITIONS
