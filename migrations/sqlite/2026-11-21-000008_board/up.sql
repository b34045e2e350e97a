-- What principals arrange for themselves on the dashboard: widgets, saved views, the layout. Of whom no workspace
-- is known it is empty: who sees all.
CREATE TABLE board (
    workspace_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    -- widget, view, layout.
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    -- JSON.
    value TEXT NOT NULL,
    PRIMARY KEY (workspace_id, principal, kind, id)
) WITHOUT ROWID;
