"""What installing the client gives: no server code, few symbols, few dependencies, and a README that is true."""

import json
import re
import shutil
import subprocess

import pytest
from client.installed import CLIENT, ROOT, check, installed, readme_examples
from client.scripted import Scripted

__all__ = ["installed"]  # a fixture
ACK = (200, {"message": "Request Successful."})


def test_only_the_client_is_installed(installed):
    assert installed.files() == [
        "bin/xtrace",
        "include/xtrace.h",
        "lib/libxtrace-client.a",
        "lib/libxtrace-client.so",
        "lib/libxtrace-client.so.0",
        "lib/libxtrace-client.so.0.1.0",
        "lib/pkgconfig/xtrace-client.pc",
        "share/bash-completion/completions/xtrace",
        "share/fish/vendor_completions.d/xtrace.fish",
        "share/zsh/site-functions/_xtrace",
    ]


def test_the_library_exports_its_header_and_nothing_else(installed):
    declared = set(re.findall(r"\b(xtrace_\w+)\(", (CLIENT / "xtrace.h").read_text()))
    declared = {name for name in declared if not name.endswith("_init")}  # inline
    exported = {line.split()[-1] for line in check("nm", "-D", "--defined-only", installed.library).splitlines()}
    assert exported == declared


def test_the_library_needs_libcurl_and_libc_only(installed):
    needed = re.findall(r"NEEDED.*\[(.*?)\]", check("readelf", "-d", installed.library))
    assert sorted(needed) == ["libc.so.6", "libcurl.so.4"]
    assert "[libxtrace-client.so.0]" in check("readelf", "-d", installed.library)


def test_every_symbol_of_the_static_library_has_the_prefix(installed):
    table = check("nm", "-g", "--defined-only", installed.library.with_suffix(".a"))
    names = {line.split()[-1] for line in table.splitlines() if len(line.split()) == 3}
    assert names and all(name.startswith("xtrace_") for name in names), names


def test_no_file_of_the_client_includes_a_room_of_the_server():
    for path in CLIENT.rglob("*.[ch]"):
        included = re.findall(r'#include "([^"]+)"', path.read_text())
        assert all(name.startswith("client/") for name in included), f"{path.relative_to(ROOT)}: {included}"


def test_pkg_config_asks_for_nothing_that_a_program_does_not_need(installed):
    assert installed.pkg_config("--libs")[1:] == ["-lxtrace-client"]
    assert "-lcurl" in installed.pkg_config("--libs", "--static")
    assert installed.pkg_config("--modversion") == ["0.1.0"]


@pytest.mark.parametrize("compiler, flags", [
    ("gcc", ["-std=c11"]), ("clang", ["-std=c11"]), ("g++", ["-x", "c++", "-std=c++11"]),
    ("clang++", ["-x", "c++", "-std=c++11"]),
])  # fmt: skip
def test_the_header_compiles_without_a_warning(installed, compiler, flags):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    source = "#include <xtrace.h>\nint main(void) { struct xtrace_trace t = xtrace_trace_init(); return t.id != 0; }\n"
    path = installed.folder / "header.c"
    path.write_text(source)
    check(compiler, *flags, "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror", "-c", path,
          *installed.pkg_config("--cflags"), "-o", installed.folder / "header.o")  # fmt: skip


def test_the_blocking_example_of_the_readme_works(installed):
    def answer(asked):
        return ACK if asked.method == "POST" else (200, {"id": asked.target.rsplit("/", 1)[1]})

    program = installed.compile("blocking.c", readme_examples()[0])
    with Scripted(answer) as server:
        done = installed.run(program, server.url, "token")
    assert done.returncode == 0, done.stderr
    sent = json.loads(server.asked[0].body)
    assert json.loads(done.stdout) == {"id": sent["trace"]["id"]}
    assert sent["observations"][0]["input"] == {"role": "user", "content": "hi"}
    assert sent["observations"][0]["traceId"] == sent["trace"]["id"]


def test_the_blocking_example_names_what_was_refused(installed):
    program = installed.compile("blocking.c", readme_examples()[0])
    refusal = {"message": "no", "errors": [{"path": "observations[0].model", "message": "unknown"}]}
    with Scripted([(400, refusal)]) as server:
        done = installed.run(program, server.url, "token")
    assert (done.returncode, done.stderr) == (1, "refused: no\n  observations[0].model: unknown\n")


def test_the_background_example_of_the_readme_works(installed):
    program = installed.compile("background.c", readme_examples()[1])
    with Scripted([(503, b""), ACK]) as server:
        done = installed.run(program, server.url, "token")
    assert done.returncode == 0, done.stderr
    bodies = [json.loads(asked.body) for asked in server.asked[1:]]  # the first one was refused, and came again
    assert sum(len(body["observations"]) for body in bodies) == 1000
    assert len({o["id"] for body in bodies for o in body["observations"]}) == 1000
    assert done.stdout.endswith(" 1001 sent of 1001\n") and [bool(b.get("trace")) for b in bodies].count(True) == 1


def test_the_background_example_tells_what_was_lost(installed):
    program = installed.compile("background.c", readme_examples()[1])
    with Scripted([(401, {"message": "Unauthorized"})]) as server:
        done = installed.run(program, server.url, "wrong")
    assert done.returncode == 1 and " 0 sent of 1001\n" in done.stdout
    assert "100 records lost: unauthorized: Unauthorized\n" in done.stderr


def test_the_bash_completion_completes(installed):
    script = (
        f"source {installed.prefix}/share/bash-completion/completions/xtrace; "
        'complete() { COMP_LINE=$1 COMP_POINT=${#1}; read -ra COMP_WORDS <<<"$1"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
        '_xtrace; echo "${COMPREPLY[@]}"; }; '
        'complete "xtrace traces list --t"; complete "xtrace m"'
    )
    assert check("bash", "-c", script) == "--tag --turn --to --token --timeout\nmetrics\n"


def test_the_zsh_completion_parses(installed):
    if not shutil.which("zsh"):
        pytest.skip("no zsh")
    check("zsh", "-n", installed.prefix / "share/zsh/site-functions/_xtrace")


def test_the_installed_tool_runs(installed):
    done = subprocess.run([installed.prefix / "bin/xtrace", "--version"], text=True, capture_output=True,
                          env={"LD_LIBRARY_PATH": str(installed.prefix / "lib")})  # fmt: skip
    assert done.stdout == "xtrace 0.1.0\n"
