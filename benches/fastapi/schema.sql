-- The table and the five indexes of the origins' first phase, as their document has them.
CREATE TABLE IF NOT EXISTS activity_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE NOT NULL,
    ts TEXT NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    severity TEXT NOT NULL,
    actor TEXT NOT NULL,
    entity_type TEXT,
    entity_id TEXT,
    entity_name TEXT,
    message TEXT NOT NULL,
    metadata TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS ix_activity_log_ts_seq ON activity_log (ts DESC, seq DESC);
CREATE INDEX IF NOT EXISTS ix_activity_log_category ON activity_log (category);
CREATE INDEX IF NOT EXISTS ix_activity_log_severity ON activity_log (severity);
CREATE INDEX IF NOT EXISTS ix_activity_log_actor ON activity_log (actor);
CREATE INDEX IF NOT EXISTS ix_activity_log_entity ON activity_log (entity_type, entity_id);
