-- SPDX-License-Identifier: GPL-2.0-or-later
-- Call detail records; pg/004_cdr.sql says what the columns are.
CREATE TABLE cdr (
	call_id     TEXT NOT NULL CHECK (length(call_id) = 16),
	leg         INTEGER NOT NULL CHECK (leg BETWEEN 16 AND 271),
	leg_index   INTEGER NOT NULL CHECK (leg_index BETWEEN 0 AND 15),
	node        TEXT NOT NULL,
	nodes       TEXT NOT NULL,
	internal    INTEGER NOT NULL CHECK (internal IN (0, 1)),
	kind        TEXT NOT NULL,
	direction   TEXT NOT NULL CHECK (direction IN ('in', 'out')),
	calling     TEXT NOT NULL,
	called      TEXT NOT NULL,
	number      TEXT NOT NULL,
	peer        TEXT NOT NULL,
	unit        TEXT NOT NULL,
	span        TEXT,
	timeslot    INTEGER CHECK (timeslot BETWEEN 1 AND 31),
	codec       TEXT NOT NULL,
	voice       TEXT NOT NULL,
	start_ms    INTEGER NOT NULL,
	alerting_ms INTEGER CHECK (alerting_ms >= start_ms),
	answered_ms INTEGER CHECK (answered_ms >= start_ms),
	ended_ms    INTEGER NOT NULL CHECK (ended_ms >= start_ms),
	duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
	talk_ms     INTEGER NOT NULL CHECK (talk_ms >= 0),
	cause       INTEGER NOT NULL CHECK (cause BETWEEN 0 AND 127),
	sip_status  INTEGER CHECK (sip_status BETWEEN 100 AND 699),
	cleared_by  TEXT NOT NULL
		CHECK (cleared_by IN ('peer', 'other', 'node', 'death')),
	generation  INTEGER NOT NULL,
	epoch       INTEGER NOT NULL,
	own         INTEGER NOT NULL CHECK (own IN (0, 1)),
	written_at  TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
	PRIMARY KEY (call_id, leg)
);
CREATE INDEX cdr_start ON cdr (start_ms);

CREATE TABLE cdr_refused (
	at     TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
	writer TEXT NOT NULL,
	reason TEXT NOT NULL,
	record TEXT NOT NULL
);

CREATE VIEW cdr_call AS
	SELECT a.call_id, a.calling, a.called, b.number AS reached, b.peer,
	       a.answered_ms IS NOT NULL AS answered, a.talk_ms, a.duration_ms,
	       a.cause, a.sip_status, a.cleared_by, a.kind AS from_kind,
	       a.unit AS from_unit, a.timeslot AS from_timeslot,
	       b.kind AS to_kind, b.unit AS to_unit,
	       b.timeslot AS to_timeslot, a.voice, a.generation, a.start_ms
	FROM cdr a LEFT JOIN cdr b ON b.rowid = (
		SELECT o.rowid FROM cdr o
		WHERE o.call_id = a.call_id AND o.direction = 'out' AND
		      NOT o.internal
		ORDER BY o.answered_ms IS NULL, o.answered_ms,
			 o.start_ms DESC, o.leg LIMIT 1)
	WHERE a.direction = 'in' AND NOT a.internal;
