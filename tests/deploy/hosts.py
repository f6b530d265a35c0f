"""Hosts to test on: Debian containers that are really booted, each with its own systemd, sshd and
address on a bridge of their own.

    base (debootstrap) <- one overlay a host

    with Hosts(folder, Base(folder), count=4) as hosts:
        hosts[0].run("apt-get install -y collage-broker")

Debian's servers are out of the hosts' reach: what they install comes from a Repository, which this
machine fills and serves.  Root is needed, and a kernel with overlayfs; CannotBoot says what is
missing.  Whatever is made here is taken down at the end, but for the base and the packages that were
fetched for it, which are kept for the next time.
"""

import contextlib
import dataclasses
import functools
import http.server
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

MIRROR = "http://deb.debian.org/debian"
SUITE = "bookworm"
PACKAGES = ("systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,nftables,"
            "ca-certificates,procps")
BRIDGE = "brcollage"
NETWORK = "10.77.0"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
BOOT_S = 60
HALT_S = 20


class CannotBoot(Exception):
    """Why this machine cannot boot test hosts, in one line."""


class Failed(Exception):
    """A command that should have succeeded has not."""


def sh(*argv, check=True, **options):
    """Runs a command of this machine and returns its output."""
    options = {"stderr": subprocess.STDOUT, **options}
    done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, text=True,
                          **options)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, argv))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def await_true(what, within_s, every_s=0.1):
    """Asks until the answer is true; whether it came in time."""
    end = time.monotonic() + within_s
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(every_s)
    return bool(answer)


def require():
    if os.geteuid() != 0:
        raise CannotBoot("test hosts need root")
    for program in ("debootstrap", "systemd-nspawn", "ip", "ssh", "ssh-keygen"):
        if shutil.which(program) is None:
            raise CannotBoot(f"test hosts need {program}")
    if "overlay" not in pathlib.Path("/proc/filesystems").read_text():
        sh("modprobe", "overlay", check=False)
        if "overlay" not in pathlib.Path("/proc/filesystems").read_text():
            raise CannotBoot("test hosts need overlayfs, which this kernel has not")
    unified()


def unified():
    """The cgroup2 tree: all of the cgroups, or a part of them beside version 1."""
    for tree in (CGROUPS, CGROUPS / "unified"):
        if (tree / "cgroup.procs").exists() and (tree / "cgroup.controllers").exists():
            return tree
    raise CannotBoot("test hosts need a cgroup2 tree under /sys/fs/cgroup")


class Base:
    """The root of an empty Debian, made once."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.root = self.folder / "base"

    def make(self):
        done = self.folder / "base.done"
        if not done.exists():
            shutil.rmtree(self.root, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            sh("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, self.root,
               MIRROR)
            done.touch()
        return self.root

    def fetched(self, packages):
        """The .deb files of packages of Debian and of all they need that the base has not."""
        folder = self.folder / "fetched"
        done = folder / "done"
        wanted = " ".join(sorted(packages))
        if not done.exists() or done.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            scratch = folder / "scratch"
            upper, work, root = scratch / "upper", scratch / "work", scratch / "root"
            for each in (upper, work, root):
                each.mkdir(parents=True)
            with mounted_overlay(root, self.make(), upper, work), \
                    mounted("proc", "proc", root / "proc"):
                shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
                fetch = "apt-get install --download-only -y --no-install-recommends " + wanted
                sh("chroot", root, "sh", "-c", f"apt-get update && {fetch}",
                   env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
            for each in (upper / "var/cache/apt/archives").glob("*.deb"):
                each.rename(folder / each.name)
            shutil.rmtree(scratch)
            done.write_text(wanted)
        return sorted(folder.glob("*.deb"))


@contextlib.contextmanager
def mounted(kind, what, where, options=""):
    sh("mount", "-t", kind, *(["-o", options] if options else []), what, where)
    try:
        yield
    finally:
        sh("umount", where)


def mounted_overlay(root, lower, upper, work):
    return mounted("overlay", "overlay", root,
                   f"lowerdir={lower},upperdir={upper},workdir={work}")


@dataclasses.dataclass
class Host:
    name: str
    address: str
    folder: pathlib.Path
    key: pathlib.Path
    process: subprocess.Popen | None = None  # Of the container, once it has been started.

    @property
    def root(self):
        return self.folder / "root"

    @property
    def cgroup(self):
        return unified() / f"collage-test-{self.name}"

    def ssh_options(self):
        return ["-i", self.key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR"]

    def run(self, command, check=True):
        """A shell command on the host; its output."""
        return sh("ssh", *self.ssh_options(), f"root@{self.address}", command, check=check)

    def holds(self, command):
        """Whether a shell command on the host succeeds."""
        done = subprocess.run(["ssh", *map(str, self.ssh_options()), f"root@{self.address}",
                               command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return done.returncode == 0

    def put(self, file, place):
        sh("scp", "-q", *self.ssh_options(), file, f"root@{self.address}:{place}")

    def start(self):
        """Switches it on, in a cgroup of its own: the systemds of two would else manage the same."""
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit",
                   f"--machine={self.name}", f"--directory={self.root}",
                   f"--network-bridge={BRIDGE}", "--boot"]
        whole = "1" if unified() == CGROUPS else "0"
        with (self.folder / "boot.log").open("a") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", f'echo $$ > {self.cgroup}/cgroup.procs; exec "$@"', "sh", *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": whole})

    def halt(self):
        """In good order; if that does not come to an end, by cutting its power."""
        self.process.terminate()
        try:
            self.process.wait(HALT_S)
        except subprocess.TimeoutExpired:
            self.cut_power()

    def cut_power(self):
        for kill in self.cgroup.rglob("cgroup.kill"):
            kill.write_text("1")
        self.process.wait(HALT_S)

    def boot_again(self):
        self.start()
        self.await_up()

    def set_link(self, state):
        """Its cable: "up" or "down"."""
        sh("ip", "link", "set", f"vb-{self.name}", state)

    def await_up(self):
        if not await_true(lambda: self.holds("true"), BOOT_S):
            log = (self.folder / "boot.log").read_text()[-2000:]
            raise Failed(f"{self.name} does not answer within {BOOT_S} s\n{log}")


class Hosts:
    """`count` hosts, booted from one base, named h1, h2 ... with addresses to match."""

    def __init__(self, folder, base, count):
        self.folder = pathlib.Path(folder).resolve()
        self.base = base
        self.count = count
        self.stack = contextlib.ExitStack()
        self.hosts = []

    def __enter__(self):
        # Whoever ends a test by a signal does not want its hosts to stay.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            self._bridge()
            key = self.folder / "key"
            self.folder.mkdir(parents=True, exist_ok=True)
            if not key.exists():
                sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
            for number in range(1, self.count + 1):
                self.hosts.append(self._boot(number, key))
            for host in self.hosts:
                host.await_up()
        except BaseException:
            self.stack.close()
            raise
        return self.hosts

    def __exit__(self, *_):
        self.stack.close()

    def _bridge(self):
        sh("ip", "link", "add", BRIDGE, "type", "bridge")
        self.stack.callback(sh, "ip", "link", "del", BRIDGE)
        sh("ip", "addr", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        sh("ip", "link", "set", BRIDGE, "up")

    def _boot(self, number, key):
        name = f"h{number}"
        host = Host(name, f"{NETWORK}.{10 + number}", self.folder / name, key)
        shutil.rmtree(host.folder, ignore_errors=True)
        upper, work = host.folder / "upper", host.folder / "work"
        for each in (upper, work, host.root):
            each.mkdir(parents=True)
        self.stack.callback(shutil.rmtree, host.folder, ignore_errors=True)
        self.stack.enter_context(mounted_overlay(host.root, self.base.make(), upper, work))
        self._configure(host)
        host.cgroup.mkdir(exist_ok=True)
        self.stack.callback(self._remove_cgroups, host)
        self.stack.callback(host.halt)
        host.start()
        return host

    def _configure(self, host):
        root = host.root
        (root / "etc/hostname").write_text(host.name + "\n")
        (root / "etc/hosts").write_text(f"127.0.0.1 localhost {host.name}\n")
        (root / "etc/apt/sources.list").write_text("")  # Debian's servers are out of reach.
        (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
        shutil.copy(host.key.with_suffix(".pub"), root / "root/.ssh/authorized_keys")
        (root / "etc/systemd/network").mkdir(exist_ok=True)
        (root / "etc/systemd/network/10-host0.network").write_text(
            f"[Match]\nName=host0\n[Network]\nAddress={host.address}/24\nLinkLocalAddressing=no\n")
        units = root / "etc/systemd/system"
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        link = units / "multi-user.target.wants/systemd-networkd.service"
        if not link.is_symlink():
            link.symlink_to("/lib/systemd/system/systemd-networkd.service")
        mask = units / "systemd-networkd-wait-online.service"
        if not mask.is_symlink():
            mask.symlink_to("/dev/null")
        for old in (root / "etc/ssh").glob("ssh_host_*"):
            old.unlink()
        sh("ssh-keygen", "-A", "-f", root)

    @staticmethod
    def _remove_cgroups(host):
        for tree in {host.cgroup, CGROUPS / "systemd" / host.cgroup.name}:
            if tree.exists():
                for folder in sorted(tree.rglob("*/"), reverse=True):
                    folder.rmdir()
                tree.rmdir()


class Repository:
    """An apt source of some .deb files, served to the hosts while the context lasts."""

    PORT = 8000

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()

    @property
    def line(self):
        return f"deb [trusted=yes] http://{NETWORK}.1:{self.PORT} ./"

    def fill(self, packages):
        """Holds these from now on and no others."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for package in packages:
            (self.folder / package.name).hardlink_to(package)
        index = sh("dpkg-scanpackages", "--multiversion", ".", "/dev/null", cwd=self.folder,
                   stderr=subprocess.DEVNULL)
        (self.folder / "Packages").write_text(index)

    def __enter__(self):
        handler = functools.partial(_Quiet, directory=str(self.folder))
        self.server = http.server.ThreadingHTTPServer((f"{NETWORK}.1", self.PORT), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
