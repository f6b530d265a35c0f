"""The rules that Prometheus has of a pipeline: valid, and told of by what they should be.

    rules_test.py SCRATCH      gets Debian's Prometheus, of which promtool alone is run

Exit code 0 if they are.
"""

import pathlib
import sys

from hosts import Failed, sh

HERE = pathlib.Path(__file__).resolve().parent
RULES = HERE.parent.parent / "ansible/roles/monitoring/files/rules.yml"


def main():
    folder = pathlib.Path(sys.argv[1]).resolve() / "promtool"
    promtool = folder / "usr/bin/promtool"
    if not promtool.exists():
        folder.mkdir(parents=True, exist_ok=True)
        sh("apt-get", "download", "prometheus", cwd=folder)
        sh("dpkg-deb", "-x", next(folder.glob("prometheus_*.deb")), folder)
    try:
        print(sh(promtool, "check", "rules", "--lint-fatal", RULES), end="")
        print(sh(promtool, "test", "rules", HERE / "rules_test.yml"), end="")
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
