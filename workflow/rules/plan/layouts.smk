"""
The layouts of raw files: which of a dataset's can be had, where its files lie, and which are downloaded.

Raw files are known by what they hold. Snakemake remembers each under a name that is the same whichever folder it lies in
(`raw_file`), and its digest is a param of the job that checks it (`digest_now`). So a folder can be moved or copied, and
nothing runs again; another content is seen also behind an old time.
"""

import functools
import hashlib
import os
from pathlib import Path

from snakemake.io import flag

RAW_DIR = Path(os.environ.get("EMPATHY_RAW_DIR") or config["raw_dir"])
DOWNLOADS = Path("resources/downloads")
# Settings of a layout that most have not.
READING = ("max_lost", "quote")
# Digests of raw files without a known one, as each study has first seen them.
RECORDED_DIGESTS = f"resources/recorded_digests/{config['study']}"


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
    return raw_file(form["folder"], name) if given.is_file() else known_as(DOWNLOADS, form["folder"], name)


def raw_file(folder, name):
    """Return a file of the raw folder as an input of a rule; its time does not count."""
    return ancient(known_as(RAW_DIR, folder, name))


def known_as(place, folder, name):
    """Return a raw file as an input that Snakemake remembers by its name alone, wherever it lies."""
    # The flag of Snakemake for a file that is read from another place than the one that it is known by.
    return flag(local(str(place / folder / name)), "sourcecache_entry", f"resources/raw/{folder}/{name}")


@functools.cache
def digest_now(path):
    """Return the SHA-256 of a file of the raw folder; None if there is none, or not yet."""
    if not Path(path).is_file():
        return None
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
            "terms": (DATASETS | PAIR_DATASETS)[dataset]["terms"],
            "url": file["url"],
        }
        for dataset, form in FORMS.items()
        for name, file in form["files"].items()
        if file_path(form, name) == str(DOWNLOADS / form["folder"] / name)
    }
