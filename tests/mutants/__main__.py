"""`python -m tests.mutants`: plant each mutant, see it noticed. Exit 1 if one lives, or no longer applies."""

import sys
import time

from tests.mutants.catalogue import MUTANTS
from tests.mutants.planting import NoLongerApplies, killing


def main(chosen: list[str]) -> int:
    alive = 0
    for mutant in MUTANTS:
        if chosen and not any(word in mutant.name for word in chosen):
            continue
        began = time.monotonic()
        try:
            noticed = killing(mutant)
        except NoLongerApplies as error:
            noticed, verdict = str(error), "OUTDATED"
        else:
            verdict = "killed" if noticed else "ALIVE"
        alive += verdict != "killed"
        print(
            f"{verdict:8} {time.monotonic() - began:5.1f} s  {mutant.name}  ({mutant.killed_by}: {noticed})", flush=True
        )
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
