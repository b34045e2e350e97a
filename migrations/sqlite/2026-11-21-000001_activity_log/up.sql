-- The entries. `seq` is the rowid, so every index below ends in it and serves the order of a page too.
CREATE TABLE activity_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    id TEXT NOT NULL,
    ts TEXT NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    severity TEXT NOT NULL,
    actor TEXT NOT NULL,
    entity_type TEXT,
    entity_id TEXT,
    entity_name TEXT,
    message TEXT NOT NULL,
    metadata TEXT NOT NULL DEFAULT '{}',
    workspace_id TEXT NOT NULL DEFAULT 'default',
    ip_address TEXT,
    user_agent TEXT,
    UNIQUE (workspace_id, id)
);
-- Always true, and said so that SQLite takes this index only for a statement that says it too: otherwise
-- it prefers this one to the narrower ones below.
CREATE INDEX activity_log_workspace ON activity_log (workspace_id) WHERE workspace_id <> '';
CREATE INDEX activity_log_category ON activity_log (workspace_id, category);
CREATE INDEX activity_log_severity ON activity_log (workspace_id, severity) WHERE severity <> 'info';
CREATE INDEX activity_log_actor ON activity_log (workspace_id, actor);
CREATE INDEX activity_log_action ON activity_log (workspace_id, action);
CREATE INDEX activity_log_entity ON activity_log (workspace_id, entity_type, entity_id)
    WHERE entity_type IS NOT NULL;
