"""Verbs: submit, commit, batch, attest, verify. Steps never import one another; ports and `now` are arguments."""
