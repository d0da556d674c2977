"""A single bottleneck adapter after the feed-forward block of each layer (Pfeiffer et al. 2021; study, section 3).

In a layer with attention block output x, feed-forward output h and second layer norm N, the sum s = h + x goes through
the adapters of the stack, source first, s <- s + A(N(s)), with A(z) = up(relu(down(z))); the layer's output is N(s).
"""

from empathy_transfer.models.linear import linear

TRAINS_ENCODER = False
DOWN, UP = "adapter_down.0", "adapter_up"


def library_config(settings):
    """The configuration in the `adapters` library."""
    from adapters import SeqBnConfig

    return SeqBnConfig(reduction_factor=settings["reduction_factor"])


def shapes(config, settings):
    """Names and shapes of the adapter's tensors.

    Args:
        config: the encoder's configuration. settings: `reduction_factor`, hidden size by width of the bottleneck.
    """
    hidden = config["hidden_size"]
    width = hidden // settings["reduction_factor"]
    found = {}
    for layer in range(config["num_hidden_layers"]):
        for part, size in {DOWN: (width, hidden), UP: (hidden, width)}.items():
            found[f"{_prefix(config, layer)}.{part}.weight"] = size
            found[f"{_prefix(config, layer)}.{part}.bias"] = size[:1]
    return found


def after_feed_forward(config, layer, adapter, sums, added, add_norm):
    """What the adapter makes of a layer's sums: returns the sums (rows x hidden size), and what it adds to them.

    Args:
        config: the encoder's configuration. layer: number of the layer. adapter: the adapter's tensors by name.
        sums: the stream before what was last added. added: what was last added, or None.
        add_norm: gives (sum of both, the sum normalised by the layer's second norm).
    """
    prefix = _prefix(config, layer)
    sums, normal = add_norm(sums, added)
    narrow = linear(normal, adapter[f"{prefix}.{DOWN}.weight"], adapter[f"{prefix}.{DOWN}.bias"]).relu()
    return sums, linear(narrow, adapter[f"{prefix}.{UP}.weight"], adapter[f"{prefix}.{UP}.bias"])


def _prefix(config, layer):
    """Name of a layer's adapter in a file, as the library names it."""
    return f"{config['model_type']}.encoder.layer.{layer}.output.adapters"
