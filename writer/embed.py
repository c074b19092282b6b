#!/usr/bin/env python3
"""Writes the migrations as a C array: embed.py OUT.c 0001_init.sql 0002_....sql"""
import os
import re
import sys


def main(out_path, paths):
    rows = []
    with open(out_path, "w", encoding="ascii") as out:
        out.write('#include "writer/migrate.h"\n')
        for expected, path in enumerate(paths, start=1):
            name = os.path.basename(path)
            match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", name)
            if match is None or int(match[1]) != expected:
                sys.exit(f"{name}: migrations are numbered from 0001 without a gap")
            with open(path, "rb") as file:
                text = file.read()
            out.write(f"\nstatic const char sql_{expected}[] = {{")
            for i, byte in enumerate(text + b"\0"):
                out.write("\n    " if i % 20 == 0 else " ")
                out.write(f"{byte if byte < 128 else byte - 256},")
            out.write("\n};\n")
            rows.append(f'    {{{expected}, "{match[2]}", sql_{expected}, {len(text)}}},\n')
        out.write("\nconst struct migration migrations[] = {\n" + "".join(rows) + "};\n")
        out.write(f"const int migration_count = {len(rows)};\n")


main(sys.argv[1], sys.argv[2:])
