-- Second factors, tickets, profiles that change, and what proves a person again.

ALTER TABLE users ADD COLUMN username TEXT;
ALTER TABLE users ADD COLUMN username_value TEXT;  -- in the form that is compared
ALTER TABLE users ADD COLUMN app_data BLOB;
ALTER TABLE users ADD COLUMN image_id TEXT;
ALTER TABLE users ADD COLUMN mfa_enabled_at INTEGER;
ALTER TABLE users ADD COLUMN mfa_disabled_at INTEGER;
CREATE UNIQUE INDEX users_by_username ON users (username_value);

ALTER TABLE addresses ADD COLUMN strategy TEXT;
ALTER TABLE addresses ADD COLUMN reserved_for_second_factor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE addresses ADD COLUMN default_second_factor INTEGER NOT NULL DEFAULT 0;

-- What somebody says is theirs and has not proved. It keeps nobody else from proving it.
CREATE TABLE pending_addresses (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    spelling   TEXT NOT NULL,
    is_test    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (user_id, kind, value)
);

ALTER TABLE sessions ADD COLUMN first_factor_at INTEGER;
ALTER TABLE sessions ADD COLUMN second_factor_at INTEGER;
ALTER TABLE sessions ADD COLUMN device BLOB;

ALTER TABLE sign_ins ADD COLUMN second_verification_id TEXT;
ALTER TABLE sign_ins ADD COLUMN first_strategy TEXT;
ALTER TABLE sign_ins ADD COLUMN username TEXT;
ALTER TABLE sign_ins ADD COLUMN sign_up_if_missing INTEGER NOT NULL DEFAULT 0;

ALTER TABLE sign_ups ADD COLUMN ticket_id TEXT;

CREATE TABLE backup_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest  BLOB NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user_id, digest)
);

CREATE TABLE images (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    type       TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX images_by_user ON images (user_id);

CREATE TABLE reverifications (
    session_id              TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    id                      TEXT NOT NULL,
    level                   TEXT NOT NULL,
    status                  TEXT NOT NULL,
    first_verification_id   TEXT,
    second_verification_id  TEXT,
    created_at              INTEGER NOT NULL,
    expires_at              INTEGER NOT NULL
);
CREATE INDEX reverifications_by_age ON reverifications (expires_at);

-- Sign-in tokens and invitations. The text of a ticket is not kept: it is its id and a MAC.
CREATE TABLE tickets (
    id             TEXT PRIMARY KEY,
    kind           TEXT NOT NULL,
    status         TEXT NOT NULL,
    user_id        TEXT REFERENCES users (id) ON DELETE CASCADE,
    email_value    TEXT,
    email_spelling TEXT,
    email_is_test  INTEGER NOT NULL DEFAULT 0,
    data           BLOB NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
);
CREATE INDEX tickets_by_kind ON tickets (kind, created_at);
CREATE INDEX tickets_by_email ON tickets (email_value);

CREATE TABLE waitlist_entries (
    id             TEXT PRIMARY KEY,
    email_value    TEXT NOT NULL UNIQUE,
    email_spelling TEXT NOT NULL,
    status         TEXT NOT NULL,
    invitation_id  TEXT,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
);
