"""Custody: gas keys and attestation keys, wherever a company keeps its keys (RELAYER §5.1).

`places` says where a key is, `passphrases` how what opens it is obtained, `signers` what signs with it.
"""
