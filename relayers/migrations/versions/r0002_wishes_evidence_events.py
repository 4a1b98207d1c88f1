"""What people wish, what endpoints said, a chain of events; rotations as duties; what an attempt cost."""

from alembic import op

from relayers.migrations import ddl

revision, down_revision = "0002", "0001"

NEW_TABLES = (
    """
CREATE TABLE rpc_evidence (
    id {serial},
    endpoint TEXT NOT NULL,
    method TEXT NOT NULL,
    wanted TEXT NOT NULL,
    got TEXT NOT NULL,
    block_hash {blob},
    seen_at {integer} NOT NULL,
    PRIMARY KEY (id),
    CHECK (length(wanted) <= 4096 AND length(got) <= 4096),
    CHECK (length(block_hash) = 32)
) {strict}
    """,
    """
CREATE TABLE sighting (
    hash {blob} NOT NULL,
    block_hash {blob} NOT NULL,
    block_number {integer} NOT NULL,
    status {integer} NOT NULL,
    seen_at {integer} NOT NULL,
    PRIMARY KEY (hash, block_hash),
    FOREIGN KEY(hash) REFERENCES attempt (hash),
    CHECK (status IN (0, 1)),
    CHECK (length(hash) = 32),
    CHECK (length(block_hash) = 32)
) {strict}
    """,
    """
CREATE TABLE wish (
    id {serial},
    chain_uid TEXT NOT NULL,
    signer {blob} NOT NULL,
    nonce {integer} NOT NULL,
    kind TEXT NOT NULL,
    against {blob},
    by TEXT NOT NULL,
    wished_at {integer} NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chain_uid, signer, nonce) REFERENCES slot (chain_uid, signer, nonce),
    FOREIGN KEY(against) REFERENCES attempt (hash),
    CHECK (kind IN ('bump','cancel')),
    CHECK (length(signer) = 20)
) {strict}
    """,
    """
CREATE TABLE event_log (
    seq {integer} NOT NULL,
    prev_hash {blob} NOT NULL,
    hash {blob} NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    at {integer} NOT NULL,
    PRIMARY KEY (seq),
    CHECK (seq >= 1),
    CHECK (length(prev_hash) = 32),
    CHECK (length(hash) = 32)
) {strict}
    """,
)
INTENT = """
CREATE TABLE intent (
    id {serial},
    chain_uid TEXT NOT NULL,
    log_id {blob} NOT NULL,
    kind TEXT NOT NULL,
    size {integer},
    set_id {integer},
    root {blob} NOT NULL,
    digest {blob} NOT NULL,
    state TEXT NOT NULL,
    opened_at {integer} NOT NULL,
    settled_hash {blob},
    settled_tx {blob},
    PRIMARY KEY (id),
    UNIQUE (chain_uid, log_id, kind, size),
    UNIQUE (chain_uid, log_id, kind, set_id),
    FOREIGN KEY(log_id, size) REFERENCES checkpoint (log_id, size),
    CHECK (kind IN ('anchor','rotate')),
    CHECK ((kind = 'anchor') = (size IS NOT NULL)),
    CHECK ((kind = 'rotate') = (set_id IS NOT NULL)),
    CHECK (state IN ('OPEN','FINALIZED','SUPERSEDED')),
    CHECK ((state = 'OPEN') = (settled_hash IS NULL)),
    CHECK ((state = 'FINALIZED') = (settled_tx IS NOT NULL)),
    CHECK (length(log_id) = 32),
    CHECK (length(root) = 32),
    CHECK (length(digest) = 32)
) {strict}
"""
ATTEMPT_FINAL = """
CREATE TABLE attempt_final (
    hash {blob} NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    block_number {integer} NOT NULL,
    block_hash {blob} NOT NULL,
    gas_used {integer},
    price {integer},
    PRIMARY KEY (hash),
    FOREIGN KEY(hash) REFERENCES attempt (hash),
    CHECK (outcome IN ('OK','NOOP','REVERTED','LOST')),
    CHECK (length(hash) = 32),
    CHECK (length(block_hash) = 32)
) {strict}
"""
CONTROL = """
CREATE TABLE control (
    chain_uid TEXT NOT NULL,
    brake TEXT NOT NULL,
    halted_reason TEXT,
    evidence TEXT,
    by TEXT NOT NULL,
    set_at {integer} NOT NULL,
    pruned_before {integer} DEFAULT 0 NOT NULL,
    PRIMARY KEY (chain_uid),
    CHECK (brake IN ('run','soft','hard','drain'))
) {strict}
"""
IN_PLACE = (  # PostgreSQL
    "ALTER TABLE intent ALTER COLUMN size DROP NOT NULL, ADD COLUMN set_id BIGINT, DROP CONSTRAINT intent_kind_check",
    "ALTER TABLE intent ADD UNIQUE (chain_uid, log_id, kind, set_id), ADD CHECK (kind IN ('anchor','rotate')), "
    "ADD CHECK ((kind = 'anchor') = (size IS NOT NULL)), ADD CHECK ((kind = 'rotate') = (set_id IS NOT NULL))",
    "ALTER TABLE attempt_final ADD COLUMN gas_used BIGINT, ADD COLUMN price BIGINT",
    "ALTER TABLE control ADD COLUMN pruned_before BIGINT DEFAULT 0 NOT NULL",
    "DROP TRIGGER send_log_no_delete ON send_log",
)
# What a tick asks, it finds: without these each look reads every row there ever was (1.5 s with 100,000 epochs).
INDEXES = (
    "CREATE INDEX slot_open ON slot (nonce) WHERE state = 'OPEN'",
    "CREATE INDEX intent_open ON intent (size, set_id) WHERE state = 'OPEN'",
    "CREATE INDEX attempt_of_nonce ON attempt (nonce)",
    "CREATE INDEX attempt_of_day ON attempt (created_at)",
    "CREATE INDEX attempt_of_intent ON attempt (intent_id)",
    "CREATE INDEX attempt_final_newest ON attempt_final (block_number)",
    "CREATE INDEX anchored_size ON anchored (size)",
    "CREATE INDEX anchored_by ON anchored (tx_hash)",
    "CREATE INDEX header_newest ON header (number)",
    "CREATE INDEX checkpoint_size ON checkpoint (size)",
    "CREATE INDEX attestation_size ON attestation (size)",
    "CREATE INDEX wish_of_nonce ON wish (nonce)",
)
# Old history of nonces that are closed may go, once the horizon up to which it goes stands in `control`.
HISTORY = {"send_log": "sent_at", "sighting": "seen_at"}
IS_KEPT = """
    OLD.{at} >= coalesce((SELECT min(pruned_before) FROM control), 0) OR EXISTS (
        SELECT 1 FROM attempt JOIN slot USING (chain_uid, signer, nonce)
        WHERE attempt.hash = OLD.hash AND slot.state = 'OPEN')
"""


def upgrade() -> None:
    """From 0001."""
    ddl.run(*NEW_TABLES)
    if ddl.is_sqlite():
        _remake()
        op.execute("DROP TRIGGER send_log_no_delete")
    else:
        ddl.run(*IN_PLACE)
    ddl.forbid("UPDATE", "rpc_evidence", "sighting", "wish", "event_log")
    ddl.forbid("DELETE", "rpc_evidence", "wish", "event_log")
    for table, moment in HISTORY.items():
        _keep(table, IS_KEPT.format(at=moment))
    ddl.forbid_truncate("sighting")
    _epoch_rises()
    ddl.run(*INDEXES)
    ddl.version(2)


def _remake() -> None:
    """The triggers of these tables go with them."""
    intent = ("id", "chain_uid", "log_id", "kind", "size", "NULL", "root", "digest")
    ddl.remade("intent", INTENT, (*intent, "state", "opened_at", "settled_hash", "settled_tx"))
    final = ("hash", "outcome", "reason", "block_number", "block_hash", "NULL", "NULL")
    ddl.remade("attempt_final", ATTEMPT_FINAL, final)
    ddl.remade("control", CONTROL, ("chain_uid", "brake", "halted_reason", "evidence", "by", "set_at", "0"))
    ddl.forbid("UPDATE", "attempt_final")
    ddl.forbid("DELETE", "attempt_final", "intent", "control")


def _keep(table: str, condition: str) -> None:
    if ddl.is_sqlite():
        abort = f"SELECT RAISE(ABORT, '{table}: no DELETE')"
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN {condition} BEGIN {abort}; END")
        return
    op.execute(
        f"CREATE FUNCTION {table}_keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} "
        f"THEN RAISE EXCEPTION '{table}: no DELETE'; END IF; RETURN OLD; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_keeps()"
    )


def _epoch_rises() -> None:
    """S6: a lease is never given back to a former holder."""
    if ddl.is_sqlite():
        abort = "SELECT RAISE(ABORT, 'lease: epoch only rises')"
        op.execute(f"CREATE TRIGGER lease_rises BEFORE UPDATE ON lease WHEN NEW.epoch < OLD.epoch BEGIN {abort}; END")
        return
    op.execute(
        "CREATE TRIGGER lease_rises BEFORE UPDATE ON lease FOR EACH ROW "
        "WHEN (NEW.epoch < OLD.epoch) EXECUTE FUNCTION journal_refuses()"
    )
