"""A private PostgreSQL in a temporary folder: one socket, no TCP, gone afterwards."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import psycopg

from .wait import wait_until

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "default_toast_compression": "lz4",
    "jit": "off",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}


class Postgres:
    def __init__(self, settings=None, data=None):
        """data: a folder for the data, e.g. on a file system of its own; else it is made beside the socket."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="xtpg-"))
        self.data = str(data or self.folder / "data")
        self.bin = newest_server()
        self.settings = {**SETTINGS, **(settings or {}), "unix_socket_directories": str(self.folder)}
        self.process = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.command("initdb", "-D", self.data, "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                     "--auth=trust", "--data-checksums", "--no-sync")

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def url(self, database="postgres", user="postgres"):
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def as_server_user(self, *words):
        """PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return list(words)
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *words]

    def command(self, program, *words):
        done = subprocess.run(self.as_server_user(f"{self.bin}/{program}", *words), cwd="/", text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, f"{program}: {done.stdout}"

    def start(self):
        words = [word for key, value in self.settings.items() for word in ("-c", f"{key}={value}")]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.as_server_user(f"{self.bin}/postgres", "-D", self.data, *words),
                                            cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.answers, 30, "PostgreSQL accepting connections")
        return self

    def answers(self):
        assert self.process.poll() is None, f"PostgreSQL ended: {self.log[-2000:]}"
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
            return True
        except psycopg.OperationalError:
            return False

    def stop(self, how=signal.SIGINT):
        """SIGINT: fast shutdown. SIGQUIT: immediate. SIGKILL leaves backends, which see it and end."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None
        if how == signal.SIGKILL:
            wait_until(lambda: not self.processes(), 30, "backends of a killed postmaster ending")

    def processes(self):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "cwd") == self.data:
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def destroy(self):
        self.stop(signal.SIGQUIT)  # nobody will read the data: no checkpoint
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, sql, database="postgres"):
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            return connection.execute(sql)


def newest_server():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    assert found, "no PostgreSQL server under /usr/lib/postgresql"
    return found[-1].parent
