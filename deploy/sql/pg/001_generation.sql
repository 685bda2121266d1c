-- SPDX-License-Identifier: GPL-2.0-or-later
-- Configuration as numbered generations (cluster/store/store.h). A row is
-- never changed.
CREATE TABLE generation (
	number  bigint PRIMARY KEY CHECK (number > 0),
	at_ms   bigint NOT NULL,
	author  text NOT NULL,
	comment text NOT NULL,
	sha256  bytea NOT NULL CHECK (octet_length(sha256) = 32),
	content text NOT NULL
);

CREATE FUNCTION generation_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('tandem_config', NEW.number::text);
	RETURN NULL;
END
$$;

CREATE TRIGGER generation_added AFTER INSERT ON generation
	FOR EACH ROW EXECUTE FUNCTION generation_notify();
