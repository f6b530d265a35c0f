"""The Debian packages on a booted host: installed, run by systemd, upgraded, removed and purged;
and on another, which has nothing of ours, a program built against collage-dev.

    install_test.py PACKAGES NEXT SCRATCH OUT    folders of the .deb files of a commit and of the
                                                 next one, for hosts, for results

Prints a line a step and writes OUT/packages.json; exit code 0 if every step was good, 1 if one was
not, 77 if this machine cannot boot hosts.
"""

import json
import re
import sys

from hosts import Base, Failed, Hosts, Repository, await_true
from packages import LIBRARY, SERVICES, all_of, follows, of_debian, version_of
from steps import Test, expect, folders, grey_png

UNITS = ["collage-broker", "collage-sink", "collage-gateway", "collage-stage@0",
         "collage-stage@1", "collage-collage@0"]
UP_S = 60

# A stranger's program; its source is an example that the package brings.
FIVE_LINES = """\
cmake_minimum_required(VERSION 3.16)
project(mine LANGUAGES CXX)
find_package(collage REQUIRED)
add_executable(mine push_image.cc)
target_link_libraries(mine PRIVATE collage::client)
"""


class InstallTest(Test):
    """The pipeline on one host, a program that uses it on another."""

    def __init__(self, host, developer, packages, following, debian, repository, scratch):
        super().__init__()
        self.host = host
        self.developer = developer
        self.packages = packages
        self.following = following  # Of the next commit.
        self.debian = debian
        self.repository = repository
        self.scratch = scratch

    def apt_install(self, host, names):
        host.run(f"echo '{self.repository.line}' > /etc/apt/sources.list && apt-get update && "
                 f"apt-get install -y --no-install-recommends {names} 2>&1")

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
        answers = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        self.account.add(answers)
        expect(f"{images} images are answered:\n{said}",
               [answer["status"] for answer in answers] == ["answered"] * images)
        return answers

    def install(self):
        self.apt_install(self.host, "collage-broker collage-gateway collage-stage collage-tools")
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

    def develop(self):
        """Five lines of CMake on a host with nothing of ours but collage-dev."""
        self.host.run("sed -i 's|tcp://127.0.0.1:5570|tcp://0.0.0.0:5570|' "
                      "/etc/collage/pipeline.yaml && systemctl restart collage-broker")
        self.await_active()
        self.apt_install(self.developer, "collage-dev g++ cmake make")
        source = self.scratch / "CMakeLists.txt"
        source.write_text(FIVE_LINES)
        self.developer.run("mkdir /root/mine && cd /usr/share/doc/collage-dev/examples && "
                           "cp push_image.cc files.h /root/mine/")
        self.developer.put(source, "/root/mine/CMakeLists.txt")
        self.developer.put(self.scratch / "picture.png", "/root/picture.png")
        self.developer.run("cd /root/mine && cmake -S . -B build 2>&1 && cmake --build build 2>&1")
        answer = self.ask()
        print(f"  the program of five lines says: {answer.strip()}")

    def ask(self):
        """Through the developer's program."""
        answer = self.developer.run("/root/mine/build/mine "
                                    f"tcp://{self.host.address}:5570 /root/picture.png 2>&1")
        expect(f"a class, its probability and its source: {answer}", re.fullmatch(
            r"[A-Z].*, probability \S+, from (single|collage|hedge), after \d+ ms\n", answer))
        return answer

    def cover(self):
        """With every s-CNN stage stopped the collage answers."""
        self.host.run("systemctl kill --signal=STOP 'collage-stage@*'")
        answers = self.push(9)
        self.host.run("systemctl kill --signal=CONT 'collage-stage@*'")
        expect("collages answer", any(answer["source"] == "collage" for answer in answers))

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
        """By apt alone, to the packages of the next commit as they were built."""
        expect("the next commit has a higher version", follows(self.packages, self.following))
        self.host.run("sed -i 's/level: info /level: debug/' /etc/collage/pipeline.yaml")
        before = {unit: self.state(unit, "MainPID") for unit in UNITS}
        self.repository.fill([*self.following, *self.debian])
        for host in (self.host, self.developer):
            host.run("apt-get update && DEBIAN_FRONTEND=noninteractive "
                     "apt-get upgrade -y --with-new-pkgs 2>&1")
            now = set(host.run("dpkg-query -W -f '${Version}\\n' '*collage*'").split())
            expect(f"{host.name} has the next version, not {now}",
                   now == {version_of(self.following)})
        expect("the operator's file is kept",
               self.host.holds("grep -q 'level: debug' /etc/collage/pipeline.yaml"))
        self.await_active()
        for unit, pid in before.items():
            expect(f"{unit} was restarted", self.state(unit, "MainPID") != pid)
        said = self.host.run("collage-broker --version")
        expect(f"programs say the same: {said}", f"collage {version_of(self.following)}," in said)
        self.ask()

    def remove(self):
        self.host.run(f"dpkg -r {' '.join(reversed(SERVICES))} 2>&1")
        expect("no unit is left",
               self.host.run("systemctl list-units --all --no-legend 'collage*'") == "")
        expect("no process is left", not self.host.holds("pgrep -u collage"))
        expect("the operator's file is kept",
               self.host.holds("grep -q 'level: debug' /etc/collage/pipeline.yaml"))

    def purge(self):
        self.host.run(f"dpkg --purge {' '.join(reversed(SERVICES))} 2>&1")
        left = self.host.run("find / -xdev -name '*collage*' -not -path '/proc/*' "
                             "-not -path '/root/*' -not -path '/var/lib/dpkg/*' "
                             "-not -path '/var/cache/apt/archives/*' "
                             "-not -path '/run/*' -not -path '/sys/*'")
        expect(f"no file is left:\n{left}", left == "")
        expect("no user is left", not self.host.holds("getent passwd collage"))
        expect("no port is left", not self.host.holds("ss -Hltn | grep -E ':557[0-9]'"))
        expect("dpkg has nothing to complain of", self.host.run("dpkg --audit") == "")
        self.developer.run(f"dpkg --purge {' '.join(LIBRARY)} 2>&1 && rm -r /root/mine")
        left = self.developer.run("find /usr /etc -name '*collage*'")
        expect(f"no file of the library is left:\n{left}", left == "")


def main():
    folder, next_folder, scratch, out = folders(__doc__)
    packages, following = all_of(folder), all_of(next_folder)
    base = Base(scratch)
    debian = base.fetched(of_debian(packages))
    repository = Repository(scratch / "repository")
    repository.fill([*packages, *debian])
    with Hosts(scratch, base, count=2) as hosts, repository:
        test = InstallTest(hosts[0], hosts[1], packages, following, debian, repository, scratch)
        good = test.run([test.install, test.start, test.push, test.develop, test.cover, test.reload,
                         test.come_back, test.refuse, test.upgrade, test.push, test.remove,
                         test.purge],
                        out / "packages.json")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
