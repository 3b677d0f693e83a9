#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Benches: `run.py` lists them, `run.py NAME [ARG ...]` runs one. A bench is a program
bench_NAME of the build folder, or a script bench_NAME.py beside this file."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build")


def benches():
    """{name: command}."""
    found = {}
    built = os.path.join(BUILD, "test", "bench")
    for name in sorted(os.listdir(built)):
        path = os.path.join(built, name)
        if name.startswith("bench_") and os.path.isfile(path) and os.access(path, os.X_OK):
            found[name[len("bench_"):]] = [path]
    for name in sorted(os.listdir(HERE)):
        if name.startswith("bench_") and name.endswith(".py"):
            found[name[len("bench_"):-3]] = ["/usr/bin/python3", os.path.join(HERE, name)]
    return found


def main():
    known = benches()
    if len(sys.argv) < 2:
        print("benches: " + ", ".join(known))
        return 0
    if sys.argv[1] not in known:
        print(f"bench: no bench {sys.argv[1]}; there are: {', '.join(known)}", file=sys.stderr)
        return 64
    command = [*known[sys.argv[1]], *sys.argv[2:]]
    os.environ["BH_BUILD"] = BUILD
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
