-- SPDX-License-Identifier: GPL-2.0-or-later
-- Call detail records: a row for each leg of each call (node/cdr). Times are
-- agreed time in ms since 1970, NULL: it did not happen.
CREATE TABLE cdr (
	call_id     text NOT NULL CHECK (call_id ~ '^[0-9a-f]{16}$'),
	-- node of the half * 16 + index within it: for ever
	leg         integer NOT NULL CHECK (leg BETWEEN 16 AND 271),
	leg_index   integer NOT NULL CHECK (leg_index BETWEEN 0 AND 15),
	node        text NOT NULL,
	-- all that served it, comma-separated
	nodes       text NOT NULL,
	-- joins the halves of a call on two nodes
	internal    boolean NOT NULL,
	kind        text NOT NULL,
	direction   text NOT NULL CHECK (direction IN ('in', 'out')),
	calling     text NOT NULL,
	-- as dialled by the caller; number: as this leg had it
	called      text NOT NULL,
	number      text NOT NULL,
	peer        text NOT NULL,
	unit        text NOT NULL,
	span        text,
	timeslot    integer CHECK (timeslot BETWEEN 1 AND 31),
	codec       text NOT NULL,
	voice       text NOT NULL,
	start_ms    bigint NOT NULL,
	alerting_ms bigint CHECK (alerting_ms >= start_ms),
	answered_ms bigint CHECK (answered_ms >= start_ms),
	ended_ms    bigint NOT NULL CHECK (ended_ms >= start_ms),
	duration_ms bigint NOT NULL CHECK (duration_ms >= 0),
	talk_ms     bigint NOT NULL CHECK (talk_ms >= 0),
	-- Q.850
	cause       integer NOT NULL CHECK (cause BETWEEN 0 AND 127),
	sip_status  integer CHECK (sip_status BETWEEN 100 AND 699),
	cleared_by  text NOT NULL
		CHECK (cleared_by IN ('peer', 'other', 'node', 'death')),
	-- of the configuration, when the call began
	generation  bigint NOT NULL,
	-- history of the cluster in which it was made: a later one is greater
	epoch       bigint NOT NULL,
	-- by the node that served it; else by those who outlived it
	own         boolean NOT NULL,
	written_at  timestamptz,
	PRIMARY KEY (call_id, leg)
);
CREATE INDEX cdr_start ON cdr (start_ms);
CREATE INDEX cdr_calling ON cdr (calling, start_ms);
CREATE INDEX cdr_called ON cdr (called, start_ms);

-- What two parts of a split cluster said differently of one leg: the later
-- history's word stands in cdr, the others here.
CREATE TABLE cdr_annex (
	LIKE cdr,
	PRIMARY KEY (call_id, leg, epoch, own)
);

-- What the checks above do not let in, so that it stops nothing.
CREATE TABLE cdr_refused (
	at     timestamptz NOT NULL DEFAULT now(),
	writer text NOT NULL,
	reason text NOT NULL,
	record json NOT NULL
);

-- Who writes: a writer of an earlier epoch fails in its own transaction.
CREATE TABLE spool_writer (
	one   integer PRIMARY KEY DEFAULT 1 CHECK (one = 1),
	epoch bigint NOT NULL,
	node  text NOT NULL,
	at    timestamptz NOT NULL
);
INSERT INTO spool_writer (epoch, node, at) VALUES (0, '', now());

-- One row that is not the first of its leg: the greater (epoch, own) stands.
CREATE FUNCTION cdr_put_again(r cdr) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	o cdr;
BEGIN
	SELECT * INTO o FROM cdr WHERE call_id = r.call_id AND leg = r.leg
		FOR UPDATE;
	IF (r.epoch, r.own) > (o.epoch, o.own) THEN
		DELETE FROM cdr WHERE call_id = r.call_id AND leg = r.leg;
		INSERT INTO cdr SELECT r.*;
		r := o;
	END IF;
	INSERT INTO cdr_annex SELECT r.* ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION cdr_put_rows(n cdr[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r cdr;
BEGIN
	INSERT INTO cdr SELECT DISTINCT ON (call_id, leg) * FROM unnest(n)
		ORDER BY call_id, leg, epoch DESC, own DESC
		ON CONFLICT (call_id, leg) DO NOTHING;
	FOR r IN SELECT u.* FROM unnest(n) u WHERE NOT EXISTS (
			SELECT 1 FROM cdr c WHERE c.call_id = u.call_id AND
			c.leg = u.leg AND c.epoch = u.epoch AND c.own = u.own)
	LOOP
		PERFORM cdr_put_again(r);
	END LOOP;
END
$$;

-- One batch, one transaction. An epoch has one writer; 0 is for clusters that
-- have no roles.
CREATE FUNCTION cdr_put(p_epoch bigint, p_node text, p_rows json,
			p_careful boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	base cdr;
	j json;
BEGIN
	UPDATE spool_writer SET epoch = p_epoch, node = p_node, at = now()
		WHERE epoch < p_epoch OR
		      (epoch = p_epoch AND (node = p_node OR epoch = 0));
	IF NOT FOUND THEN
		RAISE EXCEPTION 'a writer of a later epoch is known'
			USING ERRCODE = 'TD001';
	END IF;
	base.written_at := now();
	IF NOT p_careful THEN
		PERFORM cdr_put_rows(ARRAY(
			SELECT r FROM json_populate_recordset(base, p_rows) r));
		RETURN;
	END IF;
	FOR j IN SELECT value FROM json_array_elements(p_rows) LOOP
		BEGIN
			PERFORM cdr_put_rows(ARRAY[
				json_populate_record(base, j)]);
		EXCEPTION
			WHEN data_exception OR integrity_constraint_violation
			THEN
				INSERT INTO cdr_refused (writer, reason, record)
					VALUES (p_node, SQLERRM, j);
		END;
	END LOOP;
END
$$;

-- A call a row, as its caller saw it.
CREATE VIEW cdr_call AS
	SELECT a.call_id, to_timestamp(a.start_ms / 1000.0) AS started,
	       to_timestamp(a.ended_ms / 1000.0) AS ended,
	       a.calling, a.called, b.number AS reached, b.peer,
	       a.answered_ms IS NOT NULL AS answered, a.talk_ms, a.duration_ms,
	       a.cause, a.sip_status, a.cleared_by, a.kind AS from_kind,
	       a.unit AS from_unit, a.timeslot AS from_timeslot,
	       b.kind AS to_kind, b.unit AS to_unit,
	       b.timeslot AS to_timeslot, a.voice, a.generation, a.start_ms
	FROM cdr a LEFT JOIN LATERAL (
		SELECT * FROM cdr o
		WHERE o.call_id = a.call_id AND o.direction = 'out' AND
		      NOT o.internal
		ORDER BY o.answered_ms NULLS LAST, o.start_ms DESC, o.leg
		LIMIT 1) b ON true
	WHERE a.direction = 'in' AND NOT a.internal;
