-- A program of the laptop itself that asks through the gateway is a relationship of its own kind: without the keys of a
-- device, and with the SHA-256 of the key that it shows. Null once a person has revoked it.
ALTER TABLE relationships ADD COLUMN kind TEXT NOT NULL DEFAULT 'device' CHECK (kind IN ('device', 'caller'));
ALTER TABLE relationships ADD COLUMN caller_key BLOB CHECK (caller_key IS NULL OR length(caller_key) = 32);
CREATE UNIQUE INDEX relationships_by_caller_key ON relationships (caller_key) WHERE caller_key IS NOT NULL;
