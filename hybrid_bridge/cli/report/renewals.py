"""Commands for renewals: a timestamp over the file with the renewals before it and none after (SPEC §14)."""

from bisect import bisect_left

from hybrid_bridge.cli.report import shell
from hybrid_bridge.cli.report.case import Case
from hybrid_bridge.cli.report.model import Step
from hybrid_bridge.cli.report.texts import Words
from hybrid_bridge.cli.report.tokens import OPENSSL_NAMES, Stamped, compared, each_once, judged
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.timestamp import decode_token, digest_by
from hybrid_bridge.errors import BridgeError


def renewals(case: Case, t: Words) -> list[Step]:
    """For each: cut the file to what the token is over, hash it, compare the token's imprint, verify the token."""
    bundle, found = case.bundle, list[Step]()
    for number, part in enumerate(() if bundle is None else bundle.renewals):
        name = f"renewal-{number}.der"
        taken = shell.extract(case.data, part.token, shell.BUNDLE, name)
        try:
            token = decode_token(part.token)
        except BridgeError:
            continue  # what cannot be read is in the findings
        if bundle is None or taken is None or token.hash not in OPENSSL_NAMES:
            continue
        data, place = bundle.covered(number), t("step.renewal", number=number)
        digest, file = digest_by(token.hash, data).hex(), f"covered-{number}.json"
        cut = shell.digest_of_cut(shell.BUNDLE, left_out(case.data, data), OPENSSL_NAMES[token.hash], file)
        found.append(Step(t("step.covered", number=number, hash=token.hash), cut, digest))
        found.append(Step(t("step.stamp", place=place), taken, sha256(part.token).hex()))
        stamped = Stamped(token, name, place, digest, t("where.covered", name=file))
        found += [*compared(stamped, t), *judged(case, stamped, t)]
    return each_once(found)


def left_out(data: bytes, covered: bytes) -> tuple[int, int]:
    """Where the file says more than what is covered: both begin alike, and end alike behind that."""
    start = bisect_left(range(len(covered)), True, key=lambda n: data[: n + 1] != covered[: n + 1])
    return start, start + len(data) - len(covered)
