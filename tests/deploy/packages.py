"""The project's Debian packages as files."""

import shutil
import subprocess

from hosts import sh
from steps import expect

SERVICES = ["collage-config", "collage-broker", "collage-gateway", "collage-stage",
            "collage-client", "collage-tools"]
LIBRARY = ["libcollage0.2", "collage-dev"]
BROKEN = "+broken"  # What a broken version has in addition.


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


def version_of(packages):
    """The version that all of them have."""
    found = {sh("dpkg-deb", "-f", each, "Version").strip() for each in packages}
    expect(f"one version, not {found}", len(found) == 1)
    return found.pop()


def follows(packages, others):
    """Whether the others are what apt upgrades to."""
    before, after = version_of(packages), version_of(others)
    return subprocess.run(["dpkg", "--compare-versions", before, "lt", after],
                          check=False).returncode == 0


def broken(packages, folder):
    """The same packages with stages that cannot start, under a version just above theirs, written
    to an empty `folder`."""
    before = version_of(packages)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = []
    for each in packages:
        tree = folder / each.stem
        sh("dpkg-deb", "-R", each, tree)
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text()
                           .replace(f"Version: {before}", f"Version: {before}{BROKEN}")
                           .replace(f"(= {before})", f"(= {before}{BROKEN})"))
        if (stage := tree / "usr/bin/collage-stage").exists():
            stage.write_text("#!/bin/sh\nexit 2\n")
        made.append(folder / f"{each.stem}-broken.deb")
        sh("dpkg-deb", "-Znone", "-b", tree, made[-1])
    return made
