-- The keys. Of a secret only its SHA-256, in hex. What was revoked stays, so that no label is given twice.
CREATE TABLE api_keys (
    label TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL UNIQUE,
    secret_sha256 TEXT NOT NULL,
    -- The secret before the last rotation, and until when it is taken.
    former_sha256 TEXT,
    former_until TEXT,
    -- write, read, admin, with commas.
    scopes TEXT NOT NULL,
    -- NULL for all of them.
    workspace_id TEXT,
    speaks_for_others BOOLEAN NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    last_used_at TEXT,
    last_used_from TEXT
) WITHOUT ROWID;
