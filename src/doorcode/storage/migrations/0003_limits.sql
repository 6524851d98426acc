-- Devices that are known, the ledger of codes sent, what the shield has counted, and the audit log.

-- Where a person has been signed in. Such a device has guesses and codes of its own.
CREATE TABLE devices (
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX devices_by_client ON devices (client_id);
CREATE INDEX devices_by_age ON devices (last_at);
INSERT INTO devices (user_id, client_id, last_at)
SELECT user_id, client_id, max(last_active_at) FROM sessions WHERE status <> 'pending' GROUP BY user_id, client_id;

-- One row a code: an exact sliding window for each identifier, and what a verified one pays back.
CREATE TABLE sends (
    id              TEXT PRIMARY KEY,
    subject         TEXT NOT NULL,
    verification_id TEXT NOT NULL,
    made_at         INTEGER NOT NULL,
    price           INTEGER NOT NULL DEFAULT 0,
    tallies         BLOB,
    verified_at     INTEGER
);
CREATE INDEX sends_by_subject ON sends (subject, made_at);
CREATE INDEX sends_by_verification ON sends (verification_id);
CREATE INDEX sends_by_age ON sends (made_at);

CREATE TABLE tallies (
    subject TEXT PRIMARY KEY,
    at      INTEGER NOT NULL,
    data    BLOB NOT NULL
);
CREATE INDEX tallies_by_age ON tallies (at);

-- Millionths of a dollar, for a country and a day of UTC.
CREATE TABLE money (
    country TEXT NOT NULL,
    day     INTEGER NOT NULL,
    spent   INTEGER NOT NULL,
    PRIMARY KEY (country, day)
);

CREATE TABLE pauses (
    country   TEXT PRIMARY KEY,
    paused_at INTEGER NOT NULL,
    why       TEXT NOT NULL
);

-- Append-only: no statement changes a row, and the cleaning alone deletes old ones.
CREATE TABLE events (
    id        TEXT PRIMARY KEY,
    at        INTEGER NOT NULL,
    name      TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    bucket    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    network   TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    details   BLOB NOT NULL
);
CREATE INDEX events_by_age ON events (at);
CREATE INDEX events_by_subject ON events (subject, at);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
