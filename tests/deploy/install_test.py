"""The Debian packages on a booted host: installed, run by systemd, upgraded, removed and purged.

    install_test.py PACKAGES SCRATCH OUT      folders of the .deb files, for hosts, for results

Prints a line a step and writes OUT/packages.json; exit code 0 if every step was good, 1 if one was
not, 77 if this machine cannot boot hosts.
"""

import dataclasses
import json
import pathlib
import re
import struct
import subprocess
import sys
import time
import zlib

from hosts import Base, CannotBoot, Failed, Hosts, await_true, require, sh

NAMES = ["config", "broker", "stage", "tools"]
UNITS = ["collage-broker", "collage-sink", "collage-stage@0", "collage-stage@1",
         "collage-collage@0"]
UP_S = 60
NEXT_VERSION = "0.1.0+upgrade"


def expect(what, condition):
    if not condition:
        raise Failed(what)


def package(folder, name):
    found = sorted(folder.glob(f"collage-{name}_*.deb"))
    expect(f"one collage-{name}_*.deb in {folder}", len(found) == 1)
    return found[0]


def of_debian(packages):
    """What the packages need that is not among themselves, by name."""
    names = {"openssh-client"}
    for each in packages:
        for need in sh("dpkg-deb", "-f", each, "Depends").split(","):
            name = need.split("|")[0].strip().split(" ")[0]
            if name and not name.startswith("collage-"):
                names.add(name)
    return names


def next_version(packages, folder):
    """The same packages under a higher version."""
    made = []
    for each in packages:
        tree = folder / each.stem
        sh("dpkg-deb", "-R", each, tree)
        control = tree / "DEBIAN/control"
        text = control.read_text()
        version = re.search(r"^Version: (.*)$", text, re.MULTILINE).group(1)
        control.write_text(text.replace(f"Version: {version}", f"Version: {NEXT_VERSION}")
                           .replace(f"(= {version})", f"(= {NEXT_VERSION})"))
        made.append(folder / f"{each.stem}-next.deb")
        sh("dpkg-deb", "-Znone", "-b", tree, made[-1])
    return made


def grey_png(side):
    """A grey picture, brighter to the right."""
    def chunk(kind, body):
        return (struct.pack(">I", len(body)) + kind + body +
                struct.pack(">I", zlib.crc32(kind + body)))
    rows = b"".join(b"\0" + bytes(255 * x // side for x in range(side)) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Test:
    """The steps, in order, of one host."""

    def __init__(self, host, packages, scratch):
        self.host = host
        self.packages = packages
        self.scratch = scratch

    def put(self, packages):
        places = []
        for each in packages:
            places.append(f"/root/{each.name}")
            self.host.put(each, places[-1])
        return " ".join(places)

    def state(self, unit, key):
        return self.host.run(f"systemctl show --property={key} --value '{unit}'").strip()

    def active(self):
        return all(self.state(unit, "ActiveState") == "active" for unit in UNITS)

    def await_active(self):
        if not await_true(self.active, UP_S):
            raise Failed(self.host.run("systemctl --no-pager status 'collage-*'", check=False))

    def push(self, images=8):
        picture = self.scratch / "picture.png"
        picture.write_bytes(grey_png(28))
        self.host.put(picture, "/root/picture.png")
        said = self.host.run("collage-push " + "/root/picture.png " * images +
                             "--endpoint tcp://127.0.0.1:5570 --quiet 2>&1",
                             check=False)
        answers = said.count('"status":"answered"')
        expect(f"{images} answers, not {answers}:\n{said}", answers == images)

    def install(self):
        self.host.run(f"dpkg -i {self.put(self.packages)} 2>&1")
        expect("a user collage", self.host.holds("getent passwd collage"))
        expect("nothing starts by itself",
               self.host.run("systemctl list-units --state=active --no-legend 'collage*'") == "")

    def start(self):
        names = " ".join(f"'{unit}'" for unit in UNITS)
        self.host.run(f"systemctl enable --now {names} 2>&1")
        self.await_active()
        for unit in UNITS:
            owner = self.host.run(f"ps -o user= -p {self.state(unit, 'MainPID')}").strip()
            expect(f"{unit} runs as collage, not {owner}", owner == "collage")
        state = self.host.run("systemctl is-system-running --wait", check=False).strip()
        expect(f"the whole system is up, not {state}", state == "running")

    def reload(self):
        self.host.run("systemctl reload collage-broker")
        expect("the broker says that it has read its file again",
               await_true(lambda: self.host.holds(
                   "journalctl -u collage-broker | grep -q 'read again'"), 10))

    def come_back(self):
        """A stage that is killed, and one that hangs, are started again."""
        self.host.run("systemctl kill --signal=KILL collage-stage@0")
        expect("a killed stage comes back", await_true(
            lambda: self.state("collage-stage@0", "NRestarts") == "1" and self.active(), UP_S))
        self.host.run("mkdir -p '/run/systemd/system/collage-stage@1.service.d' && "
                      "printf '[Service]\nWatchdogSec=2\n' > "
                      "'/run/systemd/system/collage-stage@1.service.d/watchdog.conf' && "
                      "systemctl daemon-reload && systemctl restart collage-stage@1")
        self.host.run("systemctl kill --signal=STOP collage-stage@1")
        expect("a hung stage comes back", await_true(
            lambda: self.state("collage-stage@1", "NRestarts") == "1" and self.active(), UP_S))

    def refuse(self):
        """A file that is wrong is said so and not tried again and again."""
        self.host.run("cp /etc/collage/pipeline.yaml /root/good.yaml && "
                      "sed -i 's/^grid: 3/grid: 17/' /etc/collage/pipeline.yaml")
        self.host.run("systemctl restart collage-sink 2>&1", check=False)
        expect("the sink has failed for good", await_true(
            lambda: self.state("collage-sink", "ActiveState") == "failed", 20))
        expect("the log names the key", self.host.holds(
            "journalctl -u collage-sink | grep -q 'pipeline.yaml:.*grid'"))
        self.host.run("cp /root/good.yaml /etc/collage/pipeline.yaml && "
                      "systemctl reset-failed collage-sink && systemctl start collage-sink")
        self.await_active()

    def upgrade(self):
        self.host.run("sed -i 's/level: info /level: debug/' /etc/collage/pipeline.yaml")
        before = self.state("collage-broker", "MainPID")
        folder = self.scratch / "next"
        folder.mkdir(parents=True, exist_ok=True)
        self.host.run(f"dpkg -i {self.put(next_version(self.packages, folder))} 2>&1")
        expect("the operator's file is kept",
               self.host.holds("grep -q 'level: debug' /etc/collage/pipeline.yaml"))
        self.await_active()
        expect("the broker was restarted", self.state("collage-broker", "MainPID") != before)

    def remove(self):
        self.host.run("dpkg -r collage-tools collage-stage collage-broker collage-config 2>&1")
        expect("no unit is left",
               self.host.run("systemctl list-units --all --no-legend 'collage*'") == "")
        expect("no process is left", not self.host.holds("pgrep -u collage"))
        expect("the operator's file is kept",
               self.host.holds("grep -q 'level: debug' /etc/collage/pipeline.yaml"))

    def purge(self):
        self.host.run("dpkg --purge collage-tools collage-stage collage-broker collage-config 2>&1")
        left = self.host.run("find / -xdev -name '*collage*' -not -path '/proc/*' "
                             "-not -path '/root/*' -not -path '/var/lib/dpkg/*' "
                             "-not -path '/run/*' -not -path '/sys/*'")
        expect(f"no file is left:\n{left}", left == "")
        expect("no user is left", not self.host.holds("getent passwd collage"))
        expect("no port is left", not self.host.holds("ss -Hltn | grep -E ':557[0-9]'"))
        expect("dpkg has nothing to complain of", self.host.run("dpkg --audit") == "")


@dataclasses.dataclass
class Step:
    step: str
    ok: bool
    seconds: float


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    folder, scratch, out = map(pathlib.Path, sys.argv[1:])
    try:
        require()
    except CannotBoot as reason:
        print(f"not tested: {reason}")
        return 77
    for each in (scratch, out):
        each.mkdir(parents=True, exist_ok=True)
    packages = [package(folder, name) for name in NAMES]
    layers = Base(scratch).layer("collage-needs", of_debian(packages))
    steps = []
    with Hosts(scratch, layers, count=1) as hosts:
        test = Test(hosts[0], packages, scratch)
        for step in (test.install, test.start, test.push, test.reload, test.come_back, test.refuse,
                     test.upgrade, test.push, test.remove, test.purge):
            begun = time.monotonic()
            problem = ""
            try:
                step()
            except (Failed, subprocess.SubprocessError) as error:
                problem = str(error)
            steps.append(Step(step.__name__, not problem, round(time.monotonic() - begun, 1)))
            said = "failed" if problem else "ok"
            print(f"{step.__name__:12} {said:6} {steps[-1].seconds:6.1f} s", flush=True)
            if problem:
                print(problem, file=sys.stderr)
                break
    (out / "packages.json").write_text(json.dumps([vars(step) for step in steps], indent=2))
    return 0 if all(step.ok for step in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
