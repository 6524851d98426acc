-- Every statement the server runs: a name, one line of purpose, the SQL.
-- `:now` and its kin are milliseconds since the epoch.

-- name: add_client
-- A browser seen for the first time.
INSERT INTO clients (id, digest, created_at, updated_at, sign_up_id, sign_in_id, last_active_session_id, last_strategy, human_until)
VALUES (:id, :digest, :created_at, :updated_at, :sign_up_id, :sign_in_id, :last_active_session_id, :last_strategy, :human_until);

-- name: client_by_digest
-- Whose cookie this is.
SELECT id, created_at, updated_at, sign_up_id, sign_in_id, last_active_session_id, last_strategy, human_until
FROM clients WHERE digest = :digest;

-- name: client
-- A client by its id.
SELECT id, created_at, updated_at, sign_up_id, sign_in_id, last_active_session_id, last_strategy, human_until
FROM clients WHERE id = :id;

-- name: save_client
-- What a client is doing now.
UPDATE clients SET updated_at = :updated_at, sign_up_id = :sign_up_id, sign_in_id = :sign_in_id,
    last_active_session_id = :last_active_session_id, last_strategy = :last_strategy
WHERE id = :id;

-- name: remember_human
-- A person solved a challenge here.
UPDATE clients SET human_until = :until WHERE id = :id;

-- name: use_human
-- It counts once: of two requests at once, one has it.
UPDATE clients SET human_until = NULL WHERE id = :id AND human_until > :now;

-- name: rotate_client
-- Another cookie for the same client, so that a planted one is worth nothing.
UPDATE clients SET digest = :digest WHERE id = :id;

-- name: delete_client
-- The client is gone.
DELETE FROM clients WHERE id = :id;

-- name: add_dev_browser
-- A browser of a development instance.
INSERT INTO dev_browsers (digest, client_id, expires_at) VALUES (:digest, :client_id, :expires_at);

-- name: dev_browser
-- Which client a development browser is.
SELECT b.client_id, b.expires_at, c.human_until
FROM dev_browsers AS b LEFT JOIN clients AS c ON c.id = b.client_id WHERE b.digest = :digest;

-- name: attach_dev_browser
-- A development browser has become a client.
UPDATE dev_browsers SET client_id = :client_id WHERE digest = :digest;

-- name: add_sign_up
-- A new attempt to sign up.
INSERT INTO sign_ups (id, client_id, status, created_at, abandon_at, phone_value, phone_is_test,
    email_value, email_spelling, email_is_test, profile, created_user_id, created_session_id, ticket_id)
VALUES (:id, :client_id, :status, :created_at, :abandon_at, :phone_value, :phone_is_test,
    :email_value, :email_spelling, :email_is_test, :profile, :created_user_id, :created_session_id, :ticket_id);

-- name: sign_up
-- An attempt to sign up.
SELECT id, client_id, status, created_at, abandon_at, phone_value, phone_is_test, email_value,
    email_spelling, email_is_test, profile, created_user_id, created_session_id, ticket_id
FROM sign_ups WHERE id = :id;

-- name: save_sign_up
-- An attempt to sign up has changed.
UPDATE sign_ups SET status = :status, abandon_at = :abandon_at, phone_value = :phone_value,
    phone_is_test = :phone_is_test, email_value = :email_value, email_spelling = :email_spelling,
    email_is_test = :email_is_test, profile = :profile, created_user_id = :created_user_id,
    created_session_id = :created_session_id, ticket_id = :ticket_id
WHERE id = :id;

-- name: add_sign_in
-- A new attempt to sign in.
INSERT INTO sign_ins (id, client_id, status, created_at, abandon_at, identifier_kind, identifier_value,
    identifier_spelling, identifier_is_test, user_id, verification_id, created_session_id,
    second_verification_id, first_strategy, username, sign_up_if_missing)
VALUES (:id, :client_id, :status, :created_at, :abandon_at, :identifier_kind, :identifier_value,
    :identifier_spelling, :identifier_is_test, :user_id, :verification_id, :created_session_id,
    :second_verification_id, :first_strategy, :username, :sign_up_if_missing);

-- name: sign_in
-- An attempt to sign in.
SELECT id, client_id, status, created_at, abandon_at, identifier_kind, identifier_value,
    identifier_spelling, identifier_is_test, user_id, verification_id, created_session_id,
    second_verification_id, first_strategy, username, sign_up_if_missing
FROM sign_ins WHERE id = :id;

-- name: save_sign_in
-- An attempt to sign in has changed.
UPDATE sign_ins SET status = :status, abandon_at = :abandon_at, identifier_kind = :identifier_kind,
    identifier_value = :identifier_value, identifier_spelling = :identifier_spelling,
    identifier_is_test = :identifier_is_test, user_id = :user_id, verification_id = :verification_id,
    created_session_id = :created_session_id, second_verification_id = :second_verification_id,
    first_strategy = :first_strategy
WHERE id = :id;

-- name: delete_verification_of
-- Makes room for a fresh verification of the same address.
DELETE FROM verifications
WHERE attempt_id = :attempt_id AND address_kind = :address_kind AND address_value = :address_value;

-- name: add_verification
-- An address is to be proved.
INSERT INTO verifications (id, attempt_id, address_kind, address_value, address_spelling, address_is_test,
    channel, status, attempts, sent_at, expires_at, delete_at)
VALUES (:id, :attempt_id, :address_kind, :address_value, :address_spelling, :address_is_test,
    :channel, :status, :attempts, :sent_at, :expires_at, :delete_at);

-- name: verification
-- A verification by its id.
SELECT id, attempt_id, address_kind, address_value, address_spelling, address_is_test, channel, status,
    attempts, sent_at, expires_at
FROM verifications WHERE id = :id;

-- name: verification_of
-- The verification of one address within an attempt.
SELECT id, attempt_id, address_kind, address_value, address_spelling, address_is_test, channel, status,
    attempts, sent_at, expires_at
FROM verifications
WHERE attempt_id = :attempt_id AND address_kind = :address_kind AND address_value = :address_value;

-- name: verifications_of_attempt
-- All verifications of an attempt.
SELECT id, attempt_id, address_kind, address_value, address_spelling, address_is_test, channel, status,
    attempts, sent_at, expires_at
FROM verifications WHERE attempt_id = :attempt_id ORDER BY sent_at;

-- name: count_try
-- Counts a try where one is left. Committed before the code is compared.
UPDATE verifications SET attempts = attempts + 1
WHERE id = :id AND status = 'unverified' AND attempts < :most AND expires_at > :now
RETURNING attempts;

-- name: settle
-- The one write that consumes a code: only an unverified verification can move.
UPDATE verifications SET status = :status WHERE id = :id AND status = 'unverified';

-- name: extend
-- Another code was sent.
UPDATE verifications SET channel = :channel, sent_at = :sent_at, expires_at = :expires_at WHERE id = :id;

-- name: add_code
-- The digest of a code that was sent.
INSERT INTO codes (verification_id, digest, key_version, expires_at)
VALUES (:verification_id, :digest, :key_version, :expires_at);

-- name: trim_codes
-- Keeps the newest codes of a verification.
DELETE FROM codes WHERE verification_id = :verification_id AND serial NOT IN (
    SELECT serial FROM codes WHERE verification_id = :verification_id ORDER BY serial DESC LIMIT :keep);

-- name: codes
-- What may be typed for a verification.
SELECT digest, key_version, expires_at FROM codes WHERE verification_id = :verification_id;

-- name: delete_codes
-- A verification has come to its end.
DELETE FROM codes WHERE verification_id = :verification_id;

-- name: delete_codes_of_attempt
-- An attempt was retired.
DELETE FROM codes WHERE verification_id IN (SELECT id FROM verifications WHERE attempt_id = :attempt_id);

-- name: delete_verifications_of_attempt
-- An attempt was retired.
DELETE FROM verifications WHERE attempt_id = :attempt_id;

-- name: cancel_messages
-- A verification that is over has no code worth sending.
UPDATE outbox SET state = 'cancelled', sealed = NULL
WHERE attempt_id = :attempt_id AND verification_id = :verification_id AND state = 'queued';

-- name: cancel_messages_of_attempt
-- A retired attempt's codes are worth nothing: do not send them.
UPDATE outbox SET state = 'cancelled', sealed = NULL
WHERE attempt_id = :attempt_id AND state = 'queued';

-- name: spend_guess
-- Counts a guess where the address has one left.
INSERT INTO guesses (id, address, made_at)
SELECT :id, :address, :now
WHERE (SELECT count(*) FROM guesses WHERE address = :address AND made_at > :since) < :most;

-- name: refund_guess
-- The guess was right.
DELETE FROM guesses WHERE id = :id;

-- name: nth_latest_guess
-- When the window's nth latest guess was made.
SELECT made_at FROM guesses WHERE address = :address AND made_at > :since
ORDER BY made_at DESC LIMIT 1 OFFSET :nth - 1;

-- name: guesses_at_user
-- When everybody else guessed at a person's addresses; known devices are counted under other names.
SELECT g.address, g.made_at FROM addresses AS a JOIN guesses AS g ON g.address = a.kind || ':' || a.value
WHERE a.user_id = :user_id AND g.made_at > :since ORDER BY g.made_at;

-- name: count_guesses
-- How many guesses a window holds.
SELECT count(*) AS made FROM guesses WHERE address = :address AND made_at > :since;

-- name: add_send
-- Counts a code to be sent where its identifier has one left in both windows.
INSERT INTO sends (id, subject, verification_id, made_at, price, tallies)
SELECT :id, :subject, :verification_id, :now, :price, :tallies
WHERE (SELECT count(*) FROM sends WHERE subject = :subject AND made_at > :short_since) < :short_most
    AND (SELECT count(*) FROM sends WHERE subject = :subject AND made_at > :long_since) < :long_most;

-- name: nth_latest_send
-- When the window's nth latest code was sent.
SELECT made_at FROM sends WHERE subject = :subject AND made_at > :since
ORDER BY made_at DESC LIMIT 1 OFFSET :nth - 1;

-- name: count_sends
-- How many codes a window holds.
SELECT count(*) AS made FROM sends WHERE subject = :subject AND made_at > :since;

-- name: verify_sends
-- The codes of a verification were of use: what they had been counted against is given back once.
UPDATE sends SET verified_at = :now WHERE verification_id = :verification_id AND verified_at IS NULL
RETURNING made_at, tallies;

-- name: tallies
-- What was counted under twelve names, or under fewer where some are the same.
SELECT subject, data FROM tallies WHERE subject IN (
    :name_0, :name_1, :name_2, :name_3, :name_4, :name_5, :name_6, :name_7, :name_8, :name_9, :name_10, :name_11);

-- name: save_tally
-- What is counted under a name by now.
INSERT INTO tallies (subject, at, data) VALUES (:subject, :at, :data)
ON CONFLICT (subject) DO UPDATE SET at = excluded.at, data = excluded.data;

-- name: money_spent
-- What the messages to a country have cost on a day.
SELECT spent FROM money WHERE country = :country AND day = :day;

-- name: money_of_day
-- What the messages to each country have cost on a day.
SELECT country, spent FROM money WHERE day = :day AND spent > 0 ORDER BY spent DESC, country;

-- name: spend_money
-- Takes the price of a message where it is left, in one statement.
INSERT INTO money (country, day, spent) SELECT :country, :day, :price WHERE :price <= :most
ON CONFLICT (country, day) DO UPDATE SET spent = spent + :price WHERE spent + :price <= :most;

-- name: pause
-- Why a country's messages are held, if they are.
SELECT country, paused_at, why FROM pauses WHERE country = :country;

-- name: pauses
-- All countries whose messages are held.
SELECT country, paused_at, why FROM pauses ORDER BY paused_at, country;

-- name: add_pause
-- Hold a country's messages.
INSERT INTO pauses (country, paused_at, why) VALUES (:country, :now, :why) ON CONFLICT (country) DO NOTHING;

-- name: delete_pause
-- Let a country's messages go again.
DELETE FROM pauses WHERE country = :country;

-- name: add_event
-- A line of the audit log.
INSERT INTO events (id, at, name, outcome, bucket, subject, network, client_id, user_id, details)
VALUES (:id, :at, :event, :outcome, :bucket, :subject, :network, :client_id, :user_id, :details);

-- name: events
-- The newest lines of the audit log, as far back as asked for: an id orders no lines of one moment.
SELECT id, at, name, outcome, bucket, subject, network, client_id, user_id, details FROM events
WHERE at >= :since AND (:subject = '' OR subject = :subject) AND (:event = '' OR name = :event)
ORDER BY at DESC, rowid DESC LIMIT :most;

-- name: add_device
-- A person is signed in on a device.
INSERT INTO devices (user_id, client_id, last_at) VALUES (:user_id, :client_id, :now)
ON CONFLICT (user_id, client_id) DO UPDATE SET last_at = excluded.last_at;

-- name: is_known_device
-- Whether whoever has proved an address has signed in on a device, among the last ones.
SELECT 1 AS found FROM devices AS d JOIN addresses AS a ON a.user_id = d.user_id
WHERE a.kind = :kind AND a.value = :value AND a.verified_at IS NOT NULL AND d.client_id = :client_id AND (
    SELECT count(*) FROM devices AS o WHERE o.user_id = d.user_id AND o.last_at > d.last_at) < :most;

-- name: delete_devices_of_client
-- A browser that forgets itself is known no more.
DELETE FROM devices WHERE client_id = :id;

-- name: add_user
-- A new account.
INSERT INTO users (id, profile, created_at, updated_at, last_sign_in_at, last_active_at,
    primary_phone_id, primary_email_id, banned, username, username_value, app_data, image_id,
    mfa_enabled_at, mfa_disabled_at)
VALUES (:id, :profile, :created_at, :updated_at, :last_sign_in_at, :last_active_at,
    :primary_phone_id, :primary_email_id, :banned, :username, :username_value, :app_data, :image_id,
    :mfa_enabled_at, :mfa_disabled_at);

-- name: save_user
-- An account has changed. When somebody was last here is noted elsewhere.
UPDATE users SET profile = :profile, updated_at = :updated_at, primary_phone_id = :primary_phone_id,
    primary_email_id = :primary_email_id, banned = :banned, username = :username,
    username_value = :username_value, app_data = :app_data, mfa_enabled_at = :mfa_enabled_at,
    mfa_disabled_at = :mfa_disabled_at
WHERE id = :id;

-- name: delete_messages_of_user
-- Letters to what an account has proved, and those that it asked for: others to its claims are their owners'.
DELETE FROM outbox WHERE
    recipient IN (SELECT spelling FROM addresses WHERE user_id = :id AND verified_at IS NOT NULL)
    OR attempt_id IN (SELECT id FROM addresses WHERE user_id = :id
        UNION ALL SELECT id FROM pending_addresses WHERE user_id = :id);

-- name: delete_user
-- An account and all that is its own: addresses, sessions, codes, pictures, tickets.
DELETE FROM users WHERE id = :id;

-- name: add_address
-- An address of an account. The unique index on (kind, value) is what keeps it theirs alone.
INSERT INTO addresses (id, user_id, kind, value, spelling, is_test, verified_at, created_at, updated_at,
    strategy, reserved_for_second_factor, default_second_factor, base)
VALUES (:id, :user_id, :kind, :value, :spelling, :is_test, :verified_at, :created_at, :updated_at,
    :strategy, :reserved, :is_default, :base);

-- name: save_address
-- What an address is used for, and whether it is proved.
UPDATE addresses SET verified_at = :verified_at, updated_at = :updated_at, strategy = :strategy,
    reserved_for_second_factor = :reserved, default_second_factor = :is_default
WHERE id = :id;

-- name: delete_address
-- Somebody's address no more.
DELETE FROM addresses WHERE id = :id;

-- name: add_pending_address
-- What somebody says is theirs.
INSERT INTO pending_addresses (id, user_id, kind, value, spelling, is_test, created_at, updated_at)
VALUES (:id, :user_id, :kind, :value, :spelling, :is_test, :created_at, :updated_at);

-- name: release_addresses
-- What an account owned without proof is only claimed from now on.
INSERT INTO pending_addresses (id, user_id, kind, value, spelling, is_test, created_at, updated_at)
SELECT id, user_id, kind, value, spelling, is_test, created_at, updated_at
FROM addresses WHERE user_id = :user_id AND verified_at IS NULL;

-- name: delete_unproved_addresses
-- They lie among the claims now.
DELETE FROM addresses WHERE user_id = :user_id AND verified_at IS NULL;

-- name: delete_pending_address
-- It has been proved, or taken back.
DELETE FROM pending_addresses WHERE id = :id;

-- name: pending_addresses_of_user
-- What a person has claimed and not proved.
SELECT id, user_id, kind, value, spelling, is_test, created_at, updated_at
FROM pending_addresses WHERE user_id = :user_id ORDER BY created_at, id;

-- name: user
-- An account, how many backup codes are left, and how many addresses wait for their proof.
SELECT id, profile, created_at, updated_at, last_sign_in_at, last_active_at, primary_phone_id,
    primary_email_id, banned, app_data, image_id, mfa_enabled_at, mfa_disabled_at,
    (SELECT count(*) FROM backup_codes WHERE backup_codes.user_id = users.id AND used_at IS NULL) AS codes,
    (SELECT count(*) FROM pending_addresses WHERE pending_addresses.user_id = users.id) AS pending
FROM users WHERE id = :id;

-- name: addresses_of_user
-- The addresses of an account, in the order in which they came.
SELECT id, user_id, kind, value, spelling, is_test, verified_at, created_at, updated_at,
    strategy, reserved_for_second_factor, default_second_factor
FROM addresses WHERE user_id = :user_id ORDER BY created_at, id;

-- name: user_id_by_address
-- Whose address this is.
SELECT user_id, 1 AS is_theirs FROM addresses WHERE kind = :kind AND value = :value;

-- name: user_id_by_address_or_any
-- Whose address this is, or else who came first: an account to read in any case.
SELECT user_id, is_theirs FROM (
    SELECT user_id, 1 AS is_theirs FROM addresses WHERE kind = :kind AND value = :value
    UNION ALL SELECT * FROM (SELECT id, 0 FROM users ORDER BY id LIMIT 1) AS first_one
) AS found ORDER BY is_theirs DESC LIMIT 1;

-- name: addresses_of_mailbox
-- The addresses whose mail reaches one mailbox, whosever they are.
SELECT id, user_id, kind, value, spelling, is_test, verified_at, created_at, updated_at,
    strategy, reserved_for_second_factor, default_second_factor
FROM addresses WHERE base = :base ORDER BY created_at, id;

-- name: user_id_by_username
-- Whose name this is.
SELECT id FROM users WHERE username_value = :value;

-- name: user_signed_in
-- When somebody last signed in.
UPDATE users SET last_sign_in_at = :now, last_active_at = :now WHERE id = :id;

-- name: delete_backup_codes
-- Makes room for fresh ones.
DELETE FROM backup_codes WHERE user_id = :user_id;

-- name: add_backup_code
-- One backup code, by its digest.
INSERT INTO backup_codes (user_id, digest) VALUES (:user_id, :digest);

-- name: use_backup_code
-- The one write that uses a backup code up.
UPDATE backup_codes SET used_at = :now
WHERE user_id = :user_id AND digest = :digest AND used_at IS NULL;

-- name: delete_images
-- A person has one picture.
DELETE FROM images WHERE user_id = :user_id;

-- name: add_image
-- A person's picture, as we wrote it.
INSERT INTO images (id, user_id, type, bytes, created_at) VALUES (:id, :user_id, :type, :bytes, :now);

-- name: set_image
-- Which picture is a person's.
UPDATE users SET image_id = :image_id, updated_at = :now WHERE id = :id;

-- name: image
-- A picture by its id.
SELECT type, bytes FROM images WHERE id = :id;

-- name: add_session
-- Somebody is signed in.
INSERT INTO sessions (id, client_id, user_id, status, created_at, updated_at, last_active_at, expire_at, abandon_at,
    first_factor_at, second_factor_at, device)
VALUES (:id, :client_id, :user_id, :status, :created_at, :updated_at, :last_active_at, :expire_at, :abandon_at,
    :first_factor_at, :second_factor_at, :device);

-- name: session
-- A session by its id.
SELECT id, client_id, user_id, status, created_at, updated_at, last_active_at, expire_at, abandon_at,
    first_factor_at, second_factor_at, device,
    (SELECT banned FROM users WHERE users.id = sessions.user_id) AS banned
FROM sessions WHERE id = :id;

-- name: live_sessions
-- Who is signed in on a client.
SELECT id, client_id, user_id, status, created_at, updated_at, last_active_at, expire_at, abandon_at,
    first_factor_at, second_factor_at, device,
    (SELECT banned FROM users WHERE users.id = sessions.user_id) AS banned
FROM sessions WHERE client_id = :client_id AND status IN ('active', 'pending') AND expire_at > :now
ORDER BY created_at, id;

-- name: sessions_of_user
-- Where a person is signed in.
SELECT id, client_id, user_id, status, created_at, updated_at, last_active_at, expire_at, abandon_at,
    first_factor_at, second_factor_at, device,
    (SELECT banned FROM users WHERE users.id = sessions.user_id) AS banned
FROM sessions WHERE user_id = :user_id AND status IN ('active', 'pending') AND expire_at > :now
ORDER BY created_at, id;

-- name: has_been_here
-- Whether a person has signed in on a device, among the last ones.
SELECT 1 AS found FROM devices AS d WHERE d.client_id = :client_id AND d.user_id = :user_id AND (
    SELECT count(*) FROM devices AS o WHERE o.user_id = d.user_id AND o.last_at > d.last_at) < :most;

-- name: end_session
-- Only a live session can end.
UPDATE sessions SET status = :status, updated_at = :now WHERE id = :id AND status IN ('active', 'pending');

-- name: end_sessions_of_user
-- A person is signed out everywhere.
UPDATE sessions SET status = :status, updated_at = :now WHERE user_id = :user_id AND status IN ('active', 'pending');

-- name: touch_session
-- A session was used.
UPDATE sessions SET last_active_at = :now WHERE id = :id AND status IN ('active', 'pending');

-- name: activate_session
-- What was asked of the person is done.
UPDATE sessions SET status = 'active', updated_at = :now WHERE id = :id AND status = 'pending';

-- name: save_factor_times
-- When a person last proved who they are.
UPDATE sessions SET first_factor_at = :first_factor_at, second_factor_at = :second_factor_at, updated_at = :now
WHERE id = :id;

-- name: save_reverification
-- Somebody is to prove themselves again; a newer start takes the place of an older one.
INSERT INTO reverifications (session_id, id, level, status, first_verification_id, second_verification_id,
    created_at, expires_at)
VALUES (:session_id, :id, :level, :status, :first_verification_id, :second_verification_id,
    :created_at, :expires_at)
ON CONFLICT (session_id) DO UPDATE SET id = excluded.id, level = excluded.level, status = excluded.status,
    first_verification_id = excluded.first_verification_id,
    second_verification_id = excluded.second_verification_id, created_at = excluded.created_at,
    expires_at = excluded.expires_at;

-- name: reverification
-- The newest of a session.
SELECT session_id, id, level, status, first_verification_id, second_verification_id, created_at, expires_at
FROM reverifications WHERE session_id = :session_id;

-- name: add_ticket
-- A sign-in token or an invitation.
INSERT INTO tickets (id, kind, status, user_id, email_value, email_spelling, email_is_test, data, created_at,
    updated_at, expires_at)
VALUES (:id, :kind, :status, :user_id, :email_value, :email_spelling, :email_is_test, :data, :created_at,
    :updated_at, :expires_at);

-- name: ticket
-- A ticket by its id.
SELECT id, kind, status, user_id, email_value, email_spelling, email_is_test, data, created_at,
    updated_at, expires_at
FROM tickets WHERE id = :id;

-- name: settle_ticket
-- The one write that uses a ticket up, or takes it back.
UPDATE tickets SET status = :status, updated_at = :now WHERE id = :id AND status = 'pending';

-- name: invitations
-- A page of invitations. Without a status it is all but those that were taken back.
SELECT id, kind, status, user_id, email_value, email_spelling, email_is_test, data, created_at,
    updated_at, expires_at
FROM tickets
WHERE kind = 'invitation'
    AND (:status = CASE WHEN status = 'pending' AND expires_at <= :now THEN 'expired' ELSE status END
        OR :status = '' AND status <> 'revoked')
    AND (:text = '' OR id = :text OR email_value LIKE :pattern ESCAPE '!')
ORDER BY
    CASE :order WHEN '+created_at' THEN created_at WHEN '+expires_at' THEN expires_at END,
    CASE :order WHEN '-created_at' THEN created_at WHEN '-expires_at' THEN expires_at END DESC,
    CASE :order WHEN '+email_address' THEN email_value END,
    CASE :order WHEN '-email_address' THEN email_value END DESC,
    id DESC
LIMIT :most OFFSET :skip;

-- name: count_invitations
-- How many there are on all pages.
SELECT count(*) FROM tickets
WHERE kind = 'invitation'
    AND (:status = CASE WHEN status = 'pending' AND expires_at <= :now THEN 'expired' ELSE status END
        OR :status = '' AND status <> 'revoked')
    AND (:text = '' OR id = :text OR email_value LIKE :pattern ESCAPE '!');

-- name: tickets_of_email
-- The invitations of an address.
SELECT id, kind, status, user_id, email_value, email_spelling, email_is_test, data, created_at,
    updated_at, expires_at
FROM tickets WHERE email_value = :email_value ORDER BY created_at DESC, id DESC;

-- name: add_waitlist_entry
-- Somebody waits to be let in.
INSERT INTO waitlist_entries (id, email_value, email_spelling, status, created_at, updated_at)
VALUES (:id, :email_value, :email_spelling, :status, :created_at, :updated_at);

-- name: save_waitlist_entry
-- An entry was decided.
UPDATE waitlist_entries SET status = :status, invitation_id = :invitation_id, updated_at = :updated_at
WHERE id = :id AND status = :was;

-- name: delete_waitlist_entry
-- Somebody who waits is forgotten.
DELETE FROM waitlist_entries WHERE id = :id AND status = 'pending';

-- name: waitlist_entry
-- An entry by its id.
SELECT id, email_value, email_spelling, status, invitation_id, created_at, updated_at
FROM waitlist_entries WHERE id = :id;

-- name: waitlist_entry_of
-- The entry of an address.
SELECT id, email_value, email_spelling, status, invitation_id, created_at, updated_at
FROM waitlist_entries WHERE email_value = :email_value;

-- name: waitlist_entries
-- A page of entries.
SELECT w.id, w.email_value, w.email_spelling, w.status, w.invitation_id, w.created_at, w.updated_at
FROM waitlist_entries w LEFT JOIN tickets t ON t.id = w.invitation_id
WHERE (:status = '' OR w.status = :status)
    AND (:text = '' OR w.id = :text OR w.email_value LIKE :pattern ESCAPE '!')
ORDER BY
    CASE :order WHEN '+created_at' THEN w.created_at WHEN '+invited_at' THEN t.created_at END,
    CASE :order WHEN '-created_at' THEN w.created_at WHEN '-invited_at' THEN t.created_at END DESC,
    CASE :order WHEN '+email_address' THEN w.email_value END,
    CASE :order WHEN '-email_address' THEN w.email_value END DESC,
    w.id DESC
LIMIT :most OFFSET :skip;

-- name: count_waitlist
-- How many entries there are, decided ones included.
SELECT count(*) AS entries FROM waitlist_entries;

-- name: count_waitlist_entries
-- How many there are on all pages.
SELECT count(*) FROM waitlist_entries
WHERE (:status = '' OR status = :status)
    AND (:text = '' OR id = :text OR email_value LIKE :pattern ESCAPE '!');

-- name: add_message
-- A message waits for a courier; it is committed together with its code, or with the ticket in whose place it stands.
INSERT INTO outbox (id, attempt_id, verification_id, channel, recipient, is_test, sealed, state, send_at, created_at, expires_at)
VALUES (:id, COALESCE((SELECT attempt_id FROM verifications WHERE id = :verification_id), :verification_id), :verification_id,
    :channel, :recipient, :is_test, :sealed, 'queued', :created_at, :created_at, :expires_at);

-- name: lease_messages
-- A courier takes what is due. Moving send_at on is the lease: after a crash it is due again.
UPDATE outbox SET send_at = :until, attempts = attempts + 1
WHERE id IN (SELECT id FROM outbox WHERE state = 'queued' AND send_at <= :now ORDER BY send_at LIMIT :most)
RETURNING id, verification_id, channel, recipient, is_test, sealed, created_at, expires_at, attempts;

-- name: lease_message
-- A courier takes one message.
UPDATE outbox SET send_at = :until, attempts = attempts + 1
WHERE id = :id AND state = 'queued' AND send_at <= :now
RETURNING id, verification_id, channel, recipient, is_test, sealed, created_at, expires_at, attempts;

-- name: message_taken
-- A provider has it, or it was withheld; the code can no longer be read here.
UPDATE outbox SET state = :state, sealed = NULL, route = :route, country = :country, price = :price,
    taken_at = :now, delivered_at = CASE WHEN :state = 'delivered' THEN :now END
WHERE id = :id AND state = 'queued';

-- name: advance_message
-- A receipt that says more than was known.
UPDATE outbox SET state = :state, price = COALESCE(:price, price),
    delivered_at = CASE WHEN :state = 'delivered' THEN :at ELSE delivered_at END
WHERE id = :id AND state = :known;

-- name: add_step
-- A line of the timeline, after those that are there.
INSERT INTO steps (message_id, number, at, state, route, ref, code, why, maybe, price)
SELECT :message_id, (SELECT count(*) FROM steps WHERE message_id = :message_id), :at, :state, :route, :ref, :code, :why,
    :maybe, :price;

-- name: steps
-- A message's timeline.
SELECT message_id, at, state, route, ref, code, why, maybe, price FROM steps WHERE message_id = :message_id ORDER BY number;

-- name: message_by_ref
-- The message that a provider means.
SELECT message_id FROM steps WHERE route = :route AND ref = :ref LIMIT 1;

-- name: last_route
-- Which route took the code before this one.
SELECT route FROM outbox
WHERE verification_id = :verification_id AND id <> :id AND route <> '' ORDER BY created_at DESC LIMIT 1;

-- name: posted
-- One message, without what stood in it.
SELECT o.id, o.verification_id, o.channel, o.recipient, o.state, o.route, o.country, o.attempts, o.created_at,
    o.taken_at, o.delivered_at, o.price, s.verified_at
FROM outbox o LEFT JOIN sends s ON s.id = o.id WHERE o.id = :id;

-- name: posted_to
-- The latest messages to an address.
SELECT o.id, o.verification_id, o.channel, o.recipient, o.state, o.route, o.country, o.attempts, o.created_at,
    o.taken_at, o.delivered_at, o.price, s.verified_at
FROM outbox o LEFT JOIN sends s ON s.id = o.id WHERE o.recipient = :recipient ORDER BY o.created_at DESC LIMIT :most;

-- name: posted_lately
-- The latest messages to anybody.
SELECT o.id, o.verification_id, o.channel, o.recipient, o.state, o.route, o.country, o.attempts, o.created_at,
    o.taken_at, o.delivered_at, o.price, s.verified_at
FROM outbox o LEFT JOIN sends s ON s.id = o.id ORDER BY o.created_at DESC LIMIT :most;

-- name: posted_since
-- What was taken within a time, for figures; test addresses and notices are none of these.
SELECT o.id, o.verification_id, o.channel, o.recipient, o.state, o.route, o.country, o.attempts, o.created_at,
    o.taken_at, o.delivered_at, o.price, s.verified_at
FROM outbox o JOIN sends s ON s.id = o.id
WHERE o.created_at >= :since AND o.created_at < :until AND o.is_test = 0 AND o.state <> 'withheld';

-- name: conversions
-- Of the codes that each route took, how many were typed; what was withheld could not be.
SELECT o.channel, o.route, count(*) AS taken, count(s.verified_at) AS typed
FROM outbox o JOIN sends s ON s.id = o.id
WHERE o.created_at >= :since AND o.created_at < :until AND o.is_test = 0 AND o.route <> '' AND o.state <> 'withheld'
GROUP BY o.channel, o.route;

-- name: suppress
-- Nothing is sent to this mailbox any more; why is what was said first.
INSERT INTO suppressions (address, at, route, why) VALUES (:address, :at, :route, :why)
ON CONFLICT (address) DO NOTHING;

-- name: suppression
-- Why nothing is sent to a mailbox.
SELECT address, at, route, why FROM suppressions WHERE address = :address;

-- name: suppressions
-- Every mailbox to which nothing is sent, the latest first.
SELECT address, at, route, why FROM suppressions ORDER BY at DESC, address LIMIT :most;

-- name: unsuppress
-- An operator knows better.
DELETE FROM suppressions WHERE address = :address;

-- name: message_deferred
-- Try again later. Said by whoever holds the lease: a later one has counted another attempt.
UPDATE outbox SET send_at = :retry_at, last_error = :why
WHERE id = :id AND state = 'queued' AND attempts = :attempts;

-- name: message_failed
-- It will never be sent.
UPDATE outbox SET state = 'failed', sealed = NULL, last_error = :why
WHERE id = :id AND state = 'queued' AND attempts = :attempts;

-- name: next_message_at
-- When a courier must be up again.
SELECT min(send_at) AS send_at FROM outbox WHERE state = 'queued';

-- name: setting
-- A value of the instance.
SELECT value FROM settings WHERE name = :setting;

-- name: save_setting
-- Replaces a value of the instance.
INSERT INTO settings (name, value) VALUES (:setting, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: signing_keys
-- The RSA keys, newest first.
SELECT id, sealed, created_at, signs_from FROM signing_keys ORDER BY created_at DESC, id;

-- name: save_signing_key
-- Adds an RSA key or seals it anew.
INSERT INTO signing_keys (id, sealed, created_at, signs_from) VALUES (:id, :sealed, :created_at, :signs_from)
ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed;

-- name: delete_signing_key
-- An RSA key whose turn will not come.
DELETE FROM signing_keys WHERE id = :id;

-- name: add_secret_key
-- An API key, by its digest.
INSERT INTO secret_keys (digest, hint, created_at) VALUES (:digest, :hint, :created_at);

-- name: secret_key_digests
-- All valid API keys: an index finds a digest in a time that depends on how much of it fits.
SELECT digest FROM secret_keys;

-- name: secret_keys
-- What may be shown of the API keys.
SELECT hint, created_at FROM secret_keys ORDER BY created_at, hint;

-- name: revoke_secret_key
-- An API key is valid no more.
DELETE FROM secret_keys WHERE hint = :hint;

-- name: add_handshake
-- What an app's server will fetch within seconds.
INSERT INTO handshakes (digest, sealed, expires_at) VALUES (:digest, :sealed, :expires_at);

-- name: handshake
-- It can be read again until it expires: the same page may ask twice.
SELECT sealed FROM handshakes WHERE digest = :digest AND expires_at > :now;

-- name: expire_messages
-- A code that is no longer valid need not be sent.
UPDATE outbox SET state = 'expired', sealed = NULL
WHERE id IN (SELECT id FROM outbox WHERE state = 'queued' AND expires_at <= :now LIMIT :most);

-- name: delete_old_messages
-- What was sent is forgotten after a week.
DELETE FROM outbox WHERE id IN (
    SELECT id FROM outbox WHERE created_at <= :now - 604800000 AND state <> 'queued' LIMIT :most);

-- name: delete_old_steps
-- A timeline is forgotten with its message.
DELETE FROM steps WHERE (message_id, number) IN (
    SELECT message_id, number FROM steps WHERE at <= :now - 691200000 LIMIT :most);

-- name: delete_expired_codes
-- A code that can no longer be typed.
DELETE FROM codes WHERE serial IN (SELECT serial FROM codes WHERE expires_at <= :now LIMIT :most);

-- name: delete_expired_verifications
-- Their attempts are over.
DELETE FROM verifications WHERE id IN (SELECT id FROM verifications WHERE delete_at <= :now LIMIT :most);

-- name: delete_expired_sign_ups
-- Attempts that nobody can go on with.
DELETE FROM sign_ups WHERE id IN (SELECT id FROM sign_ups WHERE abandon_at <= :now LIMIT :most);

-- name: delete_expired_sign_ins
-- Attempts that nobody can go on with.
DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE abandon_at <= :now LIMIT :most);

-- name: delete_old_guesses
-- Guesses that no window reaches (an hour), with an hour to spare.
DELETE FROM guesses WHERE id IN (SELECT id FROM guesses WHERE made_at <= :now - 7200000 LIMIT :most);

-- name: delete_old_sends
-- Codes that no window reaches: a day, and as long as their verification can still be done.
DELETE FROM sends WHERE id IN (SELECT id FROM sends WHERE made_at <= :now - 172800000 LIMIT :most);

-- name: delete_old_tallies
-- What was counted so long ago that it weighs nothing: sixty days.
DELETE FROM tallies WHERE subject IN (SELECT subject FROM tallies WHERE at <= :now - 5184000000 LIMIT :most);

-- name: delete_old_money
-- Days gone by, with a month to look back on.
DELETE FROM money WHERE day < :now / 86400000 - 31;

-- name: delete_old_devices
-- Devices that nobody signed in on for longer than a cookie lives: 400 days.
DELETE FROM devices WHERE (user_id, client_id) IN (
    SELECT user_id, client_id FROM devices WHERE last_at <= :now - 34560000000 LIMIT :most);

-- name: delete_old_events
-- The audit log is kept for 90 days.
DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at <= :now - 7776000000 LIMIT :most);

-- name: delete_expired_handshakes
-- Nobody will fetch them.
DELETE FROM handshakes WHERE digest IN (SELECT digest FROM handshakes WHERE expires_at <= :now LIMIT :most);

-- name: delete_expired_dev_browsers
-- Development browsers that were not seen for long.
DELETE FROM dev_browsers WHERE digest IN (SELECT digest FROM dev_browsers WHERE expires_at <= :now LIMIT :most);

-- name: delete_old_sessions
-- Sessions over for longer than anybody asks about.
DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE abandon_at <= :now LIMIT :most);

-- name: delete_expired_reverifications
-- Nobody can go on with them.
DELETE FROM reverifications WHERE session_id IN (
    SELECT session_id FROM reverifications WHERE expires_at <= :now LIMIT :most);

-- name: delete_old_tickets
-- Sign-in tokens are forgotten a month after their end; invitations are kept for the list.
DELETE FROM tickets WHERE id IN (
    SELECT id FROM tickets WHERE kind = 'sign_in_token' AND expires_at <= :now - 2592000000 LIMIT :most);

-- name: delete_old_waitlist_entries
-- Who was let in or rejected is forgotten a year later; whoever waits is the app's to decide about.
DELETE FROM waitlist_entries WHERE id IN (SELECT id FROM waitlist_entries
    WHERE status IN ('completed', 'rejected') AND updated_at <= :now - 31536000000 LIMIT :most);

-- name: delete_former_signing_keys
-- RSA keys whose last token is over: the next one's turn began two minutes ago (domain/key_rotation.py).
DELETE FROM signing_keys WHERE id IN (
    SELECT id FROM signing_keys AS k WHERE EXISTS (
        SELECT 1 FROM signing_keys AS n
        WHERE (n.signs_from, n.id) > (k.signs_from, k.id) AND n.signs_from <= :now - 120000)
    LIMIT :most);

-- name: delete_idle_clients
-- Clients that never signed in, or whose last session is forgotten, and that do nothing.
DELETE FROM clients WHERE id IN (
    SELECT id FROM clients AS c WHERE c.created_at <= :now - 86400000
    AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.client_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM devices WHERE devices.client_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM sign_ups WHERE sign_ups.id = c.sign_up_id)
    AND NOT EXISTS (SELECT 1 FROM sign_ins WHERE sign_ins.id = c.sign_in_id)
    LIMIT :most);
