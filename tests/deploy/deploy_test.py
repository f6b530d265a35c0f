"""A pipeline deployed to booted hosts by Ansible, used, hurt and removed.

    deploy_test.py PACKAGES SCRATCH OUT      folders of the .deb files, for hosts, for results

Four hosts: broker and sink, two with s-CNN stages, one with a collage stage; images are pushed from
this machine.  Prints a line a step and writes OUT/account.json: an array of {"step", "ok",
"seconds", "sent", "lost", "refused"}.  Exit code 0 if every step was good, 1 if one was not, 77 if
this machine cannot boot hosts.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

from hosts import Base, Hosts, Repository, await_true, sh
from packages import NEXT_VERSION, all_of, next_version, of_debian
from steps import Test, expect, folders, grey_png

HERE = pathlib.Path(__file__).resolve().parent
PLAYBOOKS = HERE.parent.parent / "ansible"
PROGRAMS = HERE.parent.parent / "build/release/bin"
PUSH_S = 300
UNCHANGED = re.compile(r"changed=(\d+) +unreachable=0 +failed=0")


class DeployTest(Test):
    """On four hosts."""

    def __init__(self, hosts, packages, scratch, repository):
        super().__init__()
        self.hosts = hosts
        self.packages = packages
        self.scratch = scratch
        self.repository = repository
        self.inventory = scratch / "inventory.yml"
        self.picture = scratch / "picture.png"
        self.picture.write_bytes(grey_png(28))
        self.paths = scratch / "paths.txt"
        self.answers = scratch / "answers.jsonl"
        self.write_inventory()

    def write_inventory(self):
        front, first, second, collage = self.hosts

        def place(host, **more):
            return {host.name: {"ansible_host": host.address, **more}}
        stages = place(first, classifier_count=2) | place(second, classifier_count=2,
                                                          classifier_first=2)
        options = " ".join(map(str, front.ssh_options()))
        inventory = {"all": {
            "vars": {"ansible_user": "root", "ansible_ssh_common_args": options,
                     "ansible_python_interpreter": "/usr/bin/python3",
                     "common_repository": self.repository.line},
            "children": {"broker": {"hosts": place(front)}, "sink": {"hosts": place(front)},
                         "classifier": {"hosts": stages}, "collage": {"hosts": place(collage)}}}}
        self.inventory.write_text(json.dumps(inventory, indent=2))  # JSON is YAML.

    def play(self, playbook, *options):
        local = self.scratch / "ansible"
        return sh("ansible-playbook", "-i", self.inventory, playbook, *options, cwd=PLAYBOOKS,
                  env={**os.environ, "ANSIBLE_HOME": str(local), "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_LOCAL_TEMP": str(local / "tmp"),
                       "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1"})

    @property
    def endpoint(self):
        return f"tcp://{self.hosts[0].address}:5570"

    def pushing(self, images, rate):
        """Images on their way from this machine."""
        self.paths.write_text(f"{self.picture}\n" * images)
        with self.paths.open() as paths, self.answers.open("w") as answers:
            return subprocess.Popen([PROGRAMS / "collage-push", "-", "--endpoint", self.endpoint,
                                     "--rate", str(rate), "--quiet"], stdin=paths, stdout=answers,
                                    stderr=subprocess.STDOUT)

    def pushed(self, process, images):
        process.wait(PUSH_S)
        said = self.answers.read_text()
        answers = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        expect(f"{images} results, not {len(answers)}: {said[-500:]}", len(answers) == images)
        self.account.add(answers)
        return answers

    def boot(self):
        for host in self.hosts:
            state = host.run("systemctl is-system-running --wait", check=False).strip()
            expect(f"{host.name} is up, not {state}", state == "running")

    def deploy(self):
        self.play("site.yml")
        process = self.pushing(1, 1)
        answers = self.pushed(process, 1)
        expect(f"a first image is answered: {answers}", answers[0]["status"] == "answered")

    def second_run_unchanged(self):
        for options in ([], ["--check"]):
            said = self.play("site.yml", *options)
            changed = UNCHANGED.findall(said)
            expect(f"nothing changes:\n{said}", changed == ["0"] * len(self.hosts))

    def push(self):
        answers = self.pushed(self.pushing(500, 50), 500)
        expect("every image is answered", all(a["status"] == "answered" for a in answers))

    def kill_host(self):
        """One with s-CNN stages: its images are answered all the same, and it comes back."""
        process = self.pushing(1000, 50)
        time.sleep(3)
        self.hosts[1].cut_power()
        self.pushed(process, 1000)
        expect("no image is lost or refused", self.account.lost == self.account.refused == 0)
        self.hosts[1].boot_again()
        expect("its stages are back", await_true(lambda: self.hosts[1].run(
            "systemctl is-active 'collage-stage@*'", check=False).split() == ["active"] * 2, 60))

    def cut_link(self):
        """Of the collage's host, for a while."""
        process = self.pushing(1000, 50)
        time.sleep(3)
        self.hosts[3].set_link("down")
        time.sleep(5)
        self.hosts[3].set_link("up")
        self.pushed(process, 1000)
        expect("no image is lost or refused", self.account.lost == self.account.refused == 0)
        self.stages("STOP")
        covered = self.pushed(self.pushing(9, 1000), 9)
        self.stages("CONT")
        expect("the collage's host is back", any(a["source"] == "collage" for a in covered))

    def stages(self, signal):
        for host in self.hosts[1:3]:
            host.run(f"systemctl kill --signal={signal} 'collage-stage@*'")

    def rolling_update(self):
        """To a higher version, under load."""
        process = self.pushing(6000, 50)
        self.repository.fill(next_version(self.packages, self.scratch / "next"))
        self.play("rolling_update.yml")
        expect("the update ends while images are on their way", process.poll() is None)
        for host in self.hosts:
            versions = set(host.run("dpkg-query -W -f '${Version}\\n' 'collage-*'").split())
            expect(f"{host.name} has the next version, not {versions}", versions == {NEXT_VERSION})
        self.pushed(process, 6000)
        expect("no image is lost or refused", self.account.lost == self.account.refused == 0)

    def remove(self):
        self.play("remove.yml")
        for host in self.hosts:
            left = host.run("find / -xdev -name '*collage*' -not -path '/proc/*' -not -path '/sys/*' "
                            "-not -path '/var/lib/dpkg/*' -not -path '/run/*' "
                            "-not -path '/var/log/*' -not -path '/var/lib/apt/*'")
            expect(f"no file is left on {host.name}:\n{left}", left == "")
            expect("no user is left", not host.holds("getent passwd collage"))
            expect("no port is left", not host.holds("ss -Hltn | grep -E ':557[0-9]'"))


def main():
    folder, scratch, out = folders(__doc__)
    packages = all_of(folder)
    layers = Base(scratch).layer("collage-needs", of_debian(packages))
    repository = Repository(scratch / "repository")
    repository.fill(packages)
    with Hosts(scratch, layers, count=4) as hosts, repository:
        test = DeployTest(hosts, packages, scratch, repository)
        good = test.run([test.boot, test.deploy, test.second_run_unchanged, test.push,
                         test.kill_host, test.cut_link, test.rolling_update, test.remove],
                        out / "account.json")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
