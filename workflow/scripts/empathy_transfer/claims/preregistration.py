"""Claims, bounds and settings as they were before any result: written into one file, and compared with a study's.

The file is JSON. `claims`, `bounds`, `settings` and `files` are each mappings from names to plain values, `digests` the
SHA-256 of each of them, and `digest` that of all. A setting's name is its place in the config, such as
`analysis.alpha`, or `tasks.<task>.<key>` for what a dataset's file says of a task.
"""

import hashlib
import json

from empathy_transfer.errors import DataError
from empathy_transfer.records.artefacts import read_bytes

FORMAT = 1
PARTS = ("claims", "bounds", "settings", "files")
# Of the config, what can change a result. The rest says where files lie, or is of the stages of labels.
KEPT = ("analysis", "controls", "data", "demo", "encoder", "leakage", "seeds", "splits", "training", "variants")
# Of a task, what only reports show.
UNUSED = ("title", "raters", "theme_deviates")
# What a claim is judged by; its words may be mended.
JUDGED = ("rule", "arguments")


def registered_parts(claim_set, settings, ratings_digest):
    """What a registration holds of a study, {part: {name: plain value}}.

    Args:
        claim_set: see `engine.read_claims`.
        settings: `config` of the study (of which `KEPT` counts), and `tasks` {task: its entry in its dataset's file}.
        ratings_digest: SHA-256 of the file of construct ratings.
    """
    claims = {claim["id"]: {key: claim[key] for key in JUDGED} for claim in claim_set.claims}
    config = {key: value for key, value in settings["config"].items() if key in KEPT}
    tasks = {
        task: {key: value for key, value in entry.items() if key not in UNUSED}
        for task, entry in settings["tasks"].items()
    }
    found = {"claims": claims, "bounds": claim_set.bounds, "settings": flat(config | {"tasks": tasks})}
    # As a file gives it back: mappings with texts as keys, no tuples.
    return json.loads(json.dumps(found | {"files": {"ratings": ratings_digest}}))


def flat(settings, prefix=""):
    """Nested settings by dotted names; a list is one value. An empty mapping is a value, too."""
    found = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return found


def registration(parts, study, date, version):
    """The content of a registration of these parts: a dict, with digests."""
    content = {"format": FORMAT, "study": study, "date": date, "version": version} | parts
    content["digests"] = {name: digest_of(parts[name]) for name in PARTS}
    return content | {"digest": digest_of(content)}


def as_text(content):
    """A registration as the text of a file, one setting a line, so that versions can be compared."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def digest_of(value):
    """SHA-256 of a plain value, whatever the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_registration(path):
    """Read a registration.

    Raises:
        DataError: it is none, or it was changed after it was written.
    """
    text = read_bytes(path, verify=False)
    try:
        content = json.loads(text.decode("utf-8"))
        parts = [content[name] for name in PARTS]
        whole = {key: value for key, value in content.items() if key != "digest"}
        known = content["format"] == FORMAT and all(isinstance(part, dict) for part in parts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: this is no preregistration. Write one with `empathy-transfer preregister`."
        ) from error
    if not known:
        raise DataError(f"{path}: a preregistration of another format than {FORMAT}, which this version writes.")
    changed = [name for name in PARTS if digest_of(content[name]) != content["digests"].get(name)]
    if changed or digest_of(whole) != content.get("digest"):
        raise DataError(
            f"{path}: it was changed after it was written ({', '.join(changed) or 'its heading'}; by its digests). "
            "Take the file as it was registered."
        )
    return content


def deviations(registered, now):
    """Where a study departs from its registration: a list of (part, name, registered value, value now).

    Both are {part: {name: value}}. A value is None where the other side alone has the name.
    """
    found = []
    for part in PARTS:
        before, after = registered[part], now[part]
        names = [*before, *(name for name in after if name not in before)]
        found += [
            (part, name, before.get(name), after.get(name))
            for name in names
            if (name in before) != (name in after) or before[name] != after[name]
        ]
    return found
