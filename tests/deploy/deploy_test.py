"""A pipeline deployed to booted hosts by Ansible, used, hurt and removed.

    deploy_test.py PACKAGES NEXT SCRATCH OUT    folders of the .deb files of a commit and of the next
                                                one, for hosts, for results

Four hosts: broker and sink, two with s-CNN stages, one with a second sink and a collage stage;
images are pushed from this machine.  Prints a line a step and writes OUT/account.json: an array of
{"step", "ok", "seconds", "sent", "lost", "refused"}.  Exit code 0 if every step was good, 1 if one
was not, 77 if this machine cannot boot hosts.
"""

import contextlib
import fcntl
import gzip
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from hosts import NETWORK, Base, Failed, Hosts, Repository, await_true, sh
from packages import BROKEN, all_of, broken, of_debian, version_of
from steps import Test, expect, folders, grey_png

HERE = pathlib.Path(__file__).resolve().parent
PLAYBOOKS = HERE.parent.parent / "ansible"
PROGRAMS = HERE.parent.parent / "build/release/bin"
PUSH_S = 300
# Debian's minimal base has no other client.
ASK = ("import urllib.request as r; "
       'print(r.urlopen("http://127.0.0.1:9090/api/v1/alerts").read().decode())')
REPLAYED = ["none", "collage-hedge"]
REPLAY_BATCHES = 60  # A policy.
# By Debian: what is left recommends the first (python3-apt), and the other is a group that nobody
# removes who needed it (libibverbs1).
KEPT = {"iso-codes installed", "rdma"}
CHANGED = re.compile(r"changed=[1-9]")
UNCHANGED = re.compile(r"changed=(\d+) +unreachable=0 +failed=0")


def place(host, **more):
    """A host of an inventory."""
    return {host.name: {"ansible_host": host.address, **more}}


def running(host):
    """The services of a pipeline that are up on a host, in short."""
    units = host.run("systemctl list-units --plain --no-legend --state=running "
                     "'collage-*' | cut -d ' ' -f 1").split()
    return {unit.removeprefix("collage-").removesuffix(".service") for unit in units}


def inventory_of(host):
    """What is on a host, by kind: packages, users, units and ports that are listened at."""
    return {what: set(host.run(command).split("\n")) for what, command in {
        "packages": "dpkg-query -W -f '${Package} ${db:Status-Status}\\n'",
        "users": "cut -d : -f 1 /etc/passwd /etc/group",
        "units": "systemctl list-unit-files --plain --no-legend | cut -d ' ' -f 1",
        "ports": "ss -Hltun | awk '{print $1, $5}'"}.items()}


def versions(host):
    """Of our packages on a host."""
    return set(host.run("dpkg-query -W -f '${Version}\\n' 'collage-*'").split())


def admits(address, port):
    """Whether a connection from this machine comes about."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


class DeployTest(Test):
    """On four hosts."""

    def __init__(self, hosts, packages, following, debian, scratch, out, repository):
        super().__init__()
        self.out = out
        self.hosts = hosts
        self.packages = packages
        self.following = following  # Of the next commit.
        self.debian = debian  # What the packages need.
        self.before = []  # What was on each host.
        self.scratch = scratch
        self.repository = repository
        self.inventory = scratch / "inventory.yml"
        self.picture = scratch / "picture.png"
        self.picture.write_bytes(grey_png(28))
        self.paths = scratch / "paths.txt"
        self.answers = scratch / "answers.jsonl"
        self.security = {}  # Of the inventory, and of who pushes: nothing is encrypted.
        self.vault = scratch / "vault-password"
        self.vault.write_text(secrets.token_hex())
        self.producer = scratch / "producer"
        self.write_inventory()

    def write_inventory(self, classifiers=(2, 2, 0)):
        """With so many s-CNN stages on the second, third and fourth host; one that has nothing else
        to run and none of these is retired."""
        front, *workers = self.hosts
        stages, retired = {}, {}
        for number, (host, count) in enumerate(zip(workers, classifiers)):
            if count > 0:
                stages |= place(host, classifier_count=count, classifier_first=10 * number)
            elif host is not workers[-1]:
                retired |= place(host)
        options = " ".join(map(str, front.ssh_options()))
        inventory = {"all": {
            "vars": {"ansible_user": "root", "ansible_ssh_common_args": options,
                     "ansible_python_interpreter": "/usr/bin/python3",
                     "common_producer_networks": [f"{NETWORK}.1"],
                     "common_http_client_networks": [f"{NETWORK}.1"], **self.security,
                     "common_repository": self.repository.line},
            "children": {"broker": {"hosts": place(front)},
                         "sink": {"hosts": place(front) | place(workers[-1])},
                         "gateway": {"hosts": place(front)},
                         "classifier": {"hosts": stages},
                         "collage": {"hosts": place(workers[-1])},
                         "monitoring": {"hosts": place(front)},
                         "retired": {"hosts": retired}}}}
        self.inventory.write_text(json.dumps(inventory, indent=2))  # JSON is YAML.

    def play(self, playbook, *options):
        local = self.scratch / "ansible"
        if self.security:
            options += ("--vault-password-file", self.vault)
        return sh("ansible-playbook", "-i", self.inventory, playbook, *options, cwd=PLAYBOOKS,
                  env={**os.environ, "ANSIBLE_HOME": str(local), "ANSIBLE_NOCOLOR": "1",
                       "ANSIBLE_LOCAL_TEMP": str(local / "tmp"),
                       "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1"})

    @property
    def push_command(self):
        command = [PROGRAMS / "collage-push", "-", "--endpoint",
                   f"tcp://{self.hosts[0].address}:5570", "--quiet"]
        return command + (["--keys", self.producer] if self.security else [])

    def pushing(self, images, rate):
        """Images on their way from this machine."""
        self.paths.write_text(f"{self.picture}\n" * images)
        with self.paths.open() as paths, self.answers.open("w") as answers:
            return subprocess.Popen([*self.push_command, "--rate", str(rate)], stdin=paths,
                                    stdout=answers, stderr=subprocess.STDOUT)

    def pushed(self, process, images):
        process.wait(PUSH_S)
        said = self.answers.read_text()
        answers = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        expect(f"{images} results, not {len(answers)}: {said[-500:]}", len(answers) == images)
        self.account.add(answers)
        return answers

    @contextlib.contextmanager
    def load(self, rate=50):
        """Images on their way from this machine while the context lasts; all are answered."""
        with self.answers.open("w") as answers:
            process = subprocess.Popen([*self.push_command, "--rate", str(rate)],
                                       stdin=subprocess.PIPE, stdout=answers,
                                       stderr=subprocess.STDOUT, bufsize=0)
        fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, 4096)  # So that little is left at the end.
        over, sent = threading.Event(), 0

        def feed():
            nonlocal sent
            with contextlib.suppress(BrokenPipeError), process.stdin:
                while not over.is_set():
                    process.stdin.write(f"{self.picture}\n".encode())
                    sent += 1
        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            yield
        except BaseException:
            process.kill()
            raise
        finally:
            over.set()
            feeder.join()
        self.pushed(process, sent)
        expect("no image is lost or refused", self.account.lost == self.account.refused == 0)

    def boot(self):
        for host in self.hosts:
            state = host.run("systemctl is-system-running --wait", check=False).strip()
            expect(f"{host.name} is up, not {state}", state == "running")
        self.before = [inventory_of(host) for host in self.hosts]

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

    def firewall(self):
        """Who is wanted is let in, others are not, and links that are up stay up when it is loaded
        again, by us or by Debian's own service."""
        front, stages = self.hosts[0].address, self.hosts[1]
        with self.load():
            for host in self.hosts:
                host.run("systemctl reload collage-firewall")
                host.run("systemctl start nftables && systemctl reload nftables")
        expect("this machine may log in and send images", admits(front, 22) and admits(front, 5570))
        expect("and is no stage", not admits(front, 5571) and not admits(front, 5572))
        for port in (5571, 5572):
            expect(f"a host with stages reaches {port}", stages.holds(
                f"timeout 2 bash -c '< /dev/tcp/{front}/{port}'"))

    def push(self):
        answers = self.pushed(self.pushing(500, 50), 500)
        expect("every image is answered", all(a["status"] == "answered" for a in answers))

    def post(self):
        """The picture to the gateway; the status of the response, None if there was none."""
        request = urllib.request.Request(f"http://{self.hosts[0].address}:8080/v1/classify",
                                         self.picture.read_bytes(), {"Content-Type": "image/png"})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)
                return response.status if answer["status"] == "answered" else None
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def gateway(self):
        """Images over HTTP; a restart costs no image that whoever sends it sends again."""
        expect("an image is answered", self.post() == 200)
        expect("a host with stages is no client", not self.hosts[1].holds(
            f"timeout 2 bash -c '< /dev/tcp/{self.hosts[0].address}/8080'"))
        self.hosts[0].run("systemctl --no-block restart collage-gateway")
        for _ in range(100):
            expect("an image is answered in the end", await_true(lambda: self.post() == 200, 20))
        front = running(self.hosts[0])
        expect(f"the gateway runs: {front}", "gateway" in front)

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
        """Of the host of the collage and of one of two sinks, for a while."""
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

    def scale(self):
        """Out to a third host and in to one, under load; then as before."""
        first, second, third = self.hosts[1:]
        with self.load():
            self.write_inventory(classifiers=(3, 2, 1))
            self.play("site.yml")
            expect("stages are added", running(first) == {"stage@0", "stage@1", "stage@2"})
            expect("on another host, too", running(third) == {"sink", "collage@0", "stage@20"})
            self.write_inventory(classifiers=(2, 0, 0))
            self.play("site.yml")
            expect("stages are taken away", running(first) == {"stage@0", "stage@1"})
            expect("from a host in a group less", running(third) == {"sink", "collage@0"})
            expect("and from one in no group at all", running(second) == set())
            self.write_inventory()
            self.play("site.yml")
            expect("and come back", running(second) == {"stage@10", "stage@11"})

    def firing(self):
        """Alerts that the Prometheus of the first host tells of, each with the host it names."""
        said = json.loads(self.hosts[0].run(f"python3 -c '{ASK}'"))
        return {(alert["labels"]["alertname"], alert["labels"].get("host"))
                for alert in said["data"]["alerts"] if alert["state"] == "firing"}

    def alert(self):
        """A host that is killed is told of by Prometheus until it is back."""
        down = ("CollageProcessDown", self.hosts[1].name)
        expect("every process is up", await_true(
            lambda: not any(name == down[0] for name, _ in self.firing()), 60))
        self.hosts[1].cut_power()
        expect("it is told of", await_true(lambda: down in self.firing(), 90, every_s=1))
        self.hosts[1].boot_again()
        expect("it is no more", await_true(lambda: down not in self.firing(), 90, every_s=1))

    def collect_logs(self):
        logs = self.scratch / "logs"
        shutil.rmtree(logs, ignore_errors=True)
        self.play("collect_logs.yml", "-e", f"collect_to={logs}")
        for host in self.hosts:
            folder = logs / host.name
            with gzip.open(folder / "journal.jsonl.gz", "rt") as journal:
                units = {json.loads(line).get("_SYSTEMD_UNIT", "") for line in journal}
            expect(f"{host.name}: its services have spoken, not {units}",
                   any(unit.startswith("collage-") for unit in units))
            expect(f"{host.name}: versions are named",
                   "collage-config" in (folder / "versions.txt").read_text())
            expect(f"{host.name}: the pipeline is there",
                   "endpoints:" in (folder / "pipeline.yaml").read_text())
            expect(f"{host.name}: services are told of",
                   "NRestarts=" in (folder / "services.txt").read_text())

    def keys(self):
        """Made here and kept encrypted; each host gets its own, and strangers are not heard."""
        folder = self.scratch / "keys"
        shutil.rmtree(folder, ignore_errors=True)
        self.security = {"common_keys": str(folder), "keys_producers": ["tester"],
                         "keys_vault_password_file": str(self.vault),
                         "keys_program": str(PROGRAMS / "collage-keys")}
        self.write_inventory()
        self.play("keys.yml")
        kept = sorted((folder / "current").glob("*.secret"))
        expect(f"seven pairs, not {kept}", len(kept) == 7)
        expect("encrypted", all(f.read_text().startswith("$ANSIBLE_VAULT") for f in kept))
        self.play("site.yml")
        for host in self.hosts:
            modes = set(host.run("stat -c '%a %U' /etc/collage/keys/*.secret").split("\n")) - {""}
            expect(f"{host.name}: nobody else reads them: {modes}", modes == {"400 collage"})
        for playbook in ("keys.yml", "site.yml"):
            said = self.play(playbook)
            expect(f"nothing changes:\n{said}", not CHANGED.search(said))
        self.write_producer(folder)
        answers = self.pushed(self.pushing(9, 50), 9)
        expect("a known producer is heard", all(a["status"] == "answered" for a in answers))
        stranger = sh(PROGRAMS / "collage-push", self.picture, "--endpoint",
                      f"tcp://{self.hosts[0].address}:5570", "--timeout", "3", check=False)
        expect(f"a stranger is not: {stranger}", '"answered"' not in stranger)

    def write_producer(self, folder):
        """What somebody who sends images needs."""
        shutil.rmtree(self.producer, ignore_errors=True)
        self.producer.mkdir(mode=0o700)
        pair = self.producer / "producer.secret"
        pair.touch(mode=0o600)
        pair.write_text(sh("ansible-vault", "view", "--vault-password-file", self.vault,
                           folder / "current/producer-tester.secret"))
        public = self.hosts[1].run("cat /etc/collage/keys/broker.public")
        (self.producer / "broker.public").write_text(public)
        return public.split()

    def rotate_keys(self):
        """All of them, under load."""
        folder = self.scratch / "keys"
        old = self.write_producer(folder)
        self.play("rotate_keys.yml", "--tags", "announce")
        both = self.write_producer(folder)
        expect("the old key and a new one are known", len(both) == 2 and both[0] == old[0])
        with self.load():
            self.play("rotate_keys.yml", "--skip-tags", "announce")
        new = self.write_producer(folder)
        expect("the new one alone is known", new == both[1:])
        expect("nothing is left of the rotation", not (folder / "next").exists())
        said = self.play("site.yml")
        expect(f"nothing changes:\n{said}", not CHANGED.search(said))

    def replay(self):
        """A scenario on nine s-CNN stages and a collage, reported like a run on loopback."""
        self.write_inventory(classifiers=(5, 4, 0))
        self.play("site.yml")
        to = self.out / "replay"
        said = self.play("replay.yml", "-e", f"replay_to={to}", "-e", "replay_scenario=policies",
                         "-e", f"replay_policies={','.join(REPLAYED)}", "-e",
                         f"replay_batches={REPLAY_BATCHES}")
        run = json.loads((to / "policies-deployed/run.json").read_text())
        expect("every policy is told of", [p["name"] for p in run["policies"]] == REPLAYED)
        for policy in run["policies"]:
            self.account.sent += policy["images"]
            expect(f"{policy['name']} broke no rule", policy["violations"] == 0)
        (self.out / "replay.txt").write_text(said)
        self.write_inventory()
        self.play("site.yml")
        answers = self.pushed(self.pushing(9, 50), 9)
        expect("the pipeline is as before", all(a["status"] == "answered" for a in answers))

    def broken_update(self):
        """To a version whose stages do not start: it ends at the first host, and costs no image."""
        ill = broken(self.packages, self.scratch / "broken")
        version = version_of(self.packages) + BROKEN
        self.repository.fill([*ill, *self.debian])
        with self.load():
            try:
                said = self.play("rolling_update.yml")
            except Failed:
                pass
            else:
                raise Failed(f"it says that all is well:\n{said}")
        first, *others = self.hosts[1:]
        expect("the first host has it", versions(first) == {version})
        for host in others + self.hosts[:1]:
            expect(f"{host.name} has it not, but {versions(host)}",
                   version not in versions(host))

    def rolling_update(self):
        """To the packages of the next commit as they were built, under load."""
        self.repository.fill([*self.following, *self.debian])
        with self.load():
            self.play("rolling_update.yml")
        for host in self.hosts:
            expect(f"{host.name} has the next version, not {versions(host)}",
                   versions(host) == {version_of(self.following)})
        expect("all stages run", running(self.hosts[1]) == {"stage@0", "stage@1"})

    def remove(self):
        self.play("remove.yml", "-e", "remove_unneeded=true")
        for host in self.hosts:
            left = host.run("find / -xdev -name '*collage*' -not -path '/proc/*' -not -path '/sys/*' "
                            "-not -path '/var/lib/dpkg/*' -not -path '/run/*' "
                            "-not -path '/var/log/*' -not -path '/var/lib/apt/*'")
            expect(f"no file is left on {host.name}:\n{left}", left == "")
        for host, before in zip(self.hosts, self.before):
            now = inventory_of(host)
            for what, were in before.items():
                are = now[what] - KEPT
                expect(f"{host.name}: {what} are as they were, not with {are ^ were}", are == were)


def main():
    folder, next_folder, scratch, out = folders(__doc__)
    packages, following = all_of(folder), all_of(next_folder)
    base = Base(scratch)
    debian = base.fetched(of_debian(packages))
    repository = Repository(scratch / "repository")
    repository.fill([*packages, *debian])
    with Hosts(scratch, base, count=4) as hosts, repository:
        test = DeployTest(hosts, packages, following, debian, scratch, out, repository)
        steps = [test.boot, test.deploy, test.second_run_unchanged, test.firewall, test.push,
                 test.gateway, test.kill_host, test.cut_link, test.alert, test.keys, test.scale,
                 test.rotate_keys, test.replay, test.collect_logs, test.broken_update,
                 test.rolling_update, test.remove]
        good = test.run(steps, out / "account.json")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
