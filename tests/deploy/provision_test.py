"""The playbook that creates and deletes droplets, against a stand-in of DigitalOcean's API.

    provision_test.py SCRATCH      a folder for what it writes

The stand-in listens on loopback and knows what the playbook asks for, no more; whether the cloud
does the same is not tested.  Exit code 0 if every test passed.
"""

import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import unittest

PLAYBOOKS = pathlib.Path(__file__).resolve().parent.parent.parent / "ansible"
TOKEN = "dop_v1_stand_in"
SCRATCH = pathlib.Path(sys.argv.pop() if len(sys.argv) > 1 else ".").resolve()


class Cloud(http.server.BaseHTTPRequestHandler):
    """Droplets in memory; each is up once it has been asked for twice."""

    def reply(self, code, body=None):
        text = json.dumps(body).encode() if body is not None else b""
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")

    def allowed(self):
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self.reply(401, {"id": "unauthorized", "message": "Unable to authenticate you"})
        return False

    def do_GET(self):
        droplets = self.server.droplets
        path = self.path.removeprefix("/v2").split("?")[0]
        if not self.allowed():
            return
        if path == "/account":
            self.reply(200, {"account": {"status": "active"}})
        elif path == "/firewalls":
            self.reply(200, {"firewalls": [], "links": {}})
        elif path == "/droplets":
            self.reply(200, {"droplets": list(droplets.values()), "links": {}})
        elif found := re.fullmatch(r"/droplets/(\d+)/actions/(\d+)", path):
            self.reply(200, {"action": {"id": int(found[2]), "status": "completed"}})
        elif (found := re.fullmatch(r"/droplets/(\d+)", path)) and int(found[1]) in droplets:
            droplet = droplets[int(found[1])]
            self.reply(200, {"droplet": droplet})
            droplet["status"] = "active"
        else:
            self.reply(404, {"id": "not_found", "message": path})

    def do_POST(self):
        path, wanted = self.path.removeprefix("/v2"), self.body()
        if not self.allowed():
            return
        if path == "/droplets":
            self.reply(202, {"droplet": self.server.create(wanted)})
        elif re.fullmatch(r"/droplets/\d+/actions", path):
            self.reply(201, {"action": {"id": 1, "status": "in-progress"}})
        else:
            self.reply(404, {"id": "not_found", "message": path})

    def do_DELETE(self):
        if not self.allowed():
            return
        number = int(self.path.rsplit("/", 1)[1])
        self.reply(204 if self.server.droplets.pop(number, None) else 404)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Cloud)
        self.droplets = {}
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/v2"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def create(self, wanted):
        with self.lock:
            number = max(self.droplets, default=0) + 1
            self.droplets[number] = {
                "id": number, "name": wanted["name"], "size_slug": wanted["size"],
                "image": wanted["image"], "region": wanted["region"],
                "ssh_keys": wanted["ssh_keys"], "tags": wanted["tags"], "status": "new",
                "networks": {"v4": [{"type": "private", "ip_address": f"10.1.0.{number}"},
                                    {"type": "public", "ip_address": f"198.51.100.{number}"}]}}
            return self.droplets[number]

    def named(self):
        return {droplet["name"]: droplet for droplet in self.droplets.values()}


class Provision(unittest.TestCase):
    def setUp(self):
        self.cloud = Server()
        self.addCleanup(self.cloud.server_close)
        self.addCleanup(self.cloud.shutdown)
        SCRATCH.mkdir(parents=True, exist_ok=True)
        self.addresses = SCRATCH / "addresses.yml"
        self.addresses.unlink(missing_ok=True)
        self.inventory = SCRATCH / "provision.yml"
        self.inventory.write_text(json.dumps({"all": {"children": {
            "broker": {"hosts": {"front": {"provision_size": "s-2vcpu-4gb"}}},
            "sink": {"hosts": {"front": {}, "back": {}}},
            "classifier": {"hosts": {"scnn0": {}, "scnn1": {}}}}}}))

    def play(self, *options, token=TOKEN):
        done = subprocess.run(
            ["ansible-playbook", "-i", self.inventory, "provision.yml", "-e",
             f"provision_api={self.cloud.url}", "-e", "provision_poll_seconds=1", "-e",
             f"provision_addresses={self.addresses}", "-e", '{"provision_ssh_keys": ["12345"]}',
             *options],
            cwd=PLAYBOOKS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "DO_API_TOKEN": token, "ANSIBLE_NOCOLOR": "1",
                 "ANSIBLE_HOME": str(SCRATCH / "ansible")})
        self.assertNotIn(token, done.stdout)
        return done

    def test_each_host_gets_a_droplet_as_the_inventory_says(self):
        done = self.play()
        self.assertEqual(done.returncode, 0, done.stdout)
        droplets = self.cloud.named()
        self.assertEqual(set(droplets), {"collage-front", "collage-back", "collage-scnn0",
                                         "collage-scnn1"})
        self.assertEqual(droplets["collage-front"]["size_slug"], "s-2vcpu-4gb")
        self.assertEqual(droplets["collage-scnn0"]["size_slug"], "s-1vcpu-2gb")
        self.assertEqual(droplets["collage-scnn0"]["image"], "debian-12-x64")
        self.assertEqual(droplets["collage-scnn0"]["ssh_keys"], ["12345"])

    def test_their_addresses_are_an_inventory(self):
        self.assertEqual(self.play("-e", "provision_network=private").returncode, 0)
        said = subprocess.run(
            ["ansible-inventory", "-i", self.inventory, "-i", self.addresses, "--host", "front"],
            cwd=PLAYBOOKS, stdout=subprocess.PIPE, text=True, check=True).stdout
        front = self.cloud.named()["collage-front"]
        self.assertEqual(json.loads(said)["ansible_host"],
                         front["networks"]["v4"][0]["ip_address"])

    def test_a_second_run_changes_nothing(self):
        self.assertEqual(self.play().returncode, 0)
        again = self.play()
        self.assertEqual(again.returncode, 0, again.stdout)
        self.assertNotRegex(again.stdout, r"changed=[1-9]")
        self.assertEqual(len(self.cloud.droplets), 4)

    def test_a_check_creates_nothing(self):
        done = self.play("--check")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.cloud.droplets, {})

    def test_only_what_it_has_created_is_deleted(self):
        self.cloud.create({"name": "front", "size": "s", "image": "i", "region": "r",
                           "ssh_keys": [], "tags": []})
        self.assertEqual(self.play().returncode, 0)
        done = self.play("-e", "provision_state=absent")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(set(self.cloud.named()), {"front"})
        self.assertFalse(self.addresses.exists())

    def test_a_limit_leaves_the_addresses_of_the_others(self):
        def known():
            return set(json.loads(subprocess.run(
                ["ansible-inventory", "-i", self.addresses, "--list"], cwd=PLAYBOOKS, check=True,
                stdout=subprocess.PIPE, text=True).stdout)["_meta"]["hostvars"])
        self.assertEqual(self.play("--limit", "front,scnn0").returncode, 0)
        self.assertEqual(known(), {"front", "scnn0"})
        self.assertEqual(self.play("--limit", "scnn1").returncode, 0)
        self.assertEqual(known(), {"front", "scnn0", "scnn1"})
        self.assertEqual(self.play("--limit", "scnn0", "-e", "provision_state=absent").returncode, 0)
        self.assertEqual(known(), {"front", "scnn1"})
        self.assertEqual(set(self.cloud.named()), {"collage-front", "collage-scnn1"})

    def test_a_retired_host_gets_no_droplet_and_loses_the_one_it_has(self):
        self.assertEqual(self.play().returncode, 0)
        inventory = json.loads(self.inventory.read_text())
        groups = inventory["all"]["children"]
        groups["retired"] = {"hosts": {"scnn1": groups["classifier"]["hosts"].pop("scnn1"),
                                       "old": {}}}
        self.inventory.write_text(json.dumps(inventory))
        self.assertEqual(self.play().returncode, 0)
        self.assertNotIn("collage-old", self.cloud.named())
        self.assertEqual(self.play("--limit", "retired", "-e", "provision_state=absent").returncode,
                         0)
        self.assertEqual(set(self.cloud.named()),
                         {"collage-front", "collage-back", "collage-scnn0"})

    def test_a_wrong_token_is_refused(self):
        done = self.play(token="wrong_token")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Failed to login", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
