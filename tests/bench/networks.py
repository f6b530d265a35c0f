#!/usr/bin/env python3
"""Writes networks of usual size into a folder, with weights drawn at random, as TorchScript with
manifests: ResNet-34 at 224, and the trunk of YOLOv3-tiny up to its first head (Redmon and Farhadi
2018) at 416, as which Narra et al. built their collage-CNN.

    networks.py FOLDER
"""

import pathlib
import sys

import torch
import torchvision

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/system"))

import torch_models  # noqa: E402

CLASSES = 10


def convolution(inputs, outputs, size=3):
    return torch.nn.Sequential(
        torch.nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False),
        torch.nn.BatchNorm2d(outputs), torch.nn.LeakyReLU(0.1))


class YoloTiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        layers, inputs = [], 3
        for outputs in (16, 32, 64, 128, 256):
            layers += [convolution(inputs, outputs), torch.nn.MaxPool2d(2)]
            inputs = outputs
        layers += [convolution(256, 512), convolution(512, 1024), convolution(1024, 256, size=1),
                   convolution(256, 512), torch.nn.Conv2d(512, CLASSES, 1)]
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x).mean([2, 3])


def main(folder):
    torch.manual_seed(1)
    networks = {"resnet34": (torchvision.models.resnet34(weights=None, num_classes=CLASSES), 224),
                "yolov3_tiny": (YoloTiny(), 416)}
    for name, (model, side) in networks.items():
        model.eval()
        torch_models.draw_weights(model, 1)
        weights = folder / f"{name}.pt"
        torch.jit.trace(model, torch.rand(1, 3, side, side)).save(str(weights))
        torch_models.write_manifest(name, weights, side, [f"class {i}" for i in range(CLASSES)],
                                    folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
