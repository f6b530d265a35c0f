"""The project's Debian packages as files."""

import re
import shutil

from hosts import sh
from steps import expect

SERVICES = ["collage-config", "collage-broker", "collage-stage", "collage-tools"]
LIBRARY = ["libcollage0.1", "collage-dev"]
BROKEN_VERSION = "0.1.0+broken"
NEXT_VERSION = "0.1.0+upgrade"


def all_of(folder):
    """One file of each package, in the order of SERVICES and LIBRARY."""
    files = []
    for name in SERVICES + LIBRARY:
        found = sorted(folder.glob(f"{name}_*.deb"))
        expect(f"one {name}_*.deb in {folder}", len(found) == 1)
        files += found
    return files


def among(packages, names):
    """Those of some files that are of these packages."""
    return [each for each in packages if each.name.split("_")[0] in names]


def of_debian(packages):
    """What the packages need that is not among themselves, what playbooks add, and what builds a
    program, by name."""
    names = {"dataset-fashion-mnist", "prometheus", "g++", "cmake", "make"}
    for each in packages:
        for need in sh("dpkg-deb", "-f", each, "Depends").split(","):
            name = need.split("|")[0].strip().split(" ")[0]
            if name and not name.startswith(("collage-", "libcollage")):
                names.add(name)
    return names


def next_version(packages, folder, version=NEXT_VERSION, broken=False):
    """The same packages under a higher version, written to an empty `folder`; broken, with stages
    that cannot start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = []
    for each in packages:
        tree = folder / each.stem
        sh("dpkg-deb", "-R", each, tree)
        control = tree / "DEBIAN/control"
        text = control.read_text()
        before = re.search(r"^Version: (.*)$", text, re.MULTILINE).group(1)
        control.write_text(text.replace(f"Version: {before}", f"Version: {version}")
                           .replace(f"(= {before})", f"(= {version})"))
        if broken and (stage := tree / "usr/bin/collage-stage").exists():
            stage.write_text("#!/bin/sh\nexit 2\n")
        made.append(folder / f"{each.stem}-next.deb")
        sh("dpkg-deb", "-Znone", "-b", tree, made[-1])
    return made
