-- SPDX-License-Identifier: GPL-2.0-or-later
-- The configuration as tables, as in PostgreSQL (pg/003_config.sql) as far as
-- SQLite goes: what concerns several rows is checked by triggers when somebody
-- else edits, and by the daemon, which edits with `trusted` set.

CREATE TABLE config_working (
	one        INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
	serial     INTEGER NOT NULL DEFAULT 0,
	applied    INTEGER NOT NULL DEFAULT 0,
	refused    INTEGER NOT NULL DEFAULT 0,
	generation INTEGER NOT NULL DEFAULT 0,
	edited_ms  INTEGER NOT NULL DEFAULT 0,
	edited_by  TEXT NOT NULL DEFAULT '',
	editor     TEXT NOT NULL DEFAULT 'sql',
	trusted    INTEGER NOT NULL DEFAULT 0
);
INSERT INTO config_working DEFAULT VALUES;

CREATE TABLE config_history (
	id      INTEGER PRIMARY KEY,
	at      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
	by_whom TEXT NOT NULL,
	serial  INTEGER NOT NULL,
	tab     TEXT NOT NULL,
	what    TEXT NOT NULL,
	old     TEXT,
	new     TEXT
);
CREATE TABLE config_refusal (
	id      INTEGER PRIMARY KEY,
	at_ms   INTEGER NOT NULL,
	by_whom TEXT NOT NULL,
	serial  INTEGER NOT NULL,
	place   TEXT NOT NULL,
	what    TEXT NOT NULL
);

CREATE TABLE config_site (
	one INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
	name TEXT NOT NULL CHECK (name GLOB '[A-Za-z]*' AND
		name NOT GLOB '*[^A-Za-z0-9_-]*' AND length(name) < 32),
	domain TEXT NOT NULL,
	country TEXT CHECK (country GLOB '[a-z][a-z]'),
	jitter_ms INTEGER NOT NULL DEFAULT 60
		CHECK (jitter_ms BETWEEN 20 AND 400),
	rtp_timeout_s INTEGER NOT NULL DEFAULT 60,
	session_expires_s INTEGER NOT NULL DEFAULT 1800
);
CREATE TABLE config_node (
	name TEXT NOT NULL PRIMARY KEY CHECK (name GLOB '[A-Za-z]*' AND
		name NOT GLOB '*[^A-Za-z0-9_-]*' AND length(name) < 32),
	id INTEGER NOT NULL CHECK (id BETWEEN 1 AND 16),
	role TEXT NOT NULL DEFAULT 'node'
		CHECK (role IN ('node', 'witness')),
	address TEXT,
	cluster_address TEXT
) WITHOUT ROWID;
CREATE TABLE config_class (
	name TEXT NOT NULL PRIMARY KEY CHECK (name GLOB '[A-Za-z]*' AND
		name NOT GLOB '*[^A-Za-z0-9_-]*' AND length(name) < 32),
	otherwise TEXT NOT NULL DEFAULT 'deny'
		CHECK (otherwise IN ('deny', 'allow'))
) WITHOUT ROWID;
CREATE TABLE config_class_allow (
	class TEXT NOT NULL REFERENCES config_class
		ON UPDATE CASCADE ON DELETE CASCADE
		DEFERRABLE INITIALLY DEFERRED,
	pos INTEGER NOT NULL DEFAULT 0,
	prefix TEXT NOT NULL CHECK (prefix NOT GLOB '*[^0-9*#]*' AND
		length(prefix) BETWEEN 1 AND 31),
	PRIMARY KEY (class, prefix)
) WITHOUT ROWID;
CREATE TABLE config_class_deny (
	class TEXT NOT NULL REFERENCES config_class
		ON UPDATE CASCADE ON DELETE CASCADE
		DEFERRABLE INITIALLY DEFERRED,
	pos INTEGER NOT NULL DEFAULT 0,
	prefix TEXT NOT NULL CHECK (prefix NOT GLOB '*[^0-9*#]*' AND
		length(prefix) BETWEEN 1 AND 31),
	PRIMARY KEY (class, prefix)
) WITHOUT ROWID;
CREATE TABLE config_line (
	name TEXT NOT NULL PRIMARY KEY CHECK (name GLOB '[A-Za-z]*' AND
		name NOT GLOB '*[^A-Za-z0-9_-]*' AND length(name) < 32),
	port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 32),
	line_group TEXT CHECK (line_group GLOB '[A-Za-z]*' AND
		line_group NOT GLOB '*[^A-Za-z0-9_-]*' AND length(line_group) < 32),
	switch TEXT NOT NULL DEFAULT 'euroisdn'
		CHECK (switch IN ('euroisdn')),
	side TEXT NOT NULL DEFAULT 'user'
		CHECK (side IN ('user', 'network')),
	channels TEXT NOT NULL DEFAULT '1-15,17-31'
		CHECK (channels NOT GLOB '*[^0-9,-]*'),
	dchannel INTEGER NOT NULL DEFAULT 16
		CHECK (dchannel BETWEEN 1 AND 31),
	overlap INTEGER NOT NULL DEFAULT 0 CHECK (overlap IN (0, 1)),
	transparent INTEGER NOT NULL DEFAULT 1 CHECK (transparent = 1),
	class TEXT REFERENCES config_class
		ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED
) WITHOUT ROWID;
CREATE TABLE config_line_node (
	line TEXT NOT NULL REFERENCES config_line
		ON UPDATE CASCADE ON DELETE CASCADE
		DEFERRABLE INITIALLY DEFERRED,
	pos INTEGER NOT NULL DEFAULT 0,
	node TEXT NOT NULL REFERENCES config_node
		ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
	PRIMARY KEY (line, node)
) WITHOUT ROWID;
CREATE TABLE config_address (
	name TEXT NOT NULL PRIMARY KEY CHECK (name GLOB '[A-Za-z]*' AND
		name NOT GLOB '*[^A-Za-z0-9_-]*' AND length(name) < 32),
	address TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE config_address_node (
	address TEXT NOT NULL REFERENCES config_address
		ON UPDATE CASCADE ON DELETE CASCADE
		DEFERRABLE INITIALLY DEFERRED,
	pos INTEGER NOT NULL DEFAULT 0,
	node TEXT NOT NULL REFERENCES config_node
		ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
	PRIMARY KEY (address, node)
) WITHOUT ROWID;
CREATE TABLE config_extension (
	first TEXT NOT NULL PRIMARY KEY CHECK (first NOT GLOB '*[^0-9]*' AND
		length(first) BETWEEN 1 AND 15),
	last TEXT CHECK (last NOT GLOB '*[^0-9]*' AND
		length(last) BETWEEN 1 AND 15),
	password TEXT NOT NULL CHECK (length(password) > 0),
	name TEXT,
	sha256 INTEGER NOT NULL DEFAULT 0 CHECK (sha256 IN (0, 1)),
	class TEXT REFERENCES config_class
		ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
	CHECK (last IS NULL OR (length(first) = length(last) AND
		first <= last))
) WITHOUT ROWID;
CREATE TABLE config_ddi (
	first TEXT NOT NULL PRIMARY KEY CHECK (first NOT GLOB '*[^0-9]*' AND
		length(first) BETWEEN 1 AND 15),
	last TEXT CHECK (last NOT GLOB '*[^0-9]*' AND
		length(last) BETWEEN 1 AND 15),
	keep INTEGER NOT NULL CHECK (keep BETWEEN 1 AND length(first)),
	CHECK (last IS NULL OR (length(first) = length(last) AND
		first <= last))
) WITHOUT ROWID;
CREATE TABLE config_route (
	prefix TEXT NOT NULL PRIMARY KEY CHECK (prefix NOT GLOB '*[^0-9*#]*' AND
		length(prefix) BETWEEN 1 AND 31),
	strip INTEGER NOT NULL DEFAULT 0 CHECK (strip BETWEEN 0 AND 31),
	transit INTEGER NOT NULL DEFAULT 0 CHECK (transit IN (0, 1)),
	prepend TEXT CHECK (prepend NOT GLOB '*[^0-9*#]*' AND
		length(prepend) BETWEEN 1 AND 31),
	line_group TEXT CHECK (line_group GLOB '[A-Za-z]*' AND
		line_group NOT GLOB '*[^A-Za-z0-9_-]*' AND length(line_group) < 32)
) WITHOUT ROWID;
CREATE TABLE config_route_line (
	route TEXT NOT NULL REFERENCES config_route
		ON UPDATE CASCADE ON DELETE CASCADE
		DEFERRABLE INITIALLY DEFERRED,
	pos INTEGER NOT NULL DEFAULT 0,
	line TEXT NOT NULL REFERENCES config_line
		ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
	PRIMARY KEY (route, line)
) WITHOUT ROWID;
CREATE TABLE config_service (
	number TEXT NOT NULL PRIMARY KEY CHECK (number NOT GLOB '*[^0-9*#]*' AND
		length(number) BETWEEN 1 AND 31),
	service TEXT NOT NULL CHECK (service IN ('echo'))
) WITHOUT ROWID;

-- ---- when somebody else edits ----

CREATE TRIGGER extension_overlaps_insert AFTER INSERT ON config_extension
WHEN NOT (SELECT trusted FROM config_working) AND EXISTS (
	SELECT 1 FROM config_extension e WHERE e.first <> NEW.first
	AND length(e.first) = length(NEW.first)
	AND e.first <= coalesce(NEW.last, NEW.first)
	AND coalesce(e.last, e.first) >= NEW.first)
BEGIN
	SELECT raise(ABORT, 'extension: the range overlaps another');
END;
CREATE TRIGGER extension_overlaps_update AFTER UPDATE ON config_extension
WHEN NOT (SELECT trusted FROM config_working) AND EXISTS (
	SELECT 1 FROM config_extension e WHERE e.first <> NEW.first
	AND length(e.first) = length(NEW.first)
	AND e.first <= coalesce(NEW.last, NEW.first)
	AND coalesce(e.last, e.first) >= NEW.first)
BEGIN
	SELECT raise(ABORT, 'extension: the range overlaps another');
END;
CREATE TRIGGER ddi_overlaps_insert AFTER INSERT ON config_ddi
WHEN NOT (SELECT trusted FROM config_working) AND EXISTS (
	SELECT 1 FROM config_ddi e WHERE e.first <> NEW.first
	AND length(e.first) = length(NEW.first)
	AND e.first <= coalesce(NEW.last, NEW.first)
	AND coalesce(e.last, e.first) >= NEW.first)
BEGIN
	SELECT raise(ABORT, 'ddi: the range overlaps another');
END;
CREATE TRIGGER ddi_overlaps_update AFTER UPDATE ON config_ddi
WHEN NOT (SELECT trusted FROM config_working) AND EXISTS (
	SELECT 1 FROM config_ddi e WHERE e.first <> NEW.first
	AND length(e.first) = length(NEW.first)
	AND e.first <= coalesce(NEW.last, NEW.first)
	AND coalesce(e.last, e.first) >= NEW.first)
BEGIN
	SELECT raise(ABORT, 'ddi: the range overlaps another');
END;
CREATE TRIGGER port_wired_twice_insert AFTER INSERT ON config_line_node
WHEN NOT (SELECT trusted FROM config_working) AND EXISTS (
	SELECT 1 FROM config_line a JOIN config_line b ON a.port = b.port
	AND a.name <> b.name JOIN config_line_node n ON n.line = b.name
	WHERE a.name = NEW.line AND n.node = NEW.node)
BEGIN
	SELECT raise(ABORT, 'a port of a node is wired twice');
END;
CREATE TRIGGER port_wired_twice_update AFTER UPDATE ON config_line_node
WHEN NOT (SELECT trusted FROM config_working) AND EXISTS (
	SELECT 1 FROM config_line a JOIN config_line b ON a.port = b.port
	AND a.name <> b.name JOIN config_line_node n ON n.line = b.name
	WHERE a.name = NEW.line AND n.node = NEW.node)
BEGIN
	SELECT raise(ABORT, 'a port of a node is wired twice');
END;
CREATE TRIGGER port_wired_twice_line AFTER UPDATE OF port ON config_line
WHEN NOT (SELECT trusted FROM config_working) AND EXISTS (
	SELECT 1 FROM config_line b JOIN config_line_node n ON n.line = b.name
	JOIN config_line_node m ON m.node = n.node AND m.line = NEW.name
	WHERE b.port = NEW.port AND b.name <> NEW.name)
BEGIN
	SELECT raise(ABORT, 'a port of a node is wired twice');
END;
CREATE TRIGGER generation_stays BEFORE UPDATE ON generation
BEGIN
	SELECT raise(ABORT, 'a generation is never changed');
END;

-- ---- every change is counted and remembered ----

CREATE TRIGGER site_insert AFTER INSERT ON config_site BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_site', 'INSERT',
			NULL,
			json_object('name', NEW.name, 'domain', NEW.domain, 
			'country', NEW.country, 'jitter_ms', NEW.jitter_ms, 
			'rtp_timeout_s', NEW.rtp_timeout_s, 
			'session_expires_s', NEW.session_expires_s)
		FROM config_working;
END;
CREATE TRIGGER site_update AFTER UPDATE ON config_site BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_site', 'UPDATE',
			json_object('name', OLD.name, 'domain', OLD.domain, 
			'country', OLD.country, 'jitter_ms', OLD.jitter_ms, 
			'rtp_timeout_s', OLD.rtp_timeout_s, 
			'session_expires_s', OLD.session_expires_s),
			json_object('name', NEW.name, 'domain', NEW.domain, 
			'country', NEW.country, 'jitter_ms', NEW.jitter_ms, 
			'rtp_timeout_s', NEW.rtp_timeout_s, 
			'session_expires_s', NEW.session_expires_s)
		FROM config_working;
END;
CREATE TRIGGER site_delete AFTER DELETE ON config_site BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_site', 'DELETE',
			json_object('name', OLD.name, 'domain', OLD.domain, 
			'country', OLD.country, 'jitter_ms', OLD.jitter_ms, 
			'rtp_timeout_s', OLD.rtp_timeout_s, 
			'session_expires_s', OLD.session_expires_s),
			NULL
		FROM config_working;
END;
CREATE TRIGGER node_insert AFTER INSERT ON config_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_node', 'INSERT',
			NULL,
			json_object('name', NEW.name, 'id', NEW.id, 'role', NEW.role, 
			'address', NEW.address, 
			'cluster_address', NEW.cluster_address)
		FROM config_working;
END;
CREATE TRIGGER node_update AFTER UPDATE ON config_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_node', 'UPDATE',
			json_object('name', OLD.name, 'id', OLD.id, 'role', OLD.role, 
			'address', OLD.address, 
			'cluster_address', OLD.cluster_address),
			json_object('name', NEW.name, 'id', NEW.id, 'role', NEW.role, 
			'address', NEW.address, 
			'cluster_address', NEW.cluster_address)
		FROM config_working;
END;
CREATE TRIGGER node_delete AFTER DELETE ON config_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_node', 'DELETE',
			json_object('name', OLD.name, 'id', OLD.id, 'role', OLD.role, 
			'address', OLD.address, 
			'cluster_address', OLD.cluster_address),
			NULL
		FROM config_working;
END;
CREATE TRIGGER class_insert AFTER INSERT ON config_class BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class', 'INSERT',
			NULL,
			json_object('name', NEW.name, 'otherwise', NEW.otherwise)
		FROM config_working;
END;
CREATE TRIGGER class_update AFTER UPDATE ON config_class BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class', 'UPDATE',
			json_object('name', OLD.name, 'otherwise', OLD.otherwise),
			json_object('name', NEW.name, 'otherwise', NEW.otherwise)
		FROM config_working;
END;
CREATE TRIGGER class_delete AFTER DELETE ON config_class BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class', 'DELETE',
			json_object('name', OLD.name, 'otherwise', OLD.otherwise),
			NULL
		FROM config_working;
END;
CREATE TRIGGER class_allow_insert AFTER INSERT ON config_class_allow BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class_allow', 'INSERT',
			NULL,
			json_object('class', NEW.class, 'pos', NEW.pos, 'prefix', NEW.prefix)
		FROM config_working;
END;
CREATE TRIGGER class_allow_update AFTER UPDATE ON config_class_allow BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class_allow', 'UPDATE',
			json_object('class', OLD.class, 'pos', OLD.pos, 'prefix', OLD.prefix),
			json_object('class', NEW.class, 'pos', NEW.pos, 'prefix', NEW.prefix)
		FROM config_working;
END;
CREATE TRIGGER class_allow_delete AFTER DELETE ON config_class_allow BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class_allow', 'DELETE',
			json_object('class', OLD.class, 'pos', OLD.pos, 'prefix', OLD.prefix),
			NULL
		FROM config_working;
END;
CREATE TRIGGER class_deny_insert AFTER INSERT ON config_class_deny BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class_deny', 'INSERT',
			NULL,
			json_object('class', NEW.class, 'pos', NEW.pos, 'prefix', NEW.prefix)
		FROM config_working;
END;
CREATE TRIGGER class_deny_update AFTER UPDATE ON config_class_deny BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class_deny', 'UPDATE',
			json_object('class', OLD.class, 'pos', OLD.pos, 'prefix', OLD.prefix),
			json_object('class', NEW.class, 'pos', NEW.pos, 'prefix', NEW.prefix)
		FROM config_working;
END;
CREATE TRIGGER class_deny_delete AFTER DELETE ON config_class_deny BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_class_deny', 'DELETE',
			json_object('class', OLD.class, 'pos', OLD.pos, 'prefix', OLD.prefix),
			NULL
		FROM config_working;
END;
CREATE TRIGGER line_insert AFTER INSERT ON config_line BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_line', 'INSERT',
			NULL,
			json_object('name', NEW.name, 'port', NEW.port, 
			'line_group', NEW.line_group, 'switch', NEW.switch, 
			'side', NEW.side, 'channels', NEW.channels, 
			'dchannel', NEW.dchannel, 'overlap', NEW.overlap, 
			'transparent', NEW.transparent, 'class', NEW.class)
		FROM config_working;
END;
CREATE TRIGGER line_update AFTER UPDATE ON config_line BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_line', 'UPDATE',
			json_object('name', OLD.name, 'port', OLD.port, 
			'line_group', OLD.line_group, 'switch', OLD.switch, 
			'side', OLD.side, 'channels', OLD.channels, 
			'dchannel', OLD.dchannel, 'overlap', OLD.overlap, 
			'transparent', OLD.transparent, 'class', OLD.class),
			json_object('name', NEW.name, 'port', NEW.port, 
			'line_group', NEW.line_group, 'switch', NEW.switch, 
			'side', NEW.side, 'channels', NEW.channels, 
			'dchannel', NEW.dchannel, 'overlap', NEW.overlap, 
			'transparent', NEW.transparent, 'class', NEW.class)
		FROM config_working;
END;
CREATE TRIGGER line_delete AFTER DELETE ON config_line BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_line', 'DELETE',
			json_object('name', OLD.name, 'port', OLD.port, 
			'line_group', OLD.line_group, 'switch', OLD.switch, 
			'side', OLD.side, 'channels', OLD.channels, 
			'dchannel', OLD.dchannel, 'overlap', OLD.overlap, 
			'transparent', OLD.transparent, 'class', OLD.class),
			NULL
		FROM config_working;
END;
CREATE TRIGGER line_node_insert AFTER INSERT ON config_line_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_line_node', 'INSERT',
			NULL,
			json_object('line', NEW.line, 'pos', NEW.pos, 'node', NEW.node)
		FROM config_working;
END;
CREATE TRIGGER line_node_update AFTER UPDATE ON config_line_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_line_node', 'UPDATE',
			json_object('line', OLD.line, 'pos', OLD.pos, 'node', OLD.node),
			json_object('line', NEW.line, 'pos', NEW.pos, 'node', NEW.node)
		FROM config_working;
END;
CREATE TRIGGER line_node_delete AFTER DELETE ON config_line_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_line_node', 'DELETE',
			json_object('line', OLD.line, 'pos', OLD.pos, 'node', OLD.node),
			NULL
		FROM config_working;
END;
CREATE TRIGGER address_insert AFTER INSERT ON config_address BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_address', 'INSERT',
			NULL,
			json_object('name', NEW.name, 'address', NEW.address)
		FROM config_working;
END;
CREATE TRIGGER address_update AFTER UPDATE ON config_address BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_address', 'UPDATE',
			json_object('name', OLD.name, 'address', OLD.address),
			json_object('name', NEW.name, 'address', NEW.address)
		FROM config_working;
END;
CREATE TRIGGER address_delete AFTER DELETE ON config_address BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_address', 'DELETE',
			json_object('name', OLD.name, 'address', OLD.address),
			NULL
		FROM config_working;
END;
CREATE TRIGGER address_node_insert AFTER INSERT ON config_address_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_address_node', 'INSERT',
			NULL,
			json_object('address', NEW.address, 'pos', NEW.pos, 'node', NEW.node)
		FROM config_working;
END;
CREATE TRIGGER address_node_update AFTER UPDATE ON config_address_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_address_node', 'UPDATE',
			json_object('address', OLD.address, 'pos', OLD.pos, 'node', OLD.node),
			json_object('address', NEW.address, 'pos', NEW.pos, 'node', NEW.node)
		FROM config_working;
END;
CREATE TRIGGER address_node_delete AFTER DELETE ON config_address_node BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_address_node', 'DELETE',
			json_object('address', OLD.address, 'pos', OLD.pos, 'node', OLD.node),
			NULL
		FROM config_working;
END;
CREATE TRIGGER extension_insert AFTER INSERT ON config_extension BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_extension', 'INSERT',
			NULL,
			json_object('first', NEW.first, 'last', NEW.last, 
			'password', 'changed', 'name', NEW.name, 
			'sha256', NEW.sha256, 'class', NEW.class)
		FROM config_working;
END;
CREATE TRIGGER extension_update AFTER UPDATE ON config_extension BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_extension', 'UPDATE',
			json_object('first', OLD.first, 'last', OLD.last, 'name', OLD.name, 
			'sha256', OLD.sha256, 'class', OLD.class),
			json_object('first', NEW.first, 'last', NEW.last, 
			'password', CASE WHEN NEW.password <> OLD.password THEN 'changed' END, 
			'name', NEW.name, 'sha256', NEW.sha256, 
			'class', NEW.class)
		FROM config_working;
END;
CREATE TRIGGER extension_delete AFTER DELETE ON config_extension BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_extension', 'DELETE',
			json_object('first', OLD.first, 'last', OLD.last, 'name', OLD.name, 
			'sha256', OLD.sha256, 'class', OLD.class),
			NULL
		FROM config_working;
END;
CREATE TRIGGER ddi_insert AFTER INSERT ON config_ddi BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_ddi', 'INSERT',
			NULL,
			json_object('first', NEW.first, 'last', NEW.last, 'keep', NEW.keep)
		FROM config_working;
END;
CREATE TRIGGER ddi_update AFTER UPDATE ON config_ddi BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_ddi', 'UPDATE',
			json_object('first', OLD.first, 'last', OLD.last, 'keep', OLD.keep),
			json_object('first', NEW.first, 'last', NEW.last, 'keep', NEW.keep)
		FROM config_working;
END;
CREATE TRIGGER ddi_delete AFTER DELETE ON config_ddi BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_ddi', 'DELETE',
			json_object('first', OLD.first, 'last', OLD.last, 'keep', OLD.keep),
			NULL
		FROM config_working;
END;
CREATE TRIGGER route_insert AFTER INSERT ON config_route BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_route', 'INSERT',
			NULL,
			json_object('prefix', NEW.prefix, 'strip', NEW.strip, 
			'transit', NEW.transit, 'prepend', NEW.prepend, 
			'line_group', NEW.line_group)
		FROM config_working;
END;
CREATE TRIGGER route_update AFTER UPDATE ON config_route BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_route', 'UPDATE',
			json_object('prefix', OLD.prefix, 'strip', OLD.strip, 
			'transit', OLD.transit, 'prepend', OLD.prepend, 
			'line_group', OLD.line_group),
			json_object('prefix', NEW.prefix, 'strip', NEW.strip, 
			'transit', NEW.transit, 'prepend', NEW.prepend, 
			'line_group', NEW.line_group)
		FROM config_working;
END;
CREATE TRIGGER route_delete AFTER DELETE ON config_route BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_route', 'DELETE',
			json_object('prefix', OLD.prefix, 'strip', OLD.strip, 
			'transit', OLD.transit, 'prepend', OLD.prepend, 
			'line_group', OLD.line_group),
			NULL
		FROM config_working;
END;
CREATE TRIGGER route_line_insert AFTER INSERT ON config_route_line BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_route_line', 'INSERT',
			NULL,
			json_object('route', NEW.route, 'pos', NEW.pos, 'line', NEW.line)
		FROM config_working;
END;
CREATE TRIGGER route_line_update AFTER UPDATE ON config_route_line BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_route_line', 'UPDATE',
			json_object('route', OLD.route, 'pos', OLD.pos, 'line', OLD.line),
			json_object('route', NEW.route, 'pos', NEW.pos, 'line', NEW.line)
		FROM config_working;
END;
CREATE TRIGGER route_line_delete AFTER DELETE ON config_route_line BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_route_line', 'DELETE',
			json_object('route', OLD.route, 'pos', OLD.pos, 'line', OLD.line),
			NULL
		FROM config_working;
END;
CREATE TRIGGER service_insert AFTER INSERT ON config_service BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_service', 'INSERT',
			NULL,
			json_object('number', NEW.number, 'service', NEW.service)
		FROM config_working;
END;
CREATE TRIGGER service_update AFTER UPDATE ON config_service BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_service', 'UPDATE',
			json_object('number', OLD.number, 'service', OLD.service),
			json_object('number', NEW.number, 'service', NEW.service)
		FROM config_working;
END;
CREATE TRIGGER service_delete AFTER DELETE ON config_service BEGIN
	UPDATE config_working SET serial = serial + 1, edited_by = editor,
		edited_ms = cast(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER);
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT editor, serial, 'config_service', 'DELETE',
			json_object('number', OLD.number, 'service', OLD.service),
			NULL
		FROM config_working;
END;
