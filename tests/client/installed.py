"""The client built alone and installed into a folder of its own, as an application developer has it."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENT = ROOT / "client"


def check(*words, **options):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, **options)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


class Installed:
    def __init__(self, folder):
        self.folder = folder
        self.prefix = folder / "prefix"
        build = folder / "build"
        check("meson", "setup", build, ROOT, "-Dserver=false", "-Dtests=false", "-Dclient=enabled",
              "--buildtype=release", "--libdir=lib", f"--prefix={self.prefix}")  # fmt: skip
        check("meson", "install", "-C", build)

    @property
    def library(self):
        return self.prefix / "lib" / "libxtrace-client.so"

    def pkg_config(self, *words):
        env = {**os.environ, "PKG_CONFIG_LIBDIR": str(self.prefix / "lib/pkgconfig")}  # and no other package
        return check("pkg-config", *words, "xtrace-client", env=env).split()

    def files(self):
        return sorted(str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*") if not path.is_dir())

    def compile(self, name, source, compiler="cc", flags=("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror")):
        """A program of that source, made as the README says."""
        path = self.folder / name
        path.write_text(source)
        program = path.with_suffix(".out")
        check(compiler, *flags, path, *self.pkg_config("--cflags", "--libs"), "-o", program)
        return program

    def run(self, program, url, token, seconds=60):
        env = {**os.environ, "XTRACE_URL": url, "API_BEARER_TOKEN": token, "no_proxy": "*",
               "LD_LIBRARY_PATH": str(self.prefix / "lib")}  # fmt: skip
        return subprocess.run([program], env=env, text=True, capture_output=True, timeout=seconds)


@pytest.fixture(scope="session")
def installed():
    if subprocess.run(["pkg-config", "--exists", "libcurl"]).returncode != 0:
        pytest.skip("libcurl4-openssl-dev is not installed")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="xt-client-"))
    yield Installed(folder)
    shutil.rmtree(folder)


def readme_examples():
    """The C programs of client/README.md: blocking, background."""
    return re.findall(r"^```c\n(.*?)^```$", (CLIENT / "README.md").read_text(), re.M | re.S)
