-- Automations that were made over HTTP: JSON, with their secrets.
CREATE TABLE automation (
    name TEXT PRIMARY KEY NOT NULL,
    rule TEXT NOT NULL
) WITHOUT ROWID;

-- How each automation stands, those of the configuration file too: JSON.
CREATE TABLE automation_standing (
    name TEXT PRIMARY KEY NOT NULL,
    standing TEXT NOT NULL
) WITHOUT ROWID;

-- Up to where automations have read the book; one row at most.
CREATE TABLE automation_position (
    id BIGINT PRIMARY KEY NOT NULL CHECK (id = 0),
    seq BIGINT NOT NULL
);

-- What is still to be told: which entries, by their numbers, and when it is tried next.
CREATE TABLE automation_delivery (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    made_at TEXT NOT NULL,
    seqs TEXT NOT NULL,
    count BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at TEXT NOT NULL
) WITHOUT ROWID;
