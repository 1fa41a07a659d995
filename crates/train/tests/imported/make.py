"""Writes small classifiers as PyTorch exports them, and what PyTorch makes of a training step of theirs.

    python make.py

| file | is exported |
|---|---|
| `probabilities.onnx` | for use, its norms left as they are, with a softmax at its end and an open batch |
| `training.onnx` | in training mode, for a batch of 1: norms by the statistics of the batch, dropout that drops |
| `fresh.onnx` | as the first, before it has learned anything: the exporter writes equal ones and zeros once |
| `step.safetensors` | images, labels; loss, gradients and moved statistics of both by name, all in 64 bits |

Dropout has a rate of 0.25 in the files and of 0 where the step is computed: no two programs draw the same masks.
"""
import io
import json
import os

import onnx
import torch
from safetensors.torch import save_file
from torch import nn

BATCH, CLASSES, SIDE, RATE = 6, 5, 12, 0.25


class Residual(nn.Module):
    """A network with a bias, a branch that joins, norms before and after it, and a dropout."""

    def __init__(self, ends_in_softmax):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(8, eps=1e-3, momentum=0.2)
        self.drop = nn.Dropout(RATE)
        self.fc = nn.Linear(8, CLASSES)
        self.ends_in_softmax = ends_in_softmax

    def forward(self, x):
        x = torch.relu(self.norm1(self.stem(x)))
        x = torch.relu(x + self.norm2(self.conv1(x)))
        x = self.fc(self.drop(x.mean((2, 3))))
        return torch.softmax(x, 1) if self.ends_in_softmax else x


def drawn(ends_in_softmax):
    """The network with weights and statistics of which no two are alike."""
    torch.manual_seed(7)
    model = Residual(ends_in_softmax)
    for name, tensor in model.state_dict().items():
        if "norm" in name and tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    return model


def export(model, file, training, batch, **axes):
    images = torch.zeros(batch, 3, SIDE, SIDE)
    model.train(training)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    mode = torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.PRESERVE
    written = io.BytesIO()
    torch.onnx.export(
        model, (images,), written, dynamo=False, opset_version=17, training=mode,
        do_constant_folding=False, input_names=["images"], output_names=["y"], **axes,
    )
    model = onnx.load_from_string(written.getvalue())
    # The export ran the network, which moves the statistics of norms in training mode.
    for tensor in model.graph.initializer:
        tensor.CopyFrom(onnx.numpy_helper.from_array(state[tensor.name].numpy(), tensor.name))
    # Where in which file a node comes from.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.save(model, file)


def step(model, images, labels):
    """Loss, gradients and moved statistics."""
    model = model.double().train()
    model.ends_in_softmax = False
    model.drop.p = 0.0
    loss = nn.functional.cross_entropy(model(images.double()), labels)
    loss.backward()
    found = {"loss": loss.detach().reshape(1)}
    found |= {f"gradient.{name}": p.grad for name, p in model.named_parameters()}
    found |= {f"moved.{name}": b for name, b in model.named_buffers() if b.is_floating_point()}
    return found


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    generator = torch.Generator().manual_seed(3)
    images = torch.randn(BATCH, 3, SIDE, SIDE, generator=generator)
    labels = torch.arange(BATCH) * 7 % CLASSES
    tensors = {"images": images, "labels": labels}
    export(
        drawn(True), os.path.join(here, "probabilities.onnx"), False, 2,
        dynamic_axes={"images": {0: "n"}, "y": {0: "n"}},
    )
    export(drawn(False), os.path.join(here, "training.onnx"), True, 1)
    torch.manual_seed(7)
    export(
        Residual(False), os.path.join(here, "fresh.onnx"), False, 2,
        dynamic_axes={"images": {0: "n"}, "y": {0: "n"}},
    )
    tensors |= step(drawn(False), images, labels)
    versions = {"torch": torch.__version__, "onnx": onnx.__version__}
    save_file({k: v.contiguous() for k, v in tensors.items()}, os.path.join(here, "step.safetensors"),
              {"written_by": json.dumps(versions)})


if __name__ == "__main__":
    main()
