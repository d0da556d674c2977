"""Whether `empathy-transfer verify` finds all damage: flipped bits, truncated and emptied files.

    python benchmarks/damage.py results/demo [--number 1000] [--seed 1]

Works on a copy of a finished study, which must be sound. Files are drawn from all that are not empty, each as likely
as another; of each, a bit is flipped (8 times in 10), the end is cut off, or all of it. Prints a table, and exits with
1 if any damage is missed. 1,000 damages of the demo take ten seconds on a quiet machine.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from empathy_transfer.inspection.verify import verify_study
from empathy_transfer.records.files import DIGEST_SUFFIX
from empathy_transfer.records.provenance import is_provenance, load_provenance

KINDS = ("flipped", "truncated", "emptied")
WEIGHTS = (8, 1, 1)
FORMS = {
    ".safetensors": "adapters, heads and other tensors",
    ".parquet": "tables (Parquet)",
    ".csv": "tables (CSV)",
    ".json": "JSON",
    ".jsonl": "JSON",
    ".html": "pages",
    ".md": "pages",
    ".tex": "pages",
    ".png": "figures",
    ".svg": "figures",
}


@dataclass(frozen=True)
class Damage:
    """Damage to one file: flips bit `position`, or leaves the first `position` bytes."""

    path: Path
    kind: str
    position: int

    @property
    def form(self):
        """What kind of file it is."""
        if is_provenance(self.path):
            return "provenance"
        if self.path.name in ("summary.json", "provenance.csv") or self.path.suffix == DIGEST_SUFFIX:
            return "closing words and digests"
        return FORMS.get(self.path.suffix, "others")

    def apply(self):
        """Damage the file; returns what it held."""
        whole = self.path.read_bytes()
        damaged = bytearray(whole)
        if self.kind == "flipped":
            damaged[self.position // 8] ^= 1 << self.position % 8
        else:
            del damaged[self.position :]
        self.path.write_bytes(damaged)
        return whole


def draw(folder, number, seed):
    """Draw damages to the files below a folder that are not empty."""
    chance = random.Random(seed)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    drawn = []
    for _ in range(number):
        path, (kind,) = chance.choice(files), chance.choices(KINDS, WEIGHTS)
        size = path.stat().st_size
        position = {"flipped": chance.randrange(8 * size), "truncated": chance.randrange(size), "emptied": 0}[kind]
        drawn.append(Damage(path, kind, position))
    return drawn


def records(study):
    """{file: the provenance that lists it} of a sound study; a provenance stands for itself."""
    found = {}
    for path in filter(is_provenance, study.rglob("*.json")):
        found |= {path.parent / name: path for name in load_provenance(path)["outputs"]} | {path: path}
    return found


def rounds(damages, owners):
    """Sort damages into rounds with one for each job, so that none can hide behind another one."""
    left = list(damages)
    while left:
        taken = {}
        for damage in left:
            taken.setdefault(owners.get(damage.path, damage.path), damage)
        yield list(taken.values())
        left = [damage for damage in left if taken[owners.get(damage.path, damage.path)] is not damage]


def missed(study, damages):
    """The damages of a study that `verify` does not name; each file is as it was afterwards.

    Args:
        study: the study's folder. damages: to its files.
    """
    sound = verify_study(study)
    if sound.problems or sound.unchecked:
        raise SystemExit(f"{study} is not sound before any damage:\n{sound.text()}")
    found_not = []
    for together in rounds(damages, records(study)):
        times = {damage.path: damage.path.stat() for damage in together}
        whole = [(damage.path, damage.apply()) for damage in together]
        named = {name for name, _ in verify_study(study).problems}
        # What the digest of a file says of it, and the file itself, can't be told apart.
        shown = [
            f"results/{study.name}/{damage.path.relative_to(study).as_posix().removesuffix(DIGEST_SUFFIX)}"
            for damage in together
        ]
        found_not += [damage for damage, name in zip(together, shown, strict=True) if name not in named]
        for path, content in whole:
            path.write_bytes(content)
            keep_times(path, times[path])
    return found_not


def keep_times(path, status):
    """Give a file its times back: they tell which results are newer than others."""
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def main():
    """Damage a copy of a study and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("study", type=Path, help="folder of a finished study, such as results/demo")
    parser.add_argument("--number", type=int, default=1000, help="how many damages to draw (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (%(default)s)")
    choice = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder, "results", choice.study.name)
        shutil.copytree(choice.study, study)
        damages = draw(study, choice.number, choice.seed)
        lost = missed(study, damages)
    drawn = Counter((damage.form, damage.kind) for damage in damages)
    not_found = Counter((damage.form, damage.kind) for damage in lost)
    print(f"{choice.study}, seed {choice.seed}, {time.monotonic() - started:.0f} s: drawn (of them missed)")
    print(f"| files | {' | '.join(KINDS)} | missed |\n| --- | {'---: | ' * len(KINDS)}---: |")
    for form in [*sorted({form for form, _ in drawn}), None]:
        cells = [sum(drawn[key] for key in drawn if form in (None, key[0]) and key[1] == kind) for kind in KINDS]
        none = sum(not_found[key] for key in not_found if form in (None, key[0]))
        print(f"| {form or 'all'} | {' | '.join(map(str, cells))} | {none} |")
    for damage in lost:
        print(f"missed: {damage}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
