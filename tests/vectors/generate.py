"""Write the vectors of trees, quorums, notes, fields, epochs, the registry and exports: `python tests/vectors/generate.py [folder]`.

A case is `{name, section, input, expected, class}`. The first word of a name is the mutation (SPEC §15), the rest says
on what. `expected` is a value, or the name of the error; `class` is ok, Malformed, Refuted or Undecided.
Byte strings are hex with 0x, numbers are numbers. What all cases of a file share stands beside the list of cases.
"""

import json
from argparse import ArgumentParser
from pathlib import Path

from bundled import bundle_cases, bundle_shared
from cases import hexed
from deltas import delta_cases
from epochs import epoch_cases
from exports import consistency_cases as consistency_receipt_cases
from exports import receipt_cases, sd_jwt_cases, tlog_cases
from facts import fact_cases, fact_shared
from fields import disclosure_cases, entry_cases, full_cases
from guards import guard_cases, interchange_cases
from histories import (
    promise_cases,
    promise_shared,
    replay_cases,
    replay_shared,
    rotation_cases,
    rotation_shared,
)
from labels import label_cases, shown_cases, shown_shared
from notes import note_cases, witness_cases
from quorums import power_cases, quorum_cases, sweep_cases, sweep_extra
from registries import registry_proof_cases, registry_root_cases, vrf_cases
from stamps import stamp_cases, stamp_shared
from sums import batch_cases, sum_cases, sum_root_cases, total_cases
from transactions import stand_cases, tx_cases
from trees import consistency_cases, cross_cases, inclusion_cases, root_cases

HERE = Path(__file__).parent
FILES = {
    "tree/root.json": (root_cases, dict),
    "tree/inclusion.json": (inclusion_cases, dict),
    "tree/consistency.json": (consistency_cases, dict),
    "tree/sum.json": (sum_cases, dict),
    "tree/sum-total.json": (total_cases, dict),
    "tree/sum-root.json": (sum_root_cases, dict),
    "cross/inclusion.json": (cross_cases, dict),
    "quorum/sweep.json": (sweep_cases, sweep_extra),
    "quorum/checkpoint.json": (quorum_cases, dict),
    "quorum/power.json": (power_cases, dict),
    "note/quorum.json": (note_cases, dict),
    "note/witness.json": (witness_cases, dict),
    "entry/decode.json": (entry_cases, dict),
    "disclosure/shown.json": (disclosure_cases, dict),
    "disclosure/full.json": (full_cases, dict),
    "tx/stateless.json": (tx_cases, dict),
    "tx/stand.json": (stand_cases, dict),
    "epoch/next.json": (epoch_cases, dict),
    "epoch/batch.json": (batch_cases, dict),
    "guard/steps.json": (guard_cases, dict),
    "guard/interchange.json": (interchange_cases, dict),
    "bundle/verify.json": (bundle_cases, bundle_shared),
    "bundle/facts.json": (fact_cases, fact_shared),
    "rotation/verify.json": (rotation_cases, rotation_shared),
    "replay/verify.json": (replay_cases, replay_shared),
    "promise/verify.json": (promise_cases, promise_shared),
    "anchor/stamps.json": (stamp_cases, stamp_shared),
    "export/tlog-proof.json": (tlog_cases, dict),
    "export/cose-inclusion.json": (receipt_cases, dict),
    "export/cose-consistency.json": (consistency_receipt_cases, dict),
    "export/sd-jwt.json": (sd_jwt_cases, dict),
    "registry/root.json": (registry_root_cases, dict),
    "registry/proof.json": (registry_proof_cases, dict),
    "registry/vrf.json": (vrf_cases, dict),
    "registry/label.json": (label_cases, dict),
    "registry/shown.json": (shown_cases, shown_shared),
    "registry/delta.json": (delta_cases, dict),
}


def main(folder, family=""):
    for name, (cases, shared) in FILES.items():
        if not name.startswith(family):
            continue
        listed = list(cases())
        document = {"operation": name.removesuffix(".json"), "count": len(listed), **hexed(shared()), "cases": listed}
        target = Path(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = ArgumentParser(description="Write the vectors.")
    parser.add_argument("folder", nargs="?", default=HERE, type=Path)
    parser.add_argument("family", nargs="?", default="", help="the beginning of a file's name, as in tree/")
    asked = parser.parse_args()
    main(asked.folder, asked.family)
