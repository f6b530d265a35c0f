"""The files that run a pipeline in containers, against each other and against the programs.

    manifests_test.py FOLDER-OF-PROGRAMS

Debian packages no checker of Kubernetes' schemas, so what a cluster would refuse, or silently not
connect, is checked here: kinds and their versions, labels, ports, volumes, rights.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

PACKAGES = pathlib.Path(__file__).resolve().parents[2] / "packages"
PROGRAMS = pathlib.Path()  # From the command line.
VERSIONS = {"Namespace": "v1", "ConfigMap": "v1", "Service": "v1", "Deployment": "apps/v1",
            "PodDisruptionBudget": "policy/v1", "NetworkPolicy": "networking.k8s.io/v1"}
CONTAINERFILE = (PACKAGES / "containers/Containerfile").read_text()
TARGETS = set(re.findall(r"^FROM \S+ AS (\w+)", CONTAINERFILE, re.MULTILINE))


def check(text, program):
    """Whether a program (with its arguments) accepts a pipeline file, with the paths and names of
    this machine."""
    text = text.replace("/usr/share/collage/", f"{PACKAGES.parent}/")
    text = re.sub(r"tcp://[a-z-]+:", "tcp://127.0.0.1:", text)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([PROGRAMS / program[0], *program[1:], "--check", file.name], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode == 0, done.stdout


def program_of(file):
    """The program that reads this file of a role, with its arguments."""
    role = pathlib.PurePath(file).stem
    return [f"collage-{role}", *(["classifier"] if role == "stage" else [])]


def without_addresses(text):
    """A pipeline file without what says where processes listen and find each other."""
    pipeline = yaml.safe_load(text)
    for key in ("endpoints", "http", "gateway"):
        pipeline.pop(key, None)
    return yaml.safe_dump(pipeline)


class Kubernetes(unittest.TestCase):
    def setUp(self):
        text = (PACKAGES / "kubernetes/collage.yaml").read_text()
        self.all = list(yaml.safe_load_all(text))
        self.configuration = self.of("ConfigMap")[0]["data"]

    def of(self, kind):
        return [each for each in self.all if each["kind"] == kind]

    def pods(self):
        """Name, labels and pod of each deployment."""
        return [(each["metadata"]["name"], each["spec"]["template"]["metadata"]["labels"],
                 each["spec"]["template"]["spec"]) for each in self.of("Deployment")]

    def containers(self):
        return [(name, pod["containers"][0]) for name, _, pod in self.pods()]

    def test_each_object_is_of_a_known_version_and_in_the_namespace(self):
        names = set()
        for each in self.all:
            self.assertEqual(each["apiVersion"], VERSIONS[each["kind"]])
            if each["kind"] != "Namespace":
                self.assertEqual(each["metadata"]["namespace"], "collage")
            names.add((each["kind"], each["metadata"]["name"]))
        self.assertEqual(len(names), len(self.all), "two objects of one name")

    def test_each_selector_finds_its_pods(self):
        for each in self.of("Deployment"):
            labels = each["spec"]["template"]["metadata"]["labels"]
            self.assertEqual(each["spec"]["selector"]["matchLabels"], labels)
        for each in self.of("Service"):
            found = [labels for _, labels, _ in self.pods()
                     if each["spec"]["selector"].items() <= labels.items()]
            self.assertEqual(len(found), 1, each["metadata"]["name"])
        for each in self.of("PodDisruptionBudget") + self.of("NetworkPolicy"):
            selector = each["spec"].get("selector") or each["spec"]["podSelector"]
            self.assertTrue([labels for _, labels, _ in self.pods()
                             if selector["matchLabels"].items() <= labels.items()])

    def test_each_port_of_a_service_and_of_a_probe_is_one_of_the_container(self):
        ports = {name: {port["name"]: port["containerPort"] for port in container["ports"]}
                 for name, container in self.containers()}
        for each in self.of("Service"):
            for port in each["spec"]["ports"]:
                self.assertEqual(ports[each["metadata"]["name"]][port["name"]], port["port"])
        for name, container in self.containers():
            for probe in ("livenessProbe", "readinessProbe"):
                self.assertIn(container[probe]["httpGet"]["port"], ports[name])
                self.assertIn(container[probe]["httpGet"]["path"], ("/livez", "/readyz"))

    def test_each_pod_has_its_file_and_no_rights(self):
        for name, labels, pod in self.pods():
            container = pod["containers"][0]
            self.assertEqual(container["name"], labels["role"])
            file = pathlib.PurePath(container["args"][-1])
            self.assertIn(file.name, self.configuration, name)
            volumes = {volume["name"] for volume in pod["volumes"]}
            mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            self.assertIn(mounts[str(file.parent)], volumes)
            self.assertTrue(pod["securityContext"]["runAsNonRoot"])
            confined = container["securityContext"]
            self.assertFalse(confined["allowPrivilegeEscalation"])
            self.assertTrue(confined["readOnlyRootFilesystem"])
            self.assertEqual(confined["capabilities"], {"drop": ["ALL"]})

    def test_each_image_is_a_target_of_the_containerfile(self):
        for _, container in self.containers():
            self.assertIn(re.fullmatch(r"collage-(\w+):latest", container["image"])[1], TARGETS)

    def test_a_client_keeps_its_gateway(self):
        gateway, = (each for each in self.of("Service")
                    if each["metadata"]["name"] == "collage-gateway")
        self.assertEqual(gateway["spec"]["sessionAffinity"], "ClientIP")

    def test_the_files_are_valid_and_differ_in_addresses_alone(self):
        for name, text in self.configuration.items():
            good, said = check(text, program_of(name))
            self.assertTrue(good, f"{name}: {said}")
        self.assertEqual(len({without_addresses(text) for text in self.configuration.values()}), 1)

    def test_the_names_of_endpoints_are_services_with_that_port(self):
        ports = {each["metadata"]["name"]: {port["port"] for port in each["spec"]["ports"]}
                 for each in self.of("Service")}
        seen = 0
        for text in self.configuration.values():
            for host, port in re.findall(r"tcp://(collage-\w+):(\d+)", text):
                self.assertIn(int(port), ports[host])
                seen += 1
        self.assertGreater(seen, 0)


class Compose(unittest.TestCase):
    def setUp(self):
        self.services = yaml.safe_load((PACKAGES / "containers/compose.yaml").read_text())["services"]

    def test_each_service_has_a_valid_file_that_names_services(self):
        for name, service in self.services.items():
            source, place, _ = service["volumes"][0].split(":")
            text = (PACKAGES / "containers" / source).read_text()
            good, said = check(text, program_of(source))
            self.assertTrue(good, f"{name}: {said}")
            self.assertEqual(place, "/etc/collage/pipeline.yaml")
            hosts = re.findall(r"tcp://([^:]+):", text)
            self.assertEqual(len(hosts), 3)
            for host in hosts:
                self.assertIn(host, {*self.services, "0.0.0.0"})

    def test_the_files_differ_in_addresses_alone(self):
        others = {without_addresses((PACKAGES / f"containers/{role}.yaml").read_text())
                  for role in ("broker", "sink", "gateway", "stage")}
        self.assertEqual(len(others), 1)

    def test_each_service_is_built_from_a_target(self):
        for name, service in self.services.items():
            target = service["build"]["target"]
            self.assertIn(target, TARGETS, name)
            self.assertEqual(service["image"], f"localhost/collage-{target}")

    def test_nothing_is_published_beyond_this_host_and_nothing_has_rights(self):
        for name, service in self.services.items():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), name)
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertTrue(service["read_only"], name)


class Images(unittest.TestCase):
    def test_each_process_runs_as_no_root(self):
        parts = re.split(r"^FROM ", CONTAINERFILE, flags=re.MULTILINE)[1:]
        users = {}
        for part in parts:
            base, target = re.match(r"(\S+) AS (\w+)", part).groups()
            user = re.search(r"^USER (\S+)", part, re.MULTILINE)
            users[target] = user[1] if user else users.get(base)
            if "ENTRYPOINT" in part:
                self.assertEqual(users[target], "10001:10001", target)


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop()).resolve()
    unittest.main(argv=sys.argv[:1])
