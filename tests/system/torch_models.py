"""What the tests that export models of torchvision have in common."""

import hashlib

import torch


def write_manifest(name, weights, side, class_names, folder):
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    (folder / f"{name}.yaml").write_text(
        f"""name: {name}
kind: single
dataset: own
weights: {weights.name}
sha256: {digest}
version: {name}-{digest[:8]}
tile:
  width: {side}
  height: {side}
  channels: 3
normalisation:
  mean: [0.5, 0.5, 0.5]
  deviation: [0.25, 0.25, 0.25]
class_names: [{", ".join(class_names)}]
"""
    )


def draw_weights(model, last):
    """As of a trained network: no two weights alike, statistics of batches, answers that differ,
    for which the weights of the last layer are `last` times as large."""
    for parameter in model.parameters():
        parameter.data += 0.01 * torch.randn_like(parameter)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    layers = [m for m in model.modules() if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))]
    layers[-1].weight.data *= last
