"""A program that makes a pacer, and forks: parent and child take slots of one file, and print what each got."""

from __future__ import annotations

import json
import os
import sys

import anyio

from picoworkers_async import SqlitePacer


def slots(pacer: SqlitePacer, count: int) -> list[tuple[float, int, int]]:
    async def take() -> list[tuple[float, int, int]]:
        return [(each.slot, each.sharers, each.rank) for each in [await pacer.reserve(10.0) for _ in range(count)]]

    return anyio.run(take)


def main(path: str, used_before: str) -> None:
    pacer = SqlitePacer(path)
    pacer.bind("account")
    taken = slots(pacer, 1) if used_before == "used" else []
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps(slots(pacer, 2)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    print(json.dumps({"parent": taken + slots(pacer, 2), "child": json.loads(os.read(reading, 4096))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
