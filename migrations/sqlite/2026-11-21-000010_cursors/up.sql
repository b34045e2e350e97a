-- How far each intake of the daemon's own has read what it follows: written with the entries that it read up to there.
CREATE TABLE cursors (
    name TEXT NOT NULL PRIMARY KEY,
    -- JSON.
    value TEXT NOT NULL
) WITHOUT ROWID;
