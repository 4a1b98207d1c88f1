"""A member's process: ledger, witness, validator, letter box and the owner's desk behind one gRPC server.

Read in the order of the path: `desk` (1 submit) → `ordering`, `following` (2 commit) → `closing` (3 batch) →
`attesting` (4 attest) → `service` (5, relayers ask) → `bundling` (6, what an outsider gets). `running` starts and stops
all of it; `founding` makes what must exist before. Rules live below, in `core`, `business` and `steps`.
"""
