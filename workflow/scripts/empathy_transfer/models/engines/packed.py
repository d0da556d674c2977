"""The packed engine: an encoder on packed tokens, what adapts it, and a head, in plain torch.

Beside what `packed_encoder` saves, no gradient is computed below the first trained adapter; and without dropout the
first layer, which no adapter touches, is computed once per item and kept (see `first_layer`).
"""

import torch

from empathy_transfer.models.adapter_files import source_tensors
from empathy_transfer.models.first_layer import FirstLayer, storage
from empathy_transfer.models.packed_encoder import PackedEncoder
from empathy_transfer.models.parameters import draw, size_of, split


class Model:
    """An encoder, what adapts it, and a head: `logits(batch)`, and the parameters that are trained.

    All trained parameters but embeddings lie in one vector, `flat`: the encoder's layers where they are trained, the
    adapter, the head. Embeddings are large, and their gradients would have to be copied into it.

    Args:
        encoder: an `encoders.Encoder`. adaptation: an `adaptations.Adaptation`. head: a head of `heads`.
        dropout: probability of dropping an activation while training, in the encoder and the head.
        seed: seed of the new adapter and head. Both are the same whatever lies below them.
        device: torch device. precision: `bf16` computes in mixed precision, `fp32` does not.

    Raises:
        ArtefactError: a source's file is damaged, or belongs to another encoder or type.
    """

    name = "fast"

    def __init__(self, encoder, adaptation, head, dropout, seed, device, precision):
        """Load the frozen parts and draw the new adapter and head; arguments as in the class."""
        trained = adaptation.type.TRAINS_ENCODER
        self.body = PackedEncoder(encoder, dropout, device, precision, trained)
        self.device, self.precision, self.adaptation, self.top = self.body.device, precision, adaptation, head
        self.first_layer = None
        # Looked up once: finding a type goes by its name, and every layer of every step asks.
        self._after_feed_forward = getattr(adaptation.type, "after_feed_forward", None)
        hidden, shapes = self.body.config["hidden_size"], adaptation.shapes(self.body.config)
        given = [source_tensors(source, shapes, encoder, adaptation.settings) for source in adaptation.sources]
        self.frozen = [{key: part.to(self.device, torch.float32) for key, part in source.items()} for source in given]
        self._below = [{key: part.to(self.body.type) for key, part in source.items()} for source in self.frozen]
        generator = torch.Generator().manual_seed(seed)
        drawn = [*draw(shapes, generator).values(), *head.draw(hidden, generator).values()]
        self.shapes = {"encoder": self.body.shapes, "adapter": shapes, "head": head.shapes(hidden)}
        self.shapes = {part: shapes for part, shapes in self.shapes.items() if shapes}
        vectors = [*([self.body.initial] if trained else []), *(tensor.flatten() for tensor in drawn)]
        self.flat = torch.cat(vectors).to(self.device).requires_grad_()

    def parameters(self):
        """Return the tensors that the optimizer trains."""
        return [*self.body.embeddings.values(), self.flat]

    def named(self, vector):
        """Return the tensors in a vector like `flat` by part and name; they share its memory."""
        return {part: split(values, self.shapes[part]) for part, values in self._parts(vector).items()}

    def _parts(self, vector):
        """Cut a vector like `flat` into the parts of the model."""
        return dict(zip(self.shapes, vector.split([size_of(shapes) for shapes in self.shapes.values()]), strict=True))

    def adapter(self):
        """Return the new adapter's tensors, named as in the `adapters` library without the adapter's own name."""
        return self.named(self.flat.detach()).get("adapter", {})

    def head(self):
        """Return the head's tensors."""
        return self.named(self.flat.detach()).get("head", {})

    def trained_tensors(self):
        """Return all trained tensors by part (`encoder`, `adapter`, `head`) and name; they share the model's memory."""
        parts = self.named(self.flat.detach())
        embeddings = {name: tensor.detach() for name, tensor in self.body.embeddings.items()}
        return parts | ({"encoder": parts["encoder"] | embeddings} if "encoder" in parts else {})

    def sources(self):
        """Return the tensors of each frozen adapter below the new one."""
        return self.frozen

    def train(self, mode=True):
        """Turn dropout on or off."""
        self.body.train(mode)

    def seed(self, seed):
        """Seed dropout."""
        self.body.seed(seed)

    def keep_first_layer(self, splits, tokens_digest):
        """Compute the first layer of all items once, and read it from a file from now on (see `first_layer`).

        Nothing is kept where the first layer is trained, nor with dropout, which changes it, nor on a GPU, where
        reading costs more.
        """
        if self.body.dropout is None and self.device.type == "cpu" and not self.adaptation.type.TRAINS_ENCODER:
            self.first_layer = FirstLayer(self.body, splits, tokens_digest, *storage())

    def logits(self, batch, record=None):
        """Return the head's outputs (items x outputs, float32) for a `batches.Batch`; `record` as in `encode`."""
        parts = self._parts(self.flat)
        head = split(parts["head"], self.shapes["head"]) if "head" in parts else {}
        return self.top.apply(self._encode(batch, parts, record).float(), head, self.body.drop)

    def encode(self, batch):
        """Return the vector that the head reads of each item (items x hidden size)."""
        return self._encode(batch, self._parts(self.flat))

    def _encode(self, batch, parts, record=None):
        """Return the vectors of [CLS] with the parts of `flat`.

        Args:
            batch: the items. parts: see `_parts`. record: a list that takes what each layer adds to the stream, as
                (attention output, feed-forward output) per layer, for gradients with respect to activations.
        """
        stack = list(self._below)
        if "encoder" in parts:
            self.body.use(split(parts["encoder"], self.shapes["encoder"]))
        if "adapter" in parts:
            stack.append(split(parts["adapter"].to(self.body.type), self.shapes["adapter"]))
        hidden = None
        for layer in range(self.body.layers):
            last = layer == self.body.layers - 1
            if layer == 0 and self.first_layer is not None and record is None:
                sums = self.first_layer.read(batch)
                sums, added = sums[batch.starts()] if last else sums, None
            else:
                hidden = self.body.embed(batch) if layer == 0 else hidden
                added, sums = self.body.blocks(layer, hidden, batch, last, record)
            hidden = self._adapted(layer, sums, added, stack)
        return hidden

    def _adapted(self, layer, sums, added, stack):
        """Return the layer's output: the sums, and what is still to be added, through the adapters, normalised."""

        def add_norm(x, added):
            """Sum and normalise by the layer's second norm."""
            return self.body.add_norm(layer, x, added)

        for adapter in stack:
            sums, added = self._after_feed_forward(self.body.config, layer, adapter, sums, added, add_norm)
        return add_norm(sums, added)[1]
