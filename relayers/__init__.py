"""The relayer: step 5 of 6. A quorum-signed checkpoint in, an anchor on the public chain out.

It is trusted for liveness only: it can be late, silent, or waste its own gas. It cannot forge (a quorum signs), rewrite
(the contract demands a consistency path from its head), or stop others (anybody may submit). No verifier reads its
database, and its host holds no attestation key.

Read `relay` first, the tick: observe → plan → record → act → record. Then `plan` and `facts`, which decide and are
pure; then `journal`, which says what is durable and when. A restart is an ordinary tick: there is no recovery code.
"""
