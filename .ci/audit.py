"""Ask the vulnerability service about the packages of an environment: ``python .ci/audit.py .venv/bin/python``.

It exits with 1 where a package has a known vulnerability. pip-audit takes a service that cannot be reached for one that
knows no package, and passes; this says in that case that nothing was checked.
"""

import json
import subprocess
import sys
from typing import Any


def verdict(report: dict[str, Any]) -> tuple[bool, str]:
    """Return whether a report of pip-audit has no vulnerability, and what to print of it."""
    packages = report["dependencies"]
    checked = [package for package in packages if "skip_reason" not in package]
    if not checked:
        reason = packages[0]["skip_reason"] if packages else "there are no packages"
        return True, f"SKIPPED: none of {len(packages)} packages was checked for vulnerabilities: {reason}"
    lines = [
        f"{package['name']} {package['version']}: {vulnerability['id']}, mended in {_versions(vulnerability)}"
        for package in checked
        for vulnerability in package["vulns"]
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    missing = f"; not checked: {', '.join(skipped)}" if skipped else ""
    lines.append(f"{len(checked)} packages checked, {len(lines)} vulnerabilities known{missing}")
    return len(lines) == 1, "\n".join(lines)


def _versions(vulnerability: dict[str, Any]) -> str:
    return " or ".join(vulnerability["fix_versions"]) or "no version"


def _packages(python: str) -> str:
    command = [
        python,
        "-c",
        "import importlib.metadata as m; [print(f'{d.name}=={d.version}') for d in m.distributions()]",
    ]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return "\n".join(sorted({line for line in lines if not line.startswith("comfydeploy==")}))


def main(python: str) -> bool:
    """Audit an environment, and print what was found."""
    command = [sys.executable, "-m", "uv", "tool", "run", "-q", "pip-audit", "--no-deps", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "-r", "/dev/stdin"]
    found = subprocess.run(command, check=False, input=_packages(python), capture_output=True, text=True)
    try:
        is_good, text = verdict(json.loads(found.stdout))
    except (ValueError, LookupError, TypeError):
        lines = found.stderr.strip().splitlines()
        is_good, text = True, f"SKIPPED: pip-audit did not work: {lines[-1] if lines else found.returncode}"
    print(text)
    return is_good


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1]))
