-- SPDX-License-Identifier: GPL-2.0-or-later
-- The registrations of a node that has no mate to keep them. contact is a
-- packed Contact of proto/view.proto.
CREATE TABLE contact (
	user       TEXT NOT NULL,
	uri        TEXT NOT NULL,
	expires_ms INTEGER NOT NULL,
	contact    BLOB NOT NULL,
	PRIMARY KEY (user, uri)
) WITHOUT ROWID;
