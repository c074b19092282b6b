"""The README's commands, in order, as a reader types them."""

import re
import subprocess

import pytest

from support.deployed import Deployed, is_alive
from support.xtrace import ROOT, program_path

# A reader's build is in build/.
BLOCKS = [block.replace("build/writer/xtrace-writer", str(program_path("writer")))
          for block in re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)]


@pytest.fixture
def reader():
    made = Deployed()
    yield made
    made.destroy()


def test_every_command_works_in_order(reader):
    assert len(BLOCKS) >= 5
    script = "\n".join(f"printf '\\n== %d\\n' {number}\n{block}" for number, block in enumerate(BLOCKS))
    done = subprocess.run(["bash", "-e", "-u", "-o", "pipefail", "-c", script], cwd=ROOT, env=reader.env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    outputs = re.split(r"^== \d+\n", done.stdout, flags=re.M)[1:]
    assert done.returncode == 0, done.stdout
    _, sent, read, _, demo, keys, down = outputs
    assert sent.strip() == '{"message":"Request Successful."}'
    read = read.replace('" : ', '":')
    assert '"latency":1.5' in read and '"name":"chat.turn"' in read and '"countObservations"' in read
    assert "200 traces" in demo
    assert "secret key  sk-xt-" in keys and re.search(r"^pk-xt-\w+\tacme\tingest,read\tactive\t", keys, re.M)
    assert "stopped" in down
    assert not any(is_alive(pid) for pid in reader.pids().values())


def test_the_routes_of_the_readme_exist(xtrace):
    table = re.findall(r"`(GET|POST) (/\S*?)`", (ROOT / "README.md").read_text())
    assert len(table) >= 7
    for method, path in table:
        answer = xtrace.client().request(method, path.replace("{id}", "0"), body=b"{}" if method == "POST" else None,
                                         headers={"Content-Type": "application/json"})
        assert answer.status != 405 and (answer.status != 404 or "{id}" in path), (method, path)
