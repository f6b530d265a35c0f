"""Exports a torchvision model as a user would: TorchScript, a manifest, and pictures.

    export_model.py trained FOLDER    a small network that tells five colours apart, 48x48
    export_model.py resnet34 FOLDER   ResNet-34 as it is made, 1,000 classes, 224x224
    export_model.py onnx FOLDER       ResNet-18 and MobileNetV2 as ONNX, with weights drawn at random

FOLDER gets scnn.pt, scnn.yaml, pictures/*.png and, of the trained one, labelled/CLASS/*.png; of ONNX
NAME.onnx, NAME.yaml, pictures/*.png, labelled/ and NAME.json, what PyTorch answers: a list of
probabilities for each picture.
"""

import json
import pathlib
import sys

import torch
import torchvision

import torch_models

COLOURS = {
    "red": (200, 40, 40),
    "green": (40, 180, 60),
    "blue": (50, 70, 200),
    "yellow": (210, 200, 50),
    "white": (220, 220, 220),
}


def picture(label, side, noise):
    colour = torch.tensor(list(COLOURS.values())[label], dtype=torch.float32)
    pixels = colour[:, None, None] + 40 * torch.randn((3, side, side), generator=noise)
    return pixels.clamp(0, 255).to(torch.uint8)


def write_pictures(folder, count, side, noise):
    """Returns float [count, 3, side, side] in 0..1 and the labels."""
    (folder / "pictures").mkdir(parents=True)
    pictures, labels = [], []
    for i in range(count):
        label = i % len(COLOURS)
        pixels = picture(label, side, noise)
        torchvision.io.write_png(pixels, str(folder / "pictures" / f"{i:04}.png"))
        labelled = folder / "labelled" / list(COLOURS)[label]
        labelled.mkdir(parents=True, exist_ok=True)
        torchvision.io.write_png(pixels, str(labelled / f"{i:04}.png"))
        pictures.append(pixels.float() / 255)
        labels.append(label)
    return torch.stack(pictures), torch.tensor(labels)


def teach(model, pictures, labels, noise):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(60):
        some = torch.randint(len(labels), (40,), generator=noise)
        loss = torch.nn.functional.cross_entropy(model((pictures[some] - 0.5) / 0.25), labels[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    right = (model((pictures - 0.5) / 0.25).argmax(1) == labels).float().mean().item()
    assert right > 0.95, f"only {right:.2f} learned"


def export(model, side, class_names, folder):
    model.eval()
    weights = folder / "scnn.pt"
    torch.jit.trace(model, torch.zeros(1, 3, side, side)).save(str(weights))
    torch_models.write_manifest("scnn", weights, side, class_names, folder)


def export_onnx(name, side, pictures, folder):
    model = getattr(torchvision.models, name)(num_classes=len(COLOURS)).eval()
    torch_models.draw_weights(model, 20)
    weights = folder / f"{name}.onnx"
    torch.onnx.export(model, torch.zeros(1, 3, side, side), str(weights))
    torch_models.write_manifest(name, weights, side, list(COLOURS), folder)
    with torch.no_grad():
        answers = model((pictures - 0.5) / 0.25).softmax(1)
    (folder / f"{name}.json").write_text(json.dumps(answers.tolist()))


def main():
    kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    torch.manual_seed(1)
    torch.set_num_threads(1)
    noise = torch.Generator().manual_seed(2)
    if kind == "trained":
        model = torchvision.models.shufflenet_v2_x0_5(num_classes=len(COLOURS))
        pictures, labels = write_pictures(folder, 200, 48, noise)
        teach(model, pictures, labels, noise)
        export(model, 48, list(COLOURS), folder)
    elif kind == "onnx":
        pictures, _ = write_pictures(folder, 40, 64, noise)
        for name in ("resnet18", "mobilenet_v2"):
            export_onnx(name, 64, pictures, folder)
    else:
        write_pictures(folder, 40, 96, noise)
        export(torchvision.models.resnet34(), 224, [f"class {i}" for i in range(1000)], folder)


main()
