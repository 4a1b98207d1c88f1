CREATE TABLE record (
	number BIGSERIAL NOT NULL,
	leaf BYTEA NOT NULL,
	schema_name TEXT COLLATE "C" NOT NULL,
	source TEXT COLLATE "C" NOT NULL,
	transaction_id BYTEA NOT NULL,
	plaintext BYTEA NOT NULL,
	since BIGINT NOT NULL,
	waits_until BIGINT NOT NULL,
	erased BIGINT NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	remains BIGINT NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (leaf)
)
CREATE INDEX ix_record_remains ON record (remains)
CREATE INDEX ix_record_waits_until ON record (waits_until)
CREATE TABLE outbox (
	number BIGSERIAL NOT NULL,
	leaf BYTEA NOT NULL,
	recipient TEXT COLLATE "C" NOT NULL,
	envelope BYTEA NOT NULL,
	attempts BIGINT NOT NULL,
	due BIGINT NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	acknowledgement BYTEA NOT NULL,
	PRIMARY KEY (number)
)
CREATE INDEX ix_outbox_leaf ON outbox (leaf)
CREATE INDEX ix_outbox_owed ON outbox (number) WHERE state = 'owed'
CREATE TABLE purpose (
	key_id BYTEA NOT NULL,
	purpose TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (key_id)
)
CREATE TABLE taken (
	source TEXT COLLATE "C" NOT NULL,
	"window" BIGINT NOT NULL,
	documents BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	PRIMARY KEY (source)
)
CREATE TABLE promised (
	number BIGSERIAL NOT NULL,
	transaction_id BYTEA NOT NULL,
	sequence BIGINT NOT NULL,
	signed BYTEA NOT NULL,
	since BIGINT NOT NULL,
	PRIMARY KEY (number),
	UNIQUE (transaction_id)
)
