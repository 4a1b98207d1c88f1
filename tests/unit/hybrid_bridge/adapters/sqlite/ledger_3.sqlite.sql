CREATE TABLE block (
	height INTEGER NOT NULL,
	hash BLOB NOT NULL,
	time INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	data BLOB NOT NULL,
	sealed BLOB NOT NULL,
	brake INTEGER NOT NULL,
	PRIMARY KEY (height)
)
 STRICT
CREATE INDEX ix_block_epoch ON block (epoch)
CREATE TABLE decided (
	height INTEGER NOT NULL,
	hash BLOB NOT NULL,
	app_hash BLOB NOT NULL,
	chain BLOB NOT NULL,
	governance_size INTEGER NOT NULL,
	governance_root BLOB NOT NULL,
	writes BLOB NOT NULL,
	PRIMARY KEY (height)
)
 STRICT
CREATE TABLE item (
	id BLOB NOT NULL,
	height INTEGER NOT NULL,
	position INTEGER NOT NULL,
	code INTEGER NOT NULL,
	submitter BLOB NOT NULL,
	PRIMARY KEY (id)
)
 STRICT
CREATE INDEX ix_item_height ON item (height)
CREATE TABLE entry (
	leaf BLOB NOT NULL,
	height INTEGER NOT NULL,
	entry BLOB NOT NULL,
	PRIMARY KEY (leaf)
)
 STRICT
CREATE INDEX ix_entry_height ON entry (height)
CREATE TABLE state (
	"key" BLOB NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY ("key")
)
 STRICT
CREATE TABLE identitylabel (
	"key" BLOB NOT NULL,
	commitment BLOB NOT NULL,
	height INTEGER NOT NULL,
	PRIMARY KEY ("key")
)
 STRICT
CREATE INDEX ix_identitylabel_height ON identitylabel (height)
CREATE TABLE lifeevent (
	object_type TEXT NOT NULL,
	object_id TEXT NOT NULL,
	version INTEGER NOT NULL,
	height INTEGER NOT NULL,
	code TEXT NOT NULL,
	entry_leaf BLOB NOT NULL,
	state BLOB NOT NULL,
	PRIMARY KEY (object_type, object_id, version)
)
 STRICT
CREATE INDEX ix_lifeevent_height ON lifeevent (height)
CREATE TABLE governance (
	number INTEGER NOT NULL,
	height INTEGER NOT NULL,
	record BLOB NOT NULL,
	PRIMARY KEY (number)
)
 STRICT
CREATE INDEX ix_governance_height ON governance (height)
CREATE TABLE beacon (
	height INTEGER NOT NULL,
	chain_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	hash BLOB NOT NULL,
	PRIMARY KEY (height)
)
 STRICT
CREATE TABLE countersigned (
	signer BLOB NOT NULL,
	height INTEGER NOT NULL,
	block_hash BLOB NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (signer, height)
)
 STRICT
CREATE TABLE epoch (
	number INTEGER NOT NULL,
	end_block INTEGER NOT NULL,
	record BLOB NOT NULL,
	entries BLOB NOT NULL,
	pairs BLOB NOT NULL,
	PRIMARY KEY (number)
)
 STRICT
CREATE TABLE attested (
	size INTEGER NOT NULL,
	address BLOB NOT NULL,
	root BLOB NOT NULL,
	signature BLOB NOT NULL,
	PRIMARY KEY (size, address)
)
 STRICT
CREATE TABLE logline (
	size INTEGER NOT NULL,
	signature BLOB NOT NULL,
	PRIMARY KEY (size)
)
 STRICT
CREATE TABLE cosignature (
	size INTEGER NOT NULL,
	name TEXT NOT NULL,
	key_id BLOB NOT NULL,
	signature BLOB NOT NULL,
	PRIMARY KEY (size, name, key_id)
)
 STRICT
CREATE TABLE "conflict" (
	kind TEXT NOT NULL,
	signer BLOB NOT NULL,
	number INTEGER NOT NULL,
	first BLOB NOT NULL,
	second BLOB NOT NULL,
	seen_at INTEGER NOT NULL,
	PRIMARY KEY (kind, signer, number)
)
 STRICT
CREATE TABLE halt (
	id INTEGER NOT NULL,
	reason TEXT NOT NULL,
	since INTEGER NOT NULL,
	PRIMARY KEY (id)
)
 STRICT
