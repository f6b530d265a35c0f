"""Architectures of torchvision as a user exports them: each is answered as PyTorch answers, or
refused.

    architectures_test.py PROGRAMS [NAME ...]

Exports each by trace and by script with weights drawn at random, lets `collage-train check`
classify pictures, and compares probabilities with PyTorch's.  Prints a row of Markdown for each.
Exit code 1 if one is answered otherwise, or refused without being known for it.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import torch
import torchvision

import torch_models

NAMES = (
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet",
    "inception_v3", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small",
    "regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnet50", "resnext50_32x4d",
    "shufflenet_v2_x1_0", "squeezenet1_1", "swin_t", "vgg11_bn", "vit_b_16")
# Those that are not served, by name and way of export, and a part of what is said of them; any
# other refusal is an error.
REFUSED = {}
CLASSES = 10
PICTURES = 8
# A probability may differ by so much; then so may the order of two classes.
PROBABILITY_MAX = 1e-3
CHECK_MAX_S = 600


def made(name):
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(weights=None, num_classes=CLASSES, **more)
    torch_models.draw_weights(model, 5)
    return model.eval()


def exported(model, way, side, file):
    if way == "trace":
        torch.jit.trace(model, torch.rand(1, 3, side, side), check_trace=False).save(str(file))
    else:
        torch.jit.script(model).save(str(file))


def pictures_in(folder, side):
    """Writes noise with waves on it; returns float [PICTURES, 3, side, side] as the network gets
    it."""
    folder.mkdir()
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    pictures = []
    for i in range(PICTURES):
        waves = torch.stack([torch.sin(x * 0.01 * (i + c + 1)) * torch.cos(y * 0.013 * (i + 1))
                             for c in range(3)])
        pixels = (128 + 90 * waves + 12 * torch.randn(3, side, side)).clamp(0, 255).to(torch.uint8)
        torchvision.io.write_png(pixels, str(folder / f"{i}.png"))
        pictures.append(pixels)
    return (torch.stack(pictures).float() / 255 - 0.5) / 0.25


def difference(top, expected):
    """The largest difference of a probability; 1 if another class is first, beyond a tie."""
    worst = max(abs(one["probability"] - expected[one["label"]].item()) for one in top)
    best = top[0]["label"]
    other = expected.max().item() - expected[best].item() > PROBABILITY_MAX
    return 1.0 if other else worst


def row(programs, name, way, model, side, folder, expected):
    """A row of the table, and whether all is well."""
    cells = f"| {name} | {way} "
    weights, manifest = folder / "own.pt", folder / "own.yaml"
    exported(model, way, side, weights)
    names = [f"class {i}" for i in range(CLASSES)]
    torch_models.write_manifest("own", weights, side, names, folder)
    begin = time.monotonic()
    ran = subprocess.run(
        [str(programs / "collage-train"), "check", str(manifest), "--json", "--top", str(CLASSES),
         "--images", str(folder / "pictures"), "--out", str(folder / "seen")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=CHECK_MAX_S)
    if ran.returncode == 2:
        expected_words = REFUSED.get((name, way))
        well = expected_words is not None and expected_words in ran.stderr
        why = ran.stderr.strip().replace("|", "/").replace("\n", " ")
        return f"{cells}| refused | {why[-150:]} | | |", well
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    answers = sorted(lines[1:], key=lambda one: one["file"])
    assert ran.returncode == 0 and len(answers) == PICTURES, ran.stderr
    worst = max(difference(one["top"], probabilities)
                for one, probabilities in zip(answers, expected, strict=True))
    well = worst <= PROBABILITY_MAX
    return (f"{cells}| {'right' if well else '**WRONG**'} | {lines[0]['served']} "
            f"| {worst:.1e} | {time.monotonic() - begin:.0f} s |"), well


def main():
    programs, names = pathlib.Path(sys.argv[1]), sys.argv[2:] or NAMES
    torch.manual_seed(1)
    torch.set_num_threads(1)
    print("| architecture | exported by | answers | served | largest difference of a probability "
          "| load and eight pictures |\n|---|---|---|---|---|---|")
    all_well = True
    for name in names:
        model, side = made(name), 299 if name == "inception_v3" else 224
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            pictures = pictures_in(folder / "pictures", side)
            with torch.no_grad():
                answer = torch.cat([model(one[None]) for one in pictures])
            for way in ("trace", "script"):
                text, well = row(programs, name, way, model, side, folder, answer.softmax(1))
                print(text, flush=True)
                all_well = all_well and well
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main())
