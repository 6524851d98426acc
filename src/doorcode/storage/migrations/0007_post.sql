-- How a message came to where it is: its route, its steps, its receipts; and who gets none.

ALTER TABLE outbox ADD COLUMN route TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN country TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN taken_at INTEGER;
ALTER TABLE outbox ADD COLUMN price INTEGER;
CREATE INDEX outbox_by_verification ON outbox (verification_id, created_at);
CREATE INDEX outbox_by_recipient ON outbox (recipient, created_at);

CREATE TABLE steps (
    message_id TEXT NOT NULL,
    number     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    state      TEXT NOT NULL,
    route      TEXT NOT NULL,
    ref        TEXT,
    code       TEXT NOT NULL,
    why        TEXT NOT NULL,
    maybe      INTEGER NOT NULL,
    price      INTEGER,
    PRIMARY KEY (message_id, number)
);
CREATE INDEX steps_by_ref ON steps (route, ref) WHERE ref IS NOT NULL;
CREATE INDEX steps_by_age ON steps (at);

CREATE TABLE suppressions (
    address TEXT PRIMARY KEY,
    at      INTEGER NOT NULL,
    route   TEXT NOT NULL,
    why     TEXT NOT NULL
);
