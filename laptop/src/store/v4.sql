-- Seconds of work, counted and limited like tokens, pictures and bytes.
ALTER TABLE profiles ADD COLUMN seconds_per_day INTEGER NOT NULL DEFAULT 14400;
ALTER TABLE requests ADD COLUMN reserved_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN used_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN seconds INTEGER NOT NULL DEFAULT 0;

-- The furthest entry of the ledger that each device has said it saw.
CREATE TABLE ledger_seen (
    relationship INTEGER PRIMARY KEY REFERENCES relationships (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    at INTEGER NOT NULL
) STRICT;
