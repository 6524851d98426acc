-- The mailbox that an e-mail address reaches, by the name in which mailboxes are compared.
-- mailbox_of is domain/restrictions.py's, lent to SQLite while it migrates.

ALTER TABLE addresses ADD COLUMN base TEXT;
UPDATE addresses SET base = mailbox_of(value) WHERE kind = 'email_address' AND is_test = 0;
CREATE INDEX addresses_by_base ON addresses (base) WHERE base IS NOT NULL;
