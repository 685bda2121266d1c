-- SPDX-License-Identifier: GPL-2.0-or-later
-- Configuration as numbered generations (cluster/store/store.h). A row is
-- never changed.
CREATE TABLE generation (
	number  INTEGER PRIMARY KEY CHECK (number > 0),
	at_ms   INTEGER NOT NULL,
	author  TEXT NOT NULL,
	comment TEXT NOT NULL,
	sha256  BLOB NOT NULL CHECK (length(sha256) = 32),
	content TEXT NOT NULL
);
