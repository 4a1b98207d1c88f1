"""Our proofs in the formats of others: transparency-log proof, COSE receipt, SD-JWT. Bytes and checks, no I/O.

Each module writes one format from a bundle, reads it back strictly, and verifies it. Source: SPEC §14.
"""
