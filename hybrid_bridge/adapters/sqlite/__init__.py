"""SQLite: one file each for the ledger, the attestation guard and the private records of a member."""
