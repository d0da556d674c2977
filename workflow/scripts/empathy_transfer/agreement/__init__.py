"""How far raters of the same items agree: of people, of language models, and of seeds of a training."""
