"""Adds up test results: meson's testlog (json lines, cmocka's own counts inside) and junit xml.

Prints "PASSED FAILED".
"""

import json
import re
import sys
import xml.etree.ElementTree


def count_meson(line):
    """One test program; a program that failed counts at least one failure."""
    record = json.loads(line)
    output = record.get("stdout", "") + record.get("stderr", "")
    passed = sum(int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test", output, re.M))
    failed = sum(int(n) for n in re.findall(r"^\[  FAILED  \] \S+?: (\d+) test", output, re.M))
    if record["result"] in ("OK", "EXPECTEDFAIL"):
        return passed or 1, failed
    if record["result"] == "SKIP":
        return 0, 0
    return passed, failed or 1


def count_junit(path):
    passed = failed = 0
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" not in kinds:
            passed += 1
    return passed, failed


def main():
    passed = failed = 0
    for path in sys.argv[1:]:
        results = [count_junit(path)] if path.endswith(".xml") else map(count_meson, open(path))
        for result in results:
            passed += result[0]
            failed += result[1]
    print(passed, failed)


main()
