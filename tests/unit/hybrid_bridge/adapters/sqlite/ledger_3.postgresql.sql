CREATE TABLE block (
	height BIGINT NOT NULL,
	hash BYTEA NOT NULL,
	time BIGINT NOT NULL,
	epoch BIGINT NOT NULL,
	data BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	brake BIGINT NOT NULL,
	PRIMARY KEY (height)
)
CREATE INDEX ix_block_epoch ON block (epoch)
CREATE TABLE decided (
	height BIGINT NOT NULL,
	hash BYTEA NOT NULL,
	app_hash BYTEA NOT NULL,
	chain BYTEA NOT NULL,
	governance_size BIGINT NOT NULL,
	governance_root BYTEA NOT NULL,
	writes BYTEA NOT NULL,
	PRIMARY KEY (height)
)
CREATE TABLE item (
	id BYTEA NOT NULL,
	height BIGINT NOT NULL,
	position BIGINT NOT NULL,
	code BIGINT NOT NULL,
	submitter BYTEA NOT NULL,
	PRIMARY KEY (id)
)
CREATE INDEX ix_item_height ON item (height)
CREATE TABLE entry (
	leaf BYTEA NOT NULL,
	height BIGINT NOT NULL,
	entry BYTEA NOT NULL,
	PRIMARY KEY (leaf)
)
CREATE INDEX ix_entry_height ON entry (height)
CREATE TABLE state (
	key BYTEA NOT NULL,
	value BYTEA NOT NULL,
	PRIMARY KEY (key)
)
CREATE TABLE identitylabel (
	key BYTEA NOT NULL,
	commitment BYTEA NOT NULL,
	height BIGINT NOT NULL,
	PRIMARY KEY (key)
)
CREATE INDEX ix_identitylabel_height ON identitylabel (height)
CREATE TABLE lifeevent (
	object_type TEXT COLLATE "C" NOT NULL,
	object_id TEXT COLLATE "C" NOT NULL,
	version BIGINT NOT NULL,
	height BIGINT NOT NULL,
	code TEXT COLLATE "C" NOT NULL,
	entry_leaf BYTEA NOT NULL,
	state BYTEA NOT NULL,
	PRIMARY KEY (object_type, object_id, version)
)
CREATE INDEX ix_lifeevent_height ON lifeevent (height)
CREATE TABLE governance (
	number BIGINT NOT NULL,
	height BIGINT NOT NULL,
	record BYTEA NOT NULL,
	PRIMARY KEY (number)
)
CREATE INDEX ix_governance_height ON governance (height)
CREATE TABLE beacon (
	height BIGINT NOT NULL,
	chain_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	hash BYTEA NOT NULL,
	PRIMARY KEY (height)
)
CREATE TABLE countersigned (
	signer BYTEA NOT NULL,
	height BIGINT NOT NULL,
	block_hash BYTEA NOT NULL,
	data BYTEA NOT NULL,
	PRIMARY KEY (signer, height)
)
CREATE TABLE epoch (
	number BIGINT NOT NULL,
	end_block BIGINT NOT NULL,
	record BYTEA NOT NULL,
	entries BYTEA NOT NULL,
	pairs BYTEA NOT NULL,
	PRIMARY KEY (number)
)
CREATE TABLE attested (
	size BIGINT NOT NULL,
	address BYTEA NOT NULL,
	root BYTEA NOT NULL,
	signature BYTEA NOT NULL,
	PRIMARY KEY (size, address)
)
CREATE TABLE logline (
	size BIGINT NOT NULL,
	signature BYTEA NOT NULL,
	PRIMARY KEY (size)
)
CREATE TABLE cosignature (
	size BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	key_id BYTEA NOT NULL,
	signature BYTEA NOT NULL,
	PRIMARY KEY (size, name, key_id)
)
CREATE TABLE conflict (
	kind TEXT COLLATE "C" NOT NULL,
	signer BYTEA NOT NULL,
	number BIGINT NOT NULL,
	first BYTEA NOT NULL,
	second BYTEA NOT NULL,
	seen_at BIGINT NOT NULL,
	PRIMARY KEY (kind, signer, number)
)
CREATE TABLE halt (
	id BIGINT NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	since BIGINT NOT NULL,
	PRIMARY KEY (id)
)
