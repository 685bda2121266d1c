-- SPDX-License-Identifier: GPL-2.0-or-later
-- The cluster's secret, the same in all generations (cluster/store/store.h).
-- It stays out of documents, so that an export does not show it.
ALTER TABLE generation ADD COLUMN secret BLOB CHECK (length(secret) = 32);
