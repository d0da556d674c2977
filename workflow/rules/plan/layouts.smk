"""
The layouts of raw files: which of a dataset's can be had, where its files lie, and which are downloaded.
"""

import os
from pathlib import Path

RAW_DIR = Path(os.environ.get("EMPATHY_RAW_DIR") or config["raw_dir"])
DOWNLOADS = Path("resources/downloads")
# Settings of a layout that most have not.
READING = ("max_lost", "quote")


def forms(dataset):
    """Return the layouts of a dataset in the order of preference; an alternative has the main one's unset fields."""
    main = {key: dataset.get(key) for key in ("folder", "files", "reader", "columns", "context")}
    main |= {key: dataset[key] for key in READING if key in dataset}
    alone = {"columns": None, "label_sources_known": False}
    alternatives = [main | alone | alternative for alternative in dataset.get("alternatives", [])]
    first = {"form": "main", "note": None, "label_sources_known": dataset.get("label_sources_known", False)}
    return [dict(sorted(form.items())) for form in (first | main, *alternatives)]


def file_path(form, name):
    """Return where a raw file lies, or will lie once it is generated or downloaded."""
    if form["files"][name].get("generated"):
        return f"results/{config['study']}/raw/{form['folder']}/{name}"
    given = RAW_DIR / form["folder"] / name
    return local(str(given if given.is_file() else DOWNLOADS / form["folder"] / name))


def form_files(form):
    """Return where the raw files of a layout lie, in the order of the dataset's file."""
    return [file_path(form, name) for name in form["files"]]


def missing_files(form, accepted):
    """Return the raw files that are neither there nor to be made by a job of this run."""
    return [
        name
        for name, file in form["files"].items()
        if not file.get("generated") and not Path(file_path(form, name)).is_file() and not ("url" in file and accepted)
    ]


def choose_form(name, dataset):
    """Return (the first layout whose files can all be had, None), or (None, the reason in one line)."""
    accepted = name in config["accept_terms"]
    for form in forms(dataset):
        if not missing_files(form, accepted):
            return form, None
    form = forms(dataset)[0]
    missing = missing_files(form, accepted)
    ways = dict.fromkeys(
        (
            f"add '{name}' to accept_terms to download it"
            if "url" in form["files"][file]
            else form["files"][file]["obtain"]
        )
        for file in missing
    )
    shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    how = "; or ".join(way.strip().rstrip(".") for way in ways)
    terms = " ".join(dataset["terms"].split())
    return None, f"{shown} not found in {RAW_DIR / form['folder']}. To get it: {how}. Terms: {terms}"


def downloads():
    """Return {(folder, file): its dataset, address, digest and terms} of the files that this run downloads."""
    return {
        (form["folder"], name): {
            "dataset": dataset,
            "sha256": file.get("sha256"),
            "terms": DATASETS[dataset]["terms"],
            "url": file["url"],
        }
        for dataset, form in FORMS.items()
        for name, file in form["files"].items()
        if file_path(form, name) == str(DOWNLOADS / form["folder"] / name)
    }
