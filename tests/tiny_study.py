"""A study of a few generated tasks and a tiny random encoder, which runs in seconds."""

from tiny_encoders import write_vocabulary_encoder

WORDS = ["the", "a", "of", "and", "to", "in", "is", "i", "you", "we", "it"]
CONFIG = """
study: {study}
tasks: [{tasks}]
demo: {{seed: 1, rows: 160}}
encoder: {{name: encoder, max_length: 16}}
data: [full]
seeds: [1]
training:
  override: {{epochs: 1, batch_size: 16, learning_rate: 1.0e-3, max_train: 32, max_validation: 16, max_test: 16}}
"""
CONFIGS = ("--configfile", "config/demo.yaml", "config/tiny.yaml")


def write_tiny_study(copy, study="tiny", tasks=("letters_hope", "notes_care"), more=""):
    """Write the config (config/tiny.yaml) and the encoder of the study into a copy of the repository.

    Args:
        copy: the `StudyCopy`. study: name of the study. tasks: generated tasks. more: more lines of the config.
    """
    copy.write("config/tiny.yaml", CONFIG.format(study=study, tasks=", ".join(tasks)) + more)
    write_vocabulary_encoder(copy.folder / "encoder", WORDS)
