"""What a broken bundle differs in from a whole one, as JSON Patch (RFC 6902): so that a case stays small."""

import copy

from cases import CLASSES


def difference(old, new, at=""):
    """The operations that make `new` of `old`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            place = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in new:
                yield {"op": "remove", "path": place}
            elif key not in old:
                yield {"op": "add", "path": place, "value": new[key]}
            else:
                yield from difference(old[key], new[key], place)
    elif isinstance(old, list) and isinstance(new, list):
        yield from difference_of_lists(old, new, at)
    elif old != new or type(old) is not type(new):
        yield {"op": "replace", "path": at, "value": new}


def difference_of_lists(old, new, at):
    if len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from difference(one, other, f"{at}/{place}")
        return
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    same = 0
    while same < min(len(old), len(new)) - start and old[-1 - same] == new[-1 - same]:
        same += 1
    for _ in range(len(old) - same - start):
        yield {"op": "remove", "path": f"{at}/{start}"}
    for place, value in enumerate(new[start : len(new) - same], start):
        yield {"op": "add", "path": f"{at}/{place}", "value": value}


def edited(document, *edits):
    """A copy in which each (path, change) was applied; the change is a value or a function of the old one."""
    changed = copy.deepcopy(document)
    for place, change in edits:
        *steps, last = [int(step) if step.isdecimal() else step for step in place.split("/")]
        inside = changed
        for step in steps:
            inside = inside[step]
        if change is REMOVED:
            del inside[last]
        else:
            inside[last] = copy.deepcopy(change(inside[last]) if callable(change) else change)
    return changed


REMOVED = object()


class Bundles:
    """The whole bundles of a file, each with its trust; and the cases that begin with one of them."""

    def __init__(self, section, **bases):
        self.section, self.bases = section, bases

    def shared(self, now):
        told = {name: {"document": document, "trust": trust} for name, (document, trust) in self.bases.items()}
        return {"now": now, "bundles": told}

    def good(self, name, base, said, document=None, **given):
        return self._case(name, base, document, given) | {"expected": said, "class": "ok"}

    def bad(self, name, base, error, document=None, **given):
        return self._case(name, base, document, given) | {"expected": error, "class": CLASSES.get(error, "Malformed")}

    def _case(self, name, base, document, given):
        told = {"bundle": base} if base else {}
        if document is not None:
            told["patch"] = list(difference(self.bases[base][0], document))
            assert told["patch"], name
        return {"name": name, "section": self.section, "input": told | given}
