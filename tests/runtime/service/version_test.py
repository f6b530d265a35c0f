"""What version.cmake makes of a checkout, of a part of one and of none, compared as dpkg does.

    version_test.py CMAKE SCRATCH      a folder for repositories, emptied first
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
FOLDER = "runtime/service"
CMAKE, SCRATCH = "cmake", pathlib.Path(".")  # From the command line.
# The repositories are the same wherever they are made, whatever their maker has configured.
ENVIRONMENT = {**os.environ, "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
               "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@localhost",
               "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@localhost"}


def output(*argv):
    return subprocess.run([str(word) for word in argv], check=True, text=True, env=ENVIRONMENT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout.strip()


def git(tree, *argv):
    return output("git", "-C", tree, *argv)


def commit(tree, what="a change"):
    git(tree, "commit", "-q", "--allow-empty", "-m", what)


def lower(one, other):
    return subprocess.run(["dpkg", "--compare-versions", one, "lt", other],
                          check=False).returncode == 0


class Version(unittest.TestCase):
    def setUp(self):
        self.scratch = SCRATCH / self.id().rsplit(".", 1)[1]
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.tree = self.scratch / "tree"
        (self.tree / FOLDER).mkdir(parents=True)
        for name in ("version.cmake", "archived_commit"):
            shutil.copy(SOURCE / FOLDER / name, self.tree / FOLDER)
        shutil.copy(SOURCE / ".gitattributes", self.tree)
        (self.tree / "CHANGELOG.md").write_text("# Changelog\n")

    def init(self, commits=1):
        git(self.tree, "init", "-q")
        git(self.tree, "add", "-A")
        for _ in range(commits):
            commit(self.tree)

    def generate(self, tree, **variables):
        made = self.scratch / "made"
        shutil.rmtree(made, ignore_errors=True)
        variables = {"FOLDER": made, "SOURCE": tree, "BASE": "0.2.0", **variables}
        output(CMAKE, *(f"-D{name}={value}" for name, value in variables.items()),
               "-P", tree / FOLDER / "version.cmake")
        text = (made / "version.cmake").read_text()
        return dict(re.findall(r'set\((\w+) "?([^")]*)"?\)', text))

    def version(self, tree=None, **variables):
        return self.generate(tree or self.tree, **variables)["COLLAGE_VERSION_TEXT"]

    def test_versions_increase_from_commit_to_commit_and_across_releases(self):
        self.init()
        seen = [self.version()]
        self.assertRegex(seen[0], r"^0\.2\.0~1\.g[0-9a-f]{12}$")
        for what in ("commit", "commit", "v0.2.0", "commit", "commit", "v0.2.1"):
            if what == "commit":
                commit(self.tree)
            else:
                commit(self.tree)
                git(self.tree, "tag", what)
            seen.append(self.version())
        self.assertRegex(seen[1], r"^0\.2\.0~2\.g")
        self.assertEqual(seen[3], "0.2.0")
        self.assertRegex(seen[5], r"^0\.2\.0\+2\.g")
        self.assertEqual(seen[6], "0.2.1")
        commit(self.tree)
        seen.append(self.version(BASE="0.3.0"))  # The first commit towards the next release.
        self.assertRegex(seen[7], r"^0\.3\.0~8\.g")
        for before, after in zip(seen, seen[1:]):
            self.assertTrue(lower(before, after), f"{before} < {after}")
        self.assertTrue(lower("0.1.0", seen[0]), "the packages of the first version")

    def test_more_than_nine_commits_are_counted_as_a_number(self):
        self.init(commits=9)
        ninth = self.version()
        commit(self.tree)
        self.assertTrue(lower(ninth, self.version()))

    def test_a_tag_that_is_no_release_does_not_count(self):
        self.init()
        for tag in ("v0.2.0-rc1", "vienna", "deployed"):
            git(self.tree, "tag", tag)
        self.assertRegex(self.version(), r"^0\.2\.0~1\.g")

    def test_a_changed_file_is_told_and_a_new_one_is_not(self):
        self.init()
        clean = self.version()
        (self.tree / "new").write_text("new\n")
        self.assertEqual(self.version(), clean)
        (self.tree / "CHANGELOG.md").write_text("# Changed\n")
        made = self.generate(self.tree)
        self.assertEqual(made["COLLAGE_VERSION_TEXT"], clean + ".dirty")
        self.assertRegex(made["COLLAGE_COMMIT"], r"^[0-9a-f]{12}\+$")
        self.assertTrue(lower(clean, made["COLLAGE_VERSION_TEXT"]))

    def test_a_shallow_clone_goes_by_the_time_of_its_commit(self):
        self.init(commits=3)
        clone = self.scratch / "clone"
        output("git", "clone", "-q", "--depth", "1", f"file://{self.tree}", clone)
        version = self.version(clone)
        self.assertRegex(version, r"^0\.2\.0~0\.20\d{12}\.g[0-9a-f]{12}$")
        self.assertTrue(lower(version, self.version()), "a counted version is never replaced")

    def test_a_shallow_clone_with_its_release_is_as_the_whole(self):
        self.init(commits=3)
        git(self.tree, "tag", "v0.2.0")
        commit(self.tree)
        clone = self.scratch / "clone"
        output("git", "clone", "-q", "--depth", "2", f"file://{self.tree}", clone)
        self.assertEqual(self.version(clone), self.version())

    def archived(self):
        place = self.scratch / "archived"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        archive = self.scratch / "tree.tar"
        git(self.tree, "archive", "-o", archive, "HEAD")
        output("tar", "-xf", archive, "-C", place)
        return place

    def test_an_archive_knows_its_commit_and_its_release(self):
        self.init()
        made = self.generate(self.archived())
        self.assertRegex(made["COLLAGE_VERSION_TEXT"], r"^0\.2\.0~0\.20\d{12}\.g[0-9a-f]{12}$")
        self.assertEqual(made["COLLAGE_COMMIT"], git(self.tree, "rev-parse", "--short=12", "HEAD"))
        git(self.tree, "tag", "v0.2.0")
        self.assertEqual(self.version(self.archived()), "0.2.0")
        commit(self.tree)
        self.assertEqual(self.version(self.archived()), self.version())

    def test_a_copy_without_git_has_the_version_of_the_project(self):
        made = self.generate(self.tree)
        self.assertEqual(made["COLLAGE_VERSION_TEXT"], "0.2.0")
        self.assertEqual(made["COLLAGE_COMMIT"], "unknown")
        self.assertGreater(int(made["COLLAGE_COMMIT_TIME"]), 0)

    def test_a_copy_within_another_repository_is_not_that_repository(self):
        git(self.scratch, "init", "-q")
        commit(self.scratch)
        self.assertEqual(self.version(), "0.2.0")

    def test_the_next_commit_can_be_named_before_it_is_made(self):
        self.init()
        tree = git(self.tree, "rev-parse", "HEAD^{tree}")
        following = git(self.tree, "commit-tree", tree, "-p", "HEAD", "-m", "the next")
        self.assertTrue(lower(self.version(), self.version(REVISION=following)))

    def test_a_given_version_replaces_it_if_debian_allows_it(self):
        self.init()
        self.assertEqual(self.version(VERSION="1.2.3+mine"), "1.2.3+mine")
        for wrong in ("v1.2.3", "1.2.3-4", "1_2"):
            with self.assertRaises(subprocess.CalledProcessError):
                self.version(VERSION=wrong)

    def test_nothing_is_written_again_that_has_not_changed(self):
        self.init()
        made = self.scratch / "kept"
        command = [CMAKE, f"-DFOLDER={made}", f"-DSOURCE={self.tree}", "-DBASE=0.2.0", "-P",
                   self.tree / FOLDER / "version.cmake"]
        output(*command)
        header = made / "runtime/service/version_generated.h"
        os.utime(header, (1, 1))
        output(*command)
        self.assertEqual(header.stat().st_mtime, 1)


if __name__ == "__main__":
    SCRATCH = pathlib.Path(sys.argv.pop()).resolve()
    CMAKE = sys.argv.pop()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=sys.argv[:1])
