"""The journal as it was first released."""

from relayers.migrations import ddl

revision, down_revision = "0001", None

INSERT_ONLY = ("checkpoint", "attestation", "attempt", "attempt_final", "send_log", "header", "anchored")
NEVER_DELETED = ("chain", "intent", "slot", "lease", "control")
REFUSES = """
CREATE FUNCTION journal_refuses() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%: no %', TG_TABLE_NAME, TG_OP; END $$
"""
TABLES = (
    """
CREATE TABLE chain (
    chain_uid TEXT NOT NULL,
    chain_id {integer} NOT NULL,
    genesis_hash {blob} NOT NULL,
    contract {blob} NOT NULL,
    log_id {blob} NOT NULL,
    signer {blob} NOT NULL,
    PRIMARY KEY (chain_uid),
    CHECK (length(genesis_hash) = 32),
    CHECK (length(contract) = 20),
    CHECK (length(log_id) = 32),
    CHECK (length(signer) = 20)
) {strict}
    """,
    """
CREATE TABLE lease (
    chain_uid TEXT NOT NULL,
    signer {blob} NOT NULL,
    epoch {integer} NOT NULL,
    holder TEXT NOT NULL,
    until {integer} NOT NULL,
    PRIMARY KEY (chain_uid, signer),
    CHECK (length(signer) = 20)
) {strict}
    """,
    """
CREATE TABLE control (
    chain_uid TEXT NOT NULL,
    brake TEXT NOT NULL,
    halted_reason TEXT,
    evidence TEXT,
    by TEXT NOT NULL,
    set_at {integer} NOT NULL,
    PRIMARY KEY (chain_uid),
    CHECK (brake IN ('run','soft','hard','drain'))
) {strict}
    """,
    """
CREATE TABLE header (
    chain_uid TEXT NOT NULL,
    number {integer} NOT NULL,
    hash {blob} NOT NULL,
    parent {blob} NOT NULL,
    PRIMARY KEY (chain_uid, number),
    CHECK (length(hash) = 32),
    CHECK (length(parent) = 32)
) {strict}
    """,
    """
CREATE TABLE checkpoint (
    log_id {blob} NOT NULL,
    size {integer} NOT NULL,
    root {blob} NOT NULL,
    timestamp {integer} NOT NULL,
    set_id {integer} NOT NULL,
    digest {blob} NOT NULL,
    previous_size {integer} NOT NULL,
    consistency {blob} NOT NULL,
    held_number {integer} NOT NULL,
    received_at {integer} NOT NULL,
    PRIMARY KEY (log_id, size),
    CHECK (size >= 2),
    CHECK (length(consistency) % 32 = 0),
    CHECK (length(log_id) = 32),
    CHECK (length(root) = 32),
    CHECK (length(digest) = 32)
) {strict}
    """,
    """
CREATE TABLE attestation (
    log_id {blob} NOT NULL,
    size {integer} NOT NULL,
    member {blob} NOT NULL,
    digest {blob} NOT NULL,
    signature {blob} NOT NULL,
    PRIMARY KEY (log_id, size, member),
    FOREIGN KEY(log_id, size) REFERENCES checkpoint (log_id, size),
    CHECK (length(log_id) = 32),
    CHECK (length(member) = 20),
    CHECK (length(digest) = 32),
    CHECK (length(signature) = 65)
) {strict}
    """,
    """
CREATE TABLE intent (
    id {serial},
    chain_uid TEXT NOT NULL,
    log_id {blob} NOT NULL,
    kind TEXT NOT NULL,
    size {integer} NOT NULL,
    root {blob} NOT NULL,
    digest {blob} NOT NULL,
    state TEXT NOT NULL,
    opened_at {integer} NOT NULL,
    settled_hash {blob},
    settled_tx {blob},
    PRIMARY KEY (id),
    UNIQUE (chain_uid, log_id, kind, size),
    FOREIGN KEY(log_id, size) REFERENCES checkpoint (log_id, size),
    CHECK (kind = 'anchor'),
    CHECK (state IN ('OPEN','FINALIZED','SUPERSEDED')),
    CHECK ((state = 'OPEN') = (settled_hash IS NULL)),
    CHECK ((state = 'FINALIZED') = (settled_tx IS NOT NULL)),
    CHECK (length(log_id) = 32),
    CHECK (length(root) = 32),
    CHECK (length(digest) = 32)
) {strict}
    """,
    """
CREATE TABLE slot (
    chain_uid TEXT NOT NULL,
    signer {blob} NOT NULL,
    nonce {integer} NOT NULL,
    state TEXT NOT NULL,
    closed_hash {blob},
    is_foreign {integer} NOT NULL,
    epoch {integer} NOT NULL,
    PRIMARY KEY (chain_uid, signer, nonce),
    CHECK (nonce >= 0),
    CHECK (state IN ('OPEN','CLOSED')),
    CHECK ((state = 'OPEN') = (closed_hash IS NULL)),
    CHECK (is_foreign IN (0, 1)),
    CHECK (length(signer) = 20)
) {strict}
    """,
    """
CREATE TABLE attempt (
    hash {blob} NOT NULL,
    chain_uid TEXT NOT NULL,
    signer {blob} NOT NULL,
    nonce {integer} NOT NULL,
    intent_id {integer},
    from_size {integer} NOT NULL,
    to_size {integer} NOT NULL,
    max_fee {integer} NOT NULL,
    tip {integer} NOT NULL,
    gas {integer} NOT NULL,
    raw {blob} NOT NULL,
    pinned_number {integer} NOT NULL,
    created_at {integer} NOT NULL,
    epoch {integer} NOT NULL,
    PRIMARY KEY (hash),
    FOREIGN KEY(chain_uid, signer, nonce) REFERENCES slot (chain_uid, signer, nonce),
    FOREIGN KEY(intent_id) REFERENCES intent (id),
    UNIQUE (chain_uid, signer, nonce, max_fee),
    CHECK (tip <= max_fee),
    CHECK (length(hash) = 32),
    CHECK (length(signer) = 20)
) {strict}
    """,
    """
CREATE TABLE attempt_final (
    hash {blob} NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    block_number {integer} NOT NULL,
    block_hash {blob} NOT NULL,
    PRIMARY KEY (hash),
    FOREIGN KEY(hash) REFERENCES attempt (hash),
    CHECK (outcome IN ('OK','NOOP','REVERTED','LOST')),
    CHECK (length(hash) = 32),
    CHECK (length(block_hash) = 32)
) {strict}
    """,
    """
CREATE TABLE send_log (
    id {serial},
    hash {blob} NOT NULL,
    endpoint TEXT NOT NULL,
    code {integer},
    message TEXT NOT NULL,
    returned_hash {blob},
    sent_at {integer} NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(hash) REFERENCES attempt (hash),
    CHECK (length(message) <= 200),
    CHECK (length(hash) = 32)
) {strict}
    """,
    """
CREATE TABLE anchored (
    chain_uid TEXT NOT NULL,
    block_hash {blob} NOT NULL,
    log_index {integer} NOT NULL,
    block_number {integer} NOT NULL,
    block_parent {blob} NOT NULL,
    block_time {integer} NOT NULL,
    log_id {blob} NOT NULL,
    size {integer} NOT NULL,
    root {blob} NOT NULL,
    timestamp {integer} NOT NULL,
    set_id {integer} NOT NULL,
    signers {blob} NOT NULL,
    tx_hash {blob} NOT NULL,
    PRIMARY KEY (chain_uid, block_hash, log_index),
    CHECK (length(block_hash) = 32),
    CHECK (length(block_parent) = 32),
    CHECK (length(log_id) = 32),
    CHECK (length(root) = 32),
    CHECK (length(tx_hash) = 32),
    CHECK (length(signers) = 8)
) {strict}
    """,
)


def upgrade() -> None:
    """From nothing."""
    ddl.run(*TABLES)
    if not ddl.is_sqlite():
        ddl.run(REFUSES)
    ddl.forbid("UPDATE", *INSERT_ONLY)
    ddl.forbid("DELETE", *INSERT_ONLY, *NEVER_DELETED)
    ddl.version(1)
