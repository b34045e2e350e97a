-- Who is signed in. Of the token that a browser holds, and of the key that was shown, only the SHA-256, in hex.
CREATE TABLE sign_ins (
    token_sha256 TEXT PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL,
    -- Which of the key's secrets was shown.
    key_sha256 TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL
) WITHOUT ROWID;
