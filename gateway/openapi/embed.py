#!/usr/bin/env python3
"""embed: the parts of the API's description -> one document, as JSON and as a C array.

usage: embed.py VERSION OUT.json OUT.h PART.json...

Parts are merged key by key; what two of them say differently is an error. info.version is VERSION.
"""

import json
import sys


def merge(into, part, where="#"):
    for key, value in part.items():
        here = f"{where}/{key}"
        if key not in into:
            into[key] = value
        elif isinstance(into[key], dict) and isinstance(value, dict):
            merge(into[key], value, here)
        elif isinstance(into[key], list) and isinstance(value, list):
            into[key] += value
        else:
            raise SystemExit(f"{here} is in two parts")


def write_array(path, data):
    with open(path, "w", encoding="ascii") as out:
        out.write("/* Made by gateway/openapi/embed.py. */\n#pragma once\n\n")
        out.write("static const unsigned char openapi_document[] = {\n")
        for at in range(0, len(data), 24):
            out.write("    " + "".join(f"{byte}," for byte in data[at:at + 24]) + "\n")
        out.write("};\n")


def main():
    version, json_path, array_path, *parts = sys.argv[1:]
    document = {}
    for part in parts:
        with open(part, encoding="utf-8") as file:
            merge(document, json.load(file))
    document["info"]["version"] = version
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    with open(json_path, "w", encoding="utf-8") as out:
        out.write(text)
    write_array(array_path, text.encode())


main()
