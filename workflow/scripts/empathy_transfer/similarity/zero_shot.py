"""Ask a language model how similar two stories are, through the providers, store and reader of the labels.

Both stories are one text to them: each between fences of its own, in the fence of the prompt.
"""

import pandas as pd

from empathy_transfer.labelling.asking import ask_model
from empathy_transfer.labelling.prompts import fence
from empathy_transfer.labelling.questions import SettingsError
from empathy_transfer.labelling.server import is_local
from empathy_transfer.records.artefacts import write_table
from empathy_transfer.similarity.story_pairs import read_pairs


def list_pairs(tables, pairs_path):
    """Write the pairs of some tables as a set of texts that can be asked about: id, and both stories as one text."""
    pairs = pd.concat([read_pairs(path) for path in tables], ignore_index=True)
    pairs = pairs.drop_duplicates("id").sort_values("id")
    texts = [in_one_text(first, second) for first, second in zip(pairs["first"], pairs["second"], strict=True)]
    write_table(pairs_path, pd.DataFrame({"id": pairs["id"].to_numpy(), "text": texts}))
    print(f"{len(pairs):,} pairs")


def in_one_text(first, second):
    """Both stories as one text; whatever they hold, each ends where its fence of back-ticks ends."""
    around = fence(f"{first}\n{second}")
    return f"First story:\n{around}\n{first}\n{around}\n\nSecond story:\n{around}\n{second}\n{around}"


def ask_about_pairs(settings, remote_allowed, **question):
    """Ask a model about pairs, as `labelling.asking.ask_model` does with the same arguments.

    Raises:
        SettingsError: the model is on another machine, and stories are not allowed to leave this one.
    """
    if settings["provider"] == "openai" and not (remote_allowed or is_local(settings["base_url"])):
        raise SettingsError(
            "the stories must not leave this machine, and base_url is another one. If their owner's terms and you "
            "allow it, set similarity: zero_shot: remote_llm: true in the config"
        )
    ask_model(settings=settings, remote_allowed=remote_allowed, **question)
