-- Until when it counts that a person solved a challenge in a browser.

ALTER TABLE clients ADD COLUMN human_until INTEGER;
