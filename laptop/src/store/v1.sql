-- One pair of devices. Keys are null once a person has revoked it: nothing can bring them back.
CREATE TABLE relationships (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folder TEXT NOT NULL UNIQUE,
    our_key BLOB CHECK (our_key IS NULL OR length(our_key) = 32),
    peer_key BLOB CHECK (peer_key IS NULL OR length(peer_key) = 32),
    token_secret BLOB CHECK (token_secret IS NULL OR length(token_secret) = 32),
    -- What a renewal has agreed on and no session has proven yet.
    next_our_key BLOB CHECK (next_our_key IS NULL OR length(next_our_key) = 32),
    next_peer_key BLOB CHECK (next_peer_key IS NULL OR length(next_peer_key) = 32),
    next_token_secret BLOB CHECK (next_token_secret IS NULL OR length(next_token_secret) = 32),
    screen_width INTEGER NOT NULL,
    screen_height INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- When the keys in use were proven first.
    keys_since INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    revoked_at INTEGER,
    -- Until when the device has to show that it has stored the pairing; null once it has.
    provisional_until INTEGER,
    -- Requests below this number are refused: nothing is known about them any more.
    floor INTEGER NOT NULL DEFAULT 1,
    highest INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE profiles (
    relationship INTEGER PRIMARY KEY REFERENCES relationships (id) ON DELETE CASCADE,
    language_models TEXT NOT NULL,
    image_models TEXT NOT NULL,
    urls TEXT NOT NULL,
    requests_per_minute INTEGER NOT NULL,
    tokens_per_day INTEGER NOT NULL,
    pictures_per_day INTEGER NOT NULL,
    bytes_per_day INTEGER NOT NULL,
    generation INTEGER NOT NULL
) STRICT;

-- Rules other than the default "ask".
CREATE TABLE rules (
    relationship INTEGER NOT NULL REFERENCES relationships (id) ON DELETE CASCADE,
    operation INTEGER NOT NULL,
    rule TEXT NOT NULL CHECK (rule IN ('deny', 'ask', 'allow')),
    PRIMARY KEY (relationship, operation)
) STRICT, WITHOUT ROWID;

-- State: 0 taken in, 1 done, 2 failed. A request that is taken in when the store opens was interrupted.
CREATE TABLE requests (
    relationship INTEGER NOT NULL REFERENCES relationships (id) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    exporter BLOB NOT NULL CHECK (length(exporter) = 32),
    state INTEGER NOT NULL DEFAULT 0,
    op INTEGER,
    code INTEGER,
    detail TEXT NOT NULL DEFAULT '',
    reserved_tokens INTEGER NOT NULL DEFAULT 0,
    reserved_pictures INTEGER NOT NULL DEFAULT 0,
    reserved_bytes INTEGER NOT NULL DEFAULT 0,
    used_tokens INTEGER NOT NULL DEFAULT 0,
    used_pictures INTEGER NOT NULL DEFAULT 0,
    used_bytes INTEGER NOT NULL DEFAULT 0,
    taken_at INTEGER NOT NULL,
    day INTEGER NOT NULL,
    ended_at INTEGER,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (relationship, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_state ON requests (state);

-- What a request made. A null body means that it lies in the spool folder.
CREATE TABLE results (
    relationship INTEGER NOT NULL,
    request INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    length INTEGER NOT NULL,
    body BLOB,
    PRIMARY KEY (relationship, request, slot),
    FOREIGN KEY (relationship, request) REFERENCES requests (relationship, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE usage (
    relationship INTEGER NOT NULL REFERENCES relationships (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0,
    pictures INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (relationship, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
