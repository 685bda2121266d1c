-- SPDX-License-Identifier: GPL-2.0-or-later
-- The configuration as tables: the working copy, from which generations are
-- made. What a row can break is refused here and now; the daemon checks the
-- rest when an edit is committed (deploy/sql/README.md).

-- ---- the edit at hand, what was changed, what was refused ----

-- One row. Every statement that edits a table counts serial up and so waits
-- for the transaction that edited before it.
CREATE TABLE config_working (
	one        boolean PRIMARY KEY DEFAULT true CHECK (one),
	serial     bigint NOT NULL DEFAULT 0,
	-- the edit that generation has; others pend
	applied    bigint NOT NULL DEFAULT 0,
	-- the edit that did not pass
	refused    bigint NOT NULL DEFAULT 0,
	-- what the tables were last equal to
	generation bigint NOT NULL DEFAULT 0,
	edited_at  timestamptz NOT NULL DEFAULT now(),
	edited_by  text NOT NULL DEFAULT ''
);
INSERT INTO config_working DEFAULT VALUES;

CREATE TABLE config_history (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	by_whom text NOT NULL,
	serial  bigint NOT NULL,
	tab     text NOT NULL,
	what    text NOT NULL CHECK (what IN ('INSERT', 'UPDATE', 'DELETE')),
	-- rows as they were; of a password only whether it changed
	old     jsonb,
	new     jsonb
);

CREATE TABLE config_refusal (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at      timestamptz NOT NULL DEFAULT now(),
	by_whom text NOT NULL,
	serial  bigint NOT NULL,
	place   text NOT NULL,
	what    text NOT NULL
);

CREATE FUNCTION config_who() RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce(nullif(current_setting('tandem.who', true), ''),
			session_user::text)
$$;

CREATE FUNCTION config_edit() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		RAISE EXCEPTION 'TRUNCATE leaves no history: use DELETE';
	END IF;
	UPDATE config_working SET serial = serial + 1, edited_at = now(),
		edited_by = config_who();
	PERFORM pg_notify('tandem_config', 'edit');
	RETURN NULL;
END
$$;

CREATE FUNCTION config_remember() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
	now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
	changed boolean := was ->> 'password' IS DISTINCT FROM
		now ->> 'password';
BEGIN
	IF was = now THEN
		RETURN NULL;
	END IF;
	was := was - 'password';
	now := now - 'password';
	IF changed AND now IS NOT NULL THEN
		now := now || '{"password": "changed"}';
	END IF;
	INSERT INTO config_history (by_whom, serial, tab, what, old, new)
		SELECT config_who(), w.serial, TG_TABLE_NAME, TG_OP, was, now
		FROM config_working w;
	RETURN NULL;
END
$$;

-- ---- forms of values ----

CREATE DOMAIN config_name AS text CHECK (
	VALUE ~ '^[A-Za-z][A-Za-z0-9_-]*$' AND octet_length(VALUE) < 32);
CREATE DOMAIN config_number AS text COLLATE "C" CHECK (
	VALUE ~ '^[0-9]{1,15}$');
-- what can be dialled
CREATE DOMAIN config_dialled AS text COLLATE "C" CHECK (
	VALUE ~ '^[0-9*#]+$' AND octet_length(VALUE) < 32);

CREATE FUNCTION config_host(address text) RETURNS inet LANGUAGE plpgsql
IMMUTABLE STRICT AS $$
BEGIN
	IF address !~ '^\d+\.\d+\.\d+\.\d+$' AND
	   address !~ '^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$' THEN
		RAISE EXCEPTION '"%" is no IPv4 or IPv6 address', address
			USING ERRCODE = 'check_violation';
	END IF;
	RETURN address::inet;
END
$$;
CREATE DOMAIN config_address_text AS text CHECK (
	VALUE IS NULL OR
	config_host(VALUE) IS NOT NULL AND octet_length(VALUE) < 46);

-- "1-15,17-31" as bits
CREATE FUNCTION config_timeslots(list text) RETURNS bigint LANGUAGE plpgsql
IMMUTABLE STRICT AS $$
DECLARE
	part text;
	a int;
	z int;
	bits bigint := 0;
BEGIN
	IF list !~ '^[0-9]{1,2}(-[0-9]{1,2})?(,[0-9]{1,2}(-[0-9]{1,2})?)*$' THEN
		RAISE EXCEPTION 'timeslots "%": such as 1-15,17-31', list
			USING ERRCODE = 'check_violation';
	END IF;
	FOREACH part IN ARRAY string_to_array(list, ',') LOOP
		a := split_part(part, '-', 1)::int;
		z := coalesce(nullif(split_part(part, '-', 2), ''),
			      split_part(part, '-', 1))::int;
		FOR t IN a..z LOOP
			IF t < 1 OR t > 31 OR bits & (1::bigint << t) <> 0 THEN
				RAISE EXCEPTION
					'timeslots "%": 1 to 31, each once', list
					USING ERRCODE = 'check_violation';
			END IF;
			bits := bits | (1::bigint << t);
		END LOOP;
		IF a > z THEN
			RAISE EXCEPTION 'timeslots "%": % is empty', list, part
				USING ERRCODE = 'check_violation';
		END IF;
	END LOOP;
	RETURN bits;
END
$$;

-- Numbers of another length are other numbers: 0100 is not 100.
CREATE FUNCTION config_range(first text, last text) RETURNS int8range
LANGUAGE sql IMMUTABLE AS $$
	SELECT int8range(('1' || first)::bigint, ('1' || last)::bigint, '[]')
$$;

-- ---- what exists ----

CREATE TABLE config_site (
	one       boolean PRIMARY KEY DEFAULT true CHECK (one),
	name      config_name NOT NULL,
	domain    text NOT NULL CHECK (domain ~ '^[A-Za-z0-9.-]+$' AND
			domain !~ '(^[.-])|(\.$)|(\.\.)' AND
			octet_length(domain) < 64),
	country   text CHECK (country ~ '^[a-z]{2}$'),
	jitter_ms integer NOT NULL DEFAULT 60
			CHECK (jitter_ms BETWEEN 20 AND 400),
	rtp_timeout_s integer NOT NULL DEFAULT 60
			CHECK (rtp_timeout_s = 0 OR
			       rtp_timeout_s BETWEEN 5 AND 3600),
	session_expires_s integer NOT NULL DEFAULT 1800
			CHECK (session_expires_s = 0 OR
			       session_expires_s BETWEEN 90 AND 86400)
);

CREATE TABLE config_node (
	name            config_name PRIMARY KEY,
	id              integer NOT NULL CHECK (id BETWEEN 1 AND 16)
				UNIQUE DEFERRABLE,
	role            text NOT NULL DEFAULT 'node'
				CHECK (role IN ('node', 'witness')),
	address         config_address_text,
	cluster_address config_address_text,
	CHECK (role = 'witness' OR address IS NOT NULL)
);

CREATE TABLE config_class (
	name      config_name PRIMARY KEY,
	otherwise text NOT NULL DEFAULT 'deny'
			CHECK (otherwise IN ('deny', 'allow'))
);
CREATE TABLE config_class_allow (
	class  config_name NOT NULL REFERENCES config_class
			ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE,
	pos    integer NOT NULL,
	prefix config_dialled NOT NULL,
	PRIMARY KEY (class, prefix),
	UNIQUE (class, pos) DEFERRABLE
);
CREATE TABLE config_class_deny (
	class  config_name NOT NULL REFERENCES config_class
			ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE,
	pos    integer NOT NULL,
	prefix config_dialled NOT NULL,
	PRIMARY KEY (class, prefix),
	UNIQUE (class, pos) DEFERRABLE
);

CREATE TABLE config_line (
	name        config_name PRIMARY KEY,
	port        integer NOT NULL CHECK (port BETWEEN 1 AND 32),
	line_group  config_name,
	switch      text NOT NULL DEFAULT 'euroisdn'
			CHECK (switch IN ('euroisdn')),
	side        text NOT NULL DEFAULT 'user'
			CHECK (side IN ('user', 'network')),
	channels    text NOT NULL DEFAULT '1-15,17-31',
	dchannel    integer NOT NULL DEFAULT 16
			CHECK (dchannel BETWEEN 1 AND 31),
	overlap     boolean NOT NULL DEFAULT false,
	transparent boolean NOT NULL DEFAULT true CHECK (transparent),
	class       config_name REFERENCES config_class
			ON UPDATE CASCADE DEFERRABLE,
	UNIQUE (name, port),
	CHECK (config_timeslots(channels) & (1::bigint << dchannel) = 0)
);
CREATE INDEX ON config_line (line_group);

-- The nodes that a line is wired to, preferred first. port follows the line.
CREATE TABLE config_line_node (
	line config_name NOT NULL,
	pos  integer NOT NULL,
	node config_name NOT NULL REFERENCES config_node
			ON UPDATE CASCADE DEFERRABLE,
	port integer NOT NULL,
	PRIMARY KEY (line, node),
	UNIQUE (line, pos) DEFERRABLE,
	FOREIGN KEY (line, port) REFERENCES config_line (name, port)
		ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE,
	CONSTRAINT a_port_is_wired_once UNIQUE (node, port) DEFERRABLE
);

CREATE TABLE config_address (
	name    config_name PRIMARY KEY,
	address config_address_text NOT NULL
);
CREATE TABLE config_address_node (
	address config_name NOT NULL REFERENCES config_address
			ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE,
	pos     integer NOT NULL,
	node    config_name NOT NULL REFERENCES config_node
			ON UPDATE CASCADE DEFERRABLE,
	PRIMARY KEY (address, node),
	UNIQUE (address, pos) DEFERRABLE
);

-- One extension or a range; {number} in a password stands for the number.
CREATE TABLE config_extension (
	first    config_number PRIMARY KEY,
	last     config_number NOT NULL,
	password text NOT NULL CHECK (octet_length(password) BETWEEN 1 AND 63
			AND password !~ '[\x01-\x1f\x7f]'),
	name     text CHECK (octet_length(name) < 64 AND
			name !~ '[\x01-\x1f\x7f]'),
	sha256   boolean NOT NULL DEFAULT false,
	class    config_name REFERENCES config_class
			ON UPDATE CASCADE DEFERRABLE,
	CHECK (length(first) = length(last)),
	CHECK (first <= last),
	CONSTRAINT extensions_do_not_overlap
		EXCLUDE USING gist (config_range(first, last) WITH &&)
		DEFERRABLE
);
CREATE INDEX ON config_extension (class);

CREATE TABLE config_ddi (
	first config_number PRIMARY KEY,
	last  config_number NOT NULL,
	keep  integer NOT NULL CHECK (keep BETWEEN 1 AND length(first)),
	CHECK (length(first) = length(last)),
	CHECK (first <= last),
	CONSTRAINT ddi_do_not_overlap
		EXCLUDE USING gist (config_range(first, last) WITH &&)
		DEFERRABLE
);

CREATE TABLE config_route (
	prefix     config_dialled PRIMARY KEY,
	strip      integer NOT NULL DEFAULT 0 CHECK (strip BETWEEN 0 AND 31),
	transit    boolean NOT NULL DEFAULT false,
	prepend    config_dialled,
	line_group config_name
);
CREATE TABLE config_route_line (
	route config_dialled NOT NULL REFERENCES config_route
			ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE,
	pos   integer NOT NULL,
	line  config_name NOT NULL REFERENCES config_line
			ON UPDATE CASCADE DEFERRABLE,
	PRIMARY KEY (route, line),
	UNIQUE (route, pos) DEFERRABLE
);

CREATE TABLE config_service (
	number  config_dialled PRIMARY KEY CHECK (length(number) <= 15),
	service text NOT NULL CHECK (service IN ('echo'))
);

-- ---- conveniences of INSERT ----

CREATE FUNCTION config_last_is_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.last := coalesce(NEW.last, NEW.first);
	RETURN NEW;
END
$$;
CREATE TRIGGER a_number_alone BEFORE INSERT ON config_extension
	FOR EACH ROW EXECUTE FUNCTION config_last_is_first();
CREATE TRIGGER a_number_alone BEFORE INSERT ON config_ddi
	FOR EACH ROW EXECUTE FUNCTION config_last_is_first();

-- A list's next place; the argument is the column of whose list it is.
CREATE FUNCTION config_next_pos() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.pos IS NULL THEN
		EXECUTE format('SELECT coalesce(max(pos), 0) + 1 FROM %I '
			       'WHERE %I = $1', TG_TABLE_NAME, TG_ARGV[0])
			INTO NEW.pos USING to_jsonb(NEW) ->> TG_ARGV[0];
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER at_the_end BEFORE INSERT ON config_line_node
	FOR EACH ROW EXECUTE FUNCTION config_next_pos('line');
CREATE TRIGGER at_the_end BEFORE INSERT ON config_address_node
	FOR EACH ROW EXECUTE FUNCTION config_next_pos('address');
CREATE TRIGGER at_the_end BEFORE INSERT ON config_route_line
	FOR EACH ROW EXECUTE FUNCTION config_next_pos('route');
CREATE TRIGGER at_the_end BEFORE INSERT ON config_class_allow
	FOR EACH ROW EXECUTE FUNCTION config_next_pos('class');
CREATE TRIGGER at_the_end BEFORE INSERT ON config_class_deny
	FOR EACH ROW EXECUTE FUNCTION config_next_pos('class');

CREATE FUNCTION config_port_of_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.port := coalesce((SELECT port FROM config_line
			      WHERE name = NEW.line), NEW.port, 0);
	RETURN NEW;
END
$$;
CREATE TRIGGER port_of_line BEFORE INSERT OR UPDATE OF line
	ON config_line_node
	FOR EACH ROW EXECUTE FUNCTION config_port_of_line();

-- ---- what concerns several tables: once a transaction, at its end ----

CREATE FUNCTION config_refuse(said text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', said USING ERRCODE = 'check_violation';
END
$$;

CREATE VIEW config_used_address AS
	SELECT 'node ' || name AS owner, address FROM config_node
		WHERE address IS NOT NULL
	UNION ALL
	SELECT 'node ' || name, cluster_address FROM config_node
		WHERE cluster_address IS NOT NULL
	UNION ALL
	SELECT 'address ' || name, address FROM config_address;

CREATE FUNCTION config_check_units() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM config_refuse(format('address %s: %s has it and %s', a.address,
			a.owner, b.owner))
		FROM config_used_address a JOIN config_used_address b
		ON config_host(a.address) = config_host(b.address)
		AND a.owner < b.owner LIMIT 1;
	PERFORM config_refuse(format('"%s" is a line and an address: units '
			'need names of their own', name))
		FROM config_line JOIN config_address USING (name) LIMIT 1;
	PERFORM config_refuse(format('%s is a witness, it serves nothing: %s',
			n.name, u.unit))
		FROM config_node n JOIN (
			SELECT line AS unit, node FROM config_line_node
			UNION ALL
			SELECT address, node FROM config_address_node) u
		ON u.node = n.name WHERE n.role = 'witness' LIMIT 1;
	PERFORM config_refuse(format('line %s has no node', name))
		FROM config_line l WHERE NOT EXISTS (
			SELECT 1 FROM config_line_node WHERE line = l.name)
		LIMIT 1;
	PERFORM config_refuse(format('address %s has no node', name))
		FROM config_address a WHERE NOT EXISTS (
			SELECT 1 FROM config_address_node
			WHERE address = a.name) LIMIT 1;
END
$$;

CREATE FUNCTION config_check_numbers() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM config_refuse(format('service %s is extension %s already',
			s.number, e.first || CASE WHEN e.first = e.last
			THEN '' ELSE '-' || e.last END))
		FROM config_service s JOIN config_extension e
		ON config_range(e.first, e.last) @>
			CASE WHEN s.number ~ '^[0-9]+$'
			     THEN ('1' || s.number)::bigint END LIMIT 1;
	PERFORM config_refuse(format('route %s leads nowhere: %s', r.prefix,
			CASE WHEN r.line_group IS NULL
			THEN 'name a group or lines'
			ELSE format('no line is in a group "%s"', r.line_group)
			END))
		FROM config_route r WHERE NOT EXISTS (
			SELECT 1 FROM config_line l
			WHERE l.line_group = r.line_group)
		AND (r.line_group IS NOT NULL OR NOT EXISTS (
			SELECT 1 FROM config_route_line l
			WHERE l.route = r.prefix)) LIMIT 1;
	PERFORM config_refuse(format('route %s: a group or lines, not both',
			r.prefix))
		FROM config_route r JOIN config_route_line l
		ON l.route = r.prefix WHERE r.line_group IS NOT NULL LIMIT 1;
	PERFORM config_refuse(format('class %s allows and denies %s', class,
			prefix))
		FROM config_class_allow JOIN config_class_deny
		USING (class, prefix) LIMIT 1;
END
$$;

-- Every editing statement updates config_working; the last of a transaction
-- checks for all. Editors wait for each other, so what is read here is what
-- will be committed.
CREATE FUNCTION config_check() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	IF NEW.serial = (SELECT serial FROM config_working) THEN
		PERFORM config_check_units();
		PERFORM config_check_numbers();
	END IF;
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER checked AFTER UPDATE OF serial ON config_working
	DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION config_check();

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['site', 'node', 'class', 'class_allow',
			'class_deny', 'line', 'line_node', 'address',
			'address_node', 'extension', 'ddi', 'route',
			'route_line', 'service'] LOOP
		EXECUTE format('CREATE TRIGGER edited BEFORE INSERT OR UPDATE '
			'OR DELETE OR TRUNCATE ON config_%s FOR EACH STATEMENT '
			'EXECUTE FUNCTION config_edit()', t);
		EXECUTE format('CREATE TRIGGER remembered AFTER INSERT OR '
			'UPDATE OR DELETE ON config_%s FOR EACH ROW '
			'EXECUTE FUNCTION config_remember()', t);
	END LOOP;
END
$$;

-- ---- generations ----

-- Made once, kept as they are.
ALTER TABLE generation ADD CONSTRAINT content_has_its_hash
	CHECK (sha256 = sha256(convert_to(content, 'UTF8')));
CREATE FUNCTION generation_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'a generation is never changed';
END
$$;
CREATE TRIGGER stays BEFORE UPDATE ON generation
	FOR EACH ROW EXECUTE FUNCTION generation_stays();

-- ---- what the daemon calls ----

-- All of the tables and of config_working, as of one moment. The daemon's
-- names of tables are those here without config_.
CREATE FUNCTION config_read() RETURNS json LANGUAGE sql STABLE AS $$
	SELECT json_build_object(
		'serial', w.serial, 'applied', w.applied, 'refused', w.refused,
		'generation', w.generation, 'edited_by', w.edited_by,
		'edited_ms', (extract(epoch FROM w.edited_at) * 1000)::bigint,
		'last', (SELECT coalesce(max(number), 0) FROM generation),
		'rows', json_build_object(
		'site', (SELECT json_agg(to_jsonb(t) - 'one')
			FROM config_site t),
		'node', (SELECT json_agg(t) FROM config_node t),
		'class', (SELECT json_agg(t) FROM config_class t),
		'class_allow', (SELECT json_agg(t) FROM config_class_allow t),
		'class_deny', (SELECT json_agg(t) FROM config_class_deny t),
		'line', (SELECT json_agg(t) FROM config_line t),
		'line_node', (SELECT json_agg(to_jsonb(t) - 'port')
			FROM config_line_node t),
		'address', (SELECT json_agg(t) FROM config_address t),
		'address_node', (SELECT json_agg(t)
			FROM config_address_node t),
		'extension', (SELECT json_agg(t) FROM config_extension t),
		'ddi', (SELECT json_agg(t) FROM config_ddi t),
		'route', (SELECT json_agg(t) FROM config_route t),
		'route_line', (SELECT json_agg(t) FROM config_route_line t),
		'service', (SELECT json_agg(t) FROM config_service t)))
	FROM config_working w
$$;

-- Makes a table equal to rows, touching only what differs. key: columns that
-- tell rows apart.
CREATE FUNCTION config_merge(tab text, key text[], rows jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	t text := quote_ident('config_' || tab);
	cols text[];
	same text;
BEGIN
	SELECT array_agg(quote_ident(attname)) INTO cols FROM pg_attribute
		WHERE attrelid = t::regclass AND attnum > 0
		AND NOT attisdropped AND rows -> 0 ? attname::text;
	SELECT string_agg(format('t.%1$I = n.%1$I', k), ' AND ') INTO same
		FROM unnest(key) k;
	EXECUTE format('DELETE FROM %1$s t WHERE NOT EXISTS (SELECT 1 FROM '
		'jsonb_populate_recordset(NULL::%1$s, $1) n WHERE %2$s)',
		t, coalesce(same, 'true')) USING rows;
	IF cols IS NULL THEN
		RETURN;
	END IF;
	IF cardinality(cols) <> (SELECT count(*)
				 FROM jsonb_object_keys(rows -> 0)) THEN
		RAISE EXCEPTION '% lacks columns of %', t, rows -> 0;
	END IF;
	EXECUTE format('UPDATE %1$s t SET (%2$s) = ROW(%3$s) FROM '
		'jsonb_populate_recordset(NULL::%1$s, $1) n WHERE %4$s AND '
		'(%5$s) IS DISTINCT FROM (%3$s)', t,
		array_to_string(cols, ', '),
		(SELECT string_agg('n.' || c, ', ') FROM unnest(cols) c),
		coalesce(same, 'true'),
		(SELECT string_agg('t.' || c, ', ') FROM unnest(cols) c))
		USING rows;
	EXECUTE format('INSERT INTO %1$s (%2$s) SELECT %3$s FROM '
		'jsonb_populate_recordset(NULL::%1$s, $1) n WHERE NOT EXISTS '
		'(SELECT 1 FROM %1$s t WHERE %4$s)', t,
		array_to_string(cols, ', '),
		(SELECT string_agg('n.' || c, ', ') FROM unnest(cols) c),
		coalesce(same, 'true')) USING rows;
END
$$;

CREATE FUNCTION config_write(rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET CONSTRAINTS ALL DEFERRED;
	PERFORM config_merge(tab, key, coalesce(rows -> tab, '[]')) FROM (VALUES
		('site', '{}'::text[]), ('node', '{name}'), ('class', '{name}'),
		('class_allow', '{class,prefix}'),
		('class_deny', '{class,prefix}'), ('line', '{name}'),
		('line_node', '{line,node}'), ('address', '{name}'),
		('address_node', '{address,node}'), ('extension', '{first}'),
		('ddi', '{first}'), ('route', '{prefix}'),
		('route_line', '{route,line}'), ('service', '{number}'))
		AS tables (tab, key);
	SET CONSTRAINTS ALL IMMEDIATE;
END
$$;

-- Stores a generation and brings the tables to it, both or neither.
-- @param number 0: no generation, the tables alone are brought to number
--   `base`
-- @param rows what the tables become; NULL: they stay, and are what the
--   generation was made of
-- @param serial with rows NULL: the edit that was read
-- @param force drops edits that pend
-- @param who for the history of rows
-- @return 'done'; 'exists': that number or a later one; 'moved': they were
--   edited since; 'pending': an edit is no generation yet
CREATE FUNCTION config_put(number bigint, at_ms bigint, author text,
	comment text, sha256 bytea, content text, secret bytea, base bigint,
	rows jsonb, serial bigint, force boolean, who text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	w config_working;
BEGIN
	PERFORM set_config('lock_timeout', '3s', true),
		set_config('tandem.who', who, true);
	SELECT * INTO w FROM config_working FOR UPDATE;
	IF number > 0 AND EXISTS (SELECT 1 FROM generation g
				  WHERE g.number >= config_put.number) THEN
		RETURN 'exists';
	END IF;
	IF rows IS NULL AND w.serial <> serial THEN
		RETURN 'moved';
	END IF;
	IF rows IS NOT NULL AND w.serial <> w.applied AND NOT force THEN
		RETURN 'pending';
	END IF;
	IF number > 0 THEN
		INSERT INTO generation VALUES (number, at_ms, author, comment,
			sha256, content, secret);
	END IF;
	IF rows IS NOT NULL THEN
		PERFORM config_write(rows);
	END IF;
	UPDATE config_working c SET applied = c.serial, generation = base;
	RETURN 'done';
END
$$;

-- Notes why edit `serial` is no generation; once.
CREATE FUNCTION config_refused(serial bigint, problems jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE config_working w SET refused = config_refused.serial
		WHERE w.serial = config_refused.serial
		AND w.refused <> w.serial;
	IF FOUND THEN
		INSERT INTO config_refusal (by_whom, serial, place, what)
			SELECT w.edited_by, w.serial, p ->> 'where',
			p ->> 'what' FROM config_working w,
			jsonb_array_elements(problems) p;
	END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION config_read(), config_merge(text, text[], jsonb),
	config_write(jsonb), config_put(bigint, bigint, text, text, bytea, text,
	bytea, bigint, jsonb, bigint, boolean, text),
	config_refused(bigint, jsonb) FROM PUBLIC;
