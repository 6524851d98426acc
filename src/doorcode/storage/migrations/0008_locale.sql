-- In which language a sign-in was begun: its codes are asked for by later requests.

ALTER TABLE sign_ins ADD COLUMN locale TEXT;
