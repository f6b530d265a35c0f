"""The images of packages/containers, built from the Debian packages and run as a pipeline.

    container_test.py PACKAGES NEXT SCRATCH OUT    folders of the .deb files of a commit and of the
                                                   next one (not used), for the images, for results

No registry is asked: the base image is made by debootstrap.  Prints a line a step and writes
OUT/containers.json; exit code 0 if every step was good, 1 if one was not, 77 if this machine cannot
run containers, with the reason.
"""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import urllib.request

from hosts import MIRROR, SUITE, Failed, await_true, sh
from packages import all_of, version_of
from steps import Test, expect, folders, grey_png

HERE = pathlib.Path(__file__).resolve().parent
CONTAINERS = HERE.parent.parent / "packages/containers"
PROGRAMS = HERE.parent.parent / "build/release/bin"
BASE = "localhost/collage-test-base"
TARGETS = ["broker", "sink", "gateway", "stage", "client"]
STAGES = ["classifier-0", "classifier-1"]
UP_S = 60
LIMIT_MAX = 16384  # Of descriptors and processes of a container; podman lowers its own, too.


def configure(scratch):
    """Has podman of this process and its children run containers on this machine: with runc, which
    knows both versions of cgroups, and with limits that may be set without CAP_SYS_RESOURCE: none
    above its own."""
    limits = []
    for name, what in {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}.items():
        soft, hard = (LIMIT_MAX if limit == resource.RLIM_INFINITY else min(limit, LIMIT_MAX)
                      for limit in resource.getrlimit(what))
        limits.append(f'"{name}={soft}:{hard}"')
    file = scratch / "containers.conf"
    file.write_text(f"[containers]\ndefault_ulimits = [{', '.join(limits)}]\n"
                    '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n'
                    'events_logger = "file"\n')
    os.environ["CONTAINERS_CONF"] = str(file)


def base_image(scratch):
    """An empty Debian, made once."""
    done = scratch / "container-base.done"
    if done.exists() and sh("podman", "images", "-q", BASE):
        return
    root = scratch / "container-base"
    shutil.rmtree(root, ignore_errors=True)
    sh("debootstrap", "--variant=minbase", SUITE, root, MIRROR)
    sh("sh", "-c", f"tar -C '{root}' -c . | podman import - {BASE}")
    shutil.rmtree(root)
    done.touch()


def require():
    """Why this machine cannot run containers, or None."""
    for program in ("podman", "buildah", "podman-compose", "runc", "debootstrap"):
        if shutil.which(program) is None:
            return f"containers need {program}"
    tried = subprocess.run(["podman", "run", "--rm", BASE, "true"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False)
    return None if tried.returncode == 0 else f"podman runs nothing here: {tried.stdout.strip()}"


class ContainerTest(Test):
    """The pipeline of compose.yaml."""

    def __init__(self, packages, scratch):
        super().__init__()
        self.packages = packages
        self.scratch = scratch
        self.picture = scratch / "picture.png"
        self.picture.write_bytes(grey_png(28))

    def compose(self, *argv):
        return sh("podman-compose", "-p", "collagetest", "-f", CONTAINERS / "compose.yaml", *argv)

    @staticmethod
    def container(service):
        return f"collagetest_{service}_1"

    def build(self):
        # Kept, so that the next build downloads nothing.
        archives = self.scratch / "container-archives"
        archives.mkdir(exist_ok=True)
        context = self.scratch / "container-context"
        shutil.rmtree(context, ignore_errors=True)
        context.mkdir()
        for each in self.packages:
            (context / each.name).hardlink_to(each)
        for target in TARGETS:
            sh("buildah", "bud", "--isolation", "chroot", "--layers", "--build-arg", f"BASE={BASE}",
               "-v", f"{archives}:/var/cache/apt/archives", "--target", target, "-t",
               f"localhost/collage-{target}", "-f", CONTAINERS / "Containerfile", context)

    def up(self):
        self.compose("up", "-d", "--no-build")
        expect("the broker and the sink are ready", await_true(self.ready, UP_S))
        for service in ("broker", "sink", "gateway", *STAGES):
            user = sh("podman", "exec", self.container(service), "id", "-u").strip()
            expect(f"{service} runs as no root, not as {user}", user == "10001")
            said = sh("podman", "exec", self.container(service), "sh", "-c",
                      "touch /usr/mine 2>&1 || true")
            expect(f"{service} cannot write: {said}", "Read-only" in said)

    @staticmethod
    def ready():
        try:
            for path in ("9570/readyz", "9571/readyz", "8080/readyz"):
                urllib.request.urlopen(f"http://127.0.0.1:{path}", timeout=2).close()
        except OSError:
            return False
        return True

    def push(self, images=50):
        said = sh(PROGRAMS / "collage-push", *[self.picture] * images, "--endpoint",
                  "tcp://127.0.0.1:5570", "--quiet", check=False)
        answers = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        self.account.add(answers)
        expect(f"{images} images are answered:\n{said[-500:]}",
               [answer["status"] for answer in answers] == ["answered"] * images)
        return answers

    def http(self):
        """The gateway answers a POST."""
        request = urllib.request.Request("http://127.0.0.1:8080/v1/classify",
                                         data=self.picture.read_bytes(),
                                         headers={"Content-Type": "image/png"})
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = json.load(response)
        expect(f"the gateway answers with a label: {answer}", answer["status"] == "answered" and answer["class"])

    def version(self):
        with urllib.request.urlopen("http://127.0.0.1:9570/metrics", timeout=5) as page:
            expect("the metrics tell the version of the packages",
                   f'version="{version_of(self.packages)}"' in page.read().decode())

    def cover(self):
        """With every s-CNN stage stopped the collage answers."""
        for service in STAGES:
            sh("podman", "kill", "--signal", "STOP", self.container(service))
        answers = self.push(9)
        for service in STAGES:
            sh("podman", "kill", "--signal", "CONT", self.container(service))
        expect("collages answer", any(answer["source"] == "collage" for answer in answers))

    def restart(self):
        """Each process comes back and finds the others."""
        for service in ("broker", "sink", "gateway", "collage-0", *STAGES):
            sh("podman", "restart", "-t", "15", self.container(service))
        expect("all is ready again", await_true(self.ready, UP_S))
        self.push()
        self.http()

    def client(self):
        said = sh("podman", "run", "--rm", "localhost/collage-client", "--version")
        expect(f"the client says its version: {said}", version_of(self.packages) in said)

    def down(self):
        self.compose("down", "-t", "15")
        left = sh("podman", "ps", "-a", "--format", "{{.Names}}")
        expect(f"no container is left: {left}", "collagetest" not in left)


def main():
    folder, _, scratch, out = folders(__doc__)
    packages = all_of(folder)
    configure(scratch)
    base_image(scratch)
    if (reason := require()) is not None:
        print(f"not tested: {reason}")
        return 77
    test = ContainerTest(packages, scratch)
    try:
        good = test.run([test.build, test.up, test.version, test.push, test.http, test.cover, test.restart,
                         test.client, test.down], out / "containers.json")
    finally:
        try:
            test.compose("down", "-t", "1")
        except Failed:
            pass  # It is down.
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
