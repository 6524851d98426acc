-- The first tables. Times are milliseconds since the epoch.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE signing_keys (
    id         TEXT PRIMARY KEY,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE secret_keys (
    digest     BLOB PRIMARY KEY,
    hint       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
);

CREATE TABLE clients (
    id                     TEXT PRIMARY KEY,
    digest                 BLOB NOT NULL UNIQUE,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL,
    sign_up_id             TEXT,
    sign_in_id             TEXT,
    last_active_session_id TEXT,
    last_strategy          TEXT
);
CREATE INDEX clients_by_age ON clients (created_at);

CREATE TABLE dev_browsers (
    digest     BLOB PRIMARY KEY,
    client_id  TEXT,
    expires_at INTEGER NOT NULL
);

CREATE TABLE sign_ups (
    id                 TEXT PRIMARY KEY,
    client_id          TEXT NOT NULL,
    status             TEXT NOT NULL,
    created_at         INTEGER NOT NULL,
    abandon_at         INTEGER NOT NULL,
    phone_value        TEXT,
    phone_is_test      INTEGER NOT NULL DEFAULT 0,
    email_value        TEXT,
    email_spelling     TEXT,
    email_is_test      INTEGER NOT NULL DEFAULT 0,
    profile            BLOB NOT NULL,
    created_user_id    TEXT,
    created_session_id TEXT
);
CREATE INDEX sign_ups_by_abandon_at ON sign_ups (abandon_at);

CREATE TABLE sign_ins (
    id                  TEXT PRIMARY KEY,
    client_id           TEXT NOT NULL,
    status              TEXT NOT NULL,
    created_at          INTEGER NOT NULL,
    abandon_at          INTEGER NOT NULL,
    identifier_kind     TEXT,
    identifier_value    TEXT,
    identifier_spelling TEXT,
    identifier_is_test  INTEGER NOT NULL DEFAULT 0,
    user_id             TEXT,
    verification_id     TEXT,
    created_session_id  TEXT
);
CREATE INDEX sign_ins_by_abandon_at ON sign_ins (abandon_at);

CREATE TABLE verifications (
    id               TEXT PRIMARY KEY,
    attempt_id       TEXT NOT NULL,
    address_kind     TEXT NOT NULL,
    address_value    TEXT NOT NULL,
    address_spelling TEXT NOT NULL,
    address_is_test  INTEGER NOT NULL,
    channel          TEXT NOT NULL,
    status           TEXT NOT NULL,
    attempts         INTEGER NOT NULL,
    sent_at          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    delete_at        INTEGER NOT NULL,
    UNIQUE (attempt_id, address_kind, address_value)
);
CREATE INDEX verifications_by_delete_at ON verifications (delete_at);

CREATE TABLE codes (
    verification_id TEXT NOT NULL,
    digest          BLOB NOT NULL,
    key_version     INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    serial          INTEGER PRIMARY KEY
);
CREATE INDEX codes_by_verification ON codes (verification_id);
CREATE INDEX codes_by_expires_at ON codes (expires_at);

-- One row a guess: an exact sliding window, with nothing to be reset by a success.
CREATE TABLE guesses (
    id      TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    made_at INTEGER NOT NULL
);
CREATE INDEX guesses_by_address ON guesses (address, made_at);
CREATE INDEX guesses_by_age ON guesses (made_at);

CREATE TABLE users (
    id               TEXT PRIMARY KEY,
    profile          BLOB NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    last_sign_in_at  INTEGER,
    last_active_at   INTEGER,
    primary_phone_id TEXT,
    primary_email_id TEXT,
    banned           INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE addresses (
    id          TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    value       TEXT NOT NULL,
    spelling    TEXT NOT NULL,
    is_test     INTEGER NOT NULL,
    verified_at INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (kind, value)
);
CREATE INDEX addresses_by_user ON addresses (user_id);

CREATE TABLE sessions (
    id             TEXT PRIMARY KEY,
    client_id      TEXT NOT NULL,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status         TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,
    expire_at      INTEGER NOT NULL,
    abandon_at     INTEGER NOT NULL
);
CREATE INDEX sessions_by_client ON sessions (client_id);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_abandon_at ON sessions (abandon_at);

CREATE TABLE outbox (
    id              TEXT PRIMARY KEY,
    attempt_id      TEXT NOT NULL,
    verification_id TEXT NOT NULL,
    channel         TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    is_test         INTEGER NOT NULL,
    sealed          BLOB,
    state           TEXT NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    send_at         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    delivered_at    INTEGER,
    last_error      TEXT
);
CREATE INDEX outbox_waiting ON outbox (send_at) WHERE state = 'queued';
CREATE INDEX outbox_by_attempt ON outbox (attempt_id);
CREATE INDEX outbox_by_age ON outbox (created_at);

CREATE TABLE handshakes (
    digest     BLOB PRIMARY KEY,
    sealed     BLOB NOT NULL,
    expires_at INTEGER NOT NULL
);
