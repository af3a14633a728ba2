"""Writes down what MiniStack holds in memory, so that it can be searched for the OMDb key."""

import collections, os, sys, time

LONGEST = 16 * 1024 * 1024  # a value; longer ones, such as the functions' packages, are named and left out


def write_memory(folder):
    """A file `memory-…` in the folder: all values of MiniStack's modules, however deep, one a line: place, tab, value."""
    path = os.path.join(folder, f"memory-{time.time_ns()}")
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        seen = set()
        for name, module in sorted(sys.modules.items()):
            if name.startswith("ministack."):
                for variable, value in list(vars(module).items()):
                    if not variable.startswith("__"):
                        write_value(file, seen, f"{name}.{variable}", value)
        file.write("complete\n")


def write_value(file, seen, place, value):
    if isinstance(value, (str, bytes, bytearray, int, float, type(None))):
        is_long = isinstance(value, (str, bytes, bytearray)) and len(value) > LONGEST
        file.write(f"{place}\t{'left out' if is_long else repr(value)}\n")
        return
    parts = parts_of(value)
    if parts is None or id(value) in seen:
        return
    seen.add(id(value))
    if not parts:
        file.write(f"{place}\t{value!r}\n")
    for name, part in parts:
        write_value(file, seen, place + name, part)


def parts_of(value):
    """Names and values of what a container holds, or an object of MiniStack's own; None of anything else."""
    if isinstance(value, dict):
        return [(f"[{key!r}]", part) for key, part in list(value.items())]
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return [(f"[{index}]", part) for index, part in enumerate(list(value))]
    if type(value).__module__.startswith("ministack."):
        slots = {name: getattr(value, name, None) for name in getattr(type(value), "__slots__", ())}
        return [(f".{name}", part) for name, part in list({**slots, **getattr(value, "__dict__", {})}.items())]
    return None


