-- What is known of the things on the network.
CREATE TABLE device (
    id TEXT NOT NULL PRIMARY KEY,
    -- As it calls itself, and as somebody called it.
    name TEXT NOT NULL,
    given_name TEXT,
    -- Its service type.
    kind TEXT,
    host TEXT,
    -- JSON: an array of texts.
    addresses TEXT NOT NULL,
    port INTEGER,
    -- JSON: what it says of itself beside.
    txt TEXT NOT NULL,
    -- mdns, manual, reported.
    source TEXT NOT NULL,
    -- online, offline, lost, unknown.
    state TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen TEXT,
    ignored BOOLEAN NOT NULL,
    -- JSON: how it is checked, where that is not what its type says.
    health_check TEXT
) WITHOUT ROWID;
