CREATE TABLE record (
	number INTEGER NOT NULL,
	leaf BLOB NOT NULL,
	schema_name TEXT NOT NULL,
	source TEXT NOT NULL,
	transaction_id BLOB NOT NULL,
	plaintext BLOB NOT NULL,
	since INTEGER NOT NULL,
	waits_until INTEGER NOT NULL,
	erased INTEGER NOT NULL,
	reason TEXT NOT NULL,
	remains INTEGER NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (leaf)
)
 STRICT
CREATE INDEX ix_record_remains ON record (remains)
CREATE INDEX ix_record_waits_until ON record (waits_until)
CREATE TABLE outbox (
	number INTEGER NOT NULL,
	leaf BLOB NOT NULL,
	recipient TEXT NOT NULL,
	envelope BLOB NOT NULL,
	attempts INTEGER NOT NULL,
	due INTEGER NOT NULL,
	state TEXT NOT NULL,
	acknowledgement BLOB NOT NULL,
	PRIMARY KEY (number)
)
 STRICT
CREATE INDEX ix_outbox_leaf ON outbox (leaf)
CREATE INDEX ix_outbox_owed ON outbox (number) WHERE state = 'owed'
CREATE TABLE purpose (
	key_id BLOB NOT NULL,
	purpose TEXT NOT NULL,
	PRIMARY KEY (key_id)
)
 STRICT
CREATE TABLE taken (
	source TEXT NOT NULL,
	window INTEGER NOT NULL,
	documents INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	PRIMARY KEY (source)
)
 STRICT
CREATE TABLE promised (
	number INTEGER NOT NULL,
	transaction_id BLOB NOT NULL,
	sequence INTEGER NOT NULL,
	signed BLOB NOT NULL,
	since INTEGER NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (transaction_id)
)
 STRICT
