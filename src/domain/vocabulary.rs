//! Every (category, action) that the daemon itself emits, and how such an entry is made. `docs/vocabulary.md`
//! says the same to readers, which a test holds. What other software records is its own.

use super::draft::Draft;
use super::entry::{Action, Category, NewEntry, Severity, WorkspaceId};
use super::{Metadata, limits};
use serde_json::{Map, Value};

/// Whose the daemon's own doings are, outside any request.
pub const SYSTEM: &str = "system";

/// What the daemon itself records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emitted {
    ActivityLogEnabled,
    ActivityLogDisabled,
    ActivityLogSettingsChanged,
    ActivityLogCleared,
    ActivityLogPruned,
    ActivityLogPruneHalted,
    ActivityLogExported,
    ActivityLogImported,
    ActivityLogErased,
    ServerStarted,
    ServerShuttingDown,
    ServerUncleanShutdown,
    ServerReloaded,
    ServerClockJumped,
    ServerClockBehind,
    ServerStorageFull,
    ServerHelperDied,
    BackupCreated,
    BackupRestored,
    BackupDeleted,
    BackupFailed,
    WidgetCreated,
    WidgetChanged,
    WidgetDeleted,
    ViewCreated,
    ViewChanged,
    ViewDeleted,
    LayoutChanged,
    LayoutReset,
    RequestCompleted,
    RequestRefused,
    RequestFailed,
    RequestAborted,
    AuthLogin,
    AuthLogout,
    AuthFailed,
    AuthDenied,
    AuthWsConnected,
    AuthWsDisconnected,
    AuthKeyCreated,
    AuthKeyRotated,
    AuthKeyRevoked,
    WorkspaceCreated,
    WorkspaceRenamed,
    WorkspaceArchived,
    WorkspaceUnarchived,
    DeviceDiscovered,
    DeviceChanged,
    DeviceOnline,
    DeviceOffline,
    DeviceLost,
    DeviceFlapping,
    DeviceConnected,
    DeviceDisconnected,
    DeviceAdded,
    DeviceRenamed,
    DeviceIgnored,
    DeviceUnignored,
    DeviceCheckChanged,
    DeviceRemoved,
    DeviceDropped,
    CaptureStarted,
    CaptureStopped,
    CaptureFailed,
    AutomationActivated,
    AutomationFailed,
    AutomationCreated,
    AutomationChanged,
    AutomationRemoved,
}

impl Emitted {
    pub const ALL: [Self; 69] = [
        Self::ActivityLogEnabled,
        Self::ActivityLogDisabled,
        Self::ActivityLogSettingsChanged,
        Self::ActivityLogCleared,
        Self::ActivityLogPruned,
        Self::ActivityLogPruneHalted,
        Self::ActivityLogExported,
        Self::ActivityLogImported,
        Self::ActivityLogErased,
        Self::ServerStarted,
        Self::ServerShuttingDown,
        Self::ServerUncleanShutdown,
        Self::ServerReloaded,
        Self::ServerClockJumped,
        Self::ServerClockBehind,
        Self::ServerStorageFull,
        Self::ServerHelperDied,
        Self::BackupCreated,
        Self::BackupRestored,
        Self::BackupDeleted,
        Self::BackupFailed,
        Self::WidgetCreated,
        Self::WidgetChanged,
        Self::WidgetDeleted,
        Self::ViewCreated,
        Self::ViewChanged,
        Self::ViewDeleted,
        Self::LayoutChanged,
        Self::LayoutReset,
        Self::RequestCompleted,
        Self::RequestRefused,
        Self::RequestFailed,
        Self::RequestAborted,
        Self::AuthLogin,
        Self::AuthLogout,
        Self::AuthFailed,
        Self::AuthDenied,
        Self::AuthWsConnected,
        Self::AuthWsDisconnected,
        Self::AuthKeyCreated,
        Self::AuthKeyRotated,
        Self::AuthKeyRevoked,
        Self::WorkspaceCreated,
        Self::WorkspaceRenamed,
        Self::WorkspaceArchived,
        Self::WorkspaceUnarchived,
        Self::DeviceDiscovered,
        Self::DeviceChanged,
        Self::DeviceOnline,
        Self::DeviceOffline,
        Self::DeviceLost,
        Self::DeviceFlapping,
        Self::DeviceConnected,
        Self::DeviceDisconnected,
        Self::DeviceAdded,
        Self::DeviceRenamed,
        Self::DeviceIgnored,
        Self::DeviceUnignored,
        Self::DeviceCheckChanged,
        Self::DeviceRemoved,
        Self::DeviceDropped,
        Self::CaptureStarted,
        Self::CaptureStopped,
        Self::CaptureFailed,
        Self::AutomationActivated,
        Self::AutomationFailed,
        Self::AutomationCreated,
        Self::AutomationChanged,
        Self::AutomationRemoved,
    ];

    pub fn category(self) -> &'static str {
        match self.action().split_once('.') {
            Some(("auth", _)) => "auth",
            Some(("workspace", _)) => "entity",
            Some(("device", _)) => "device",
            Some(("capture", _)) => "capture",
            _ => "system",
        }
    }

    pub fn action(self) -> &'static str {
        match self {
            Self::ActivityLogEnabled => "activity_log.enabled",
            Self::ActivityLogDisabled => "activity_log.disabled",
            Self::ActivityLogSettingsChanged => "activity_log.settings_changed",
            Self::ActivityLogCleared => "activity_log.cleared",
            Self::ActivityLogPruned => "activity_log.pruned",
            Self::ActivityLogPruneHalted => "activity_log.prune_halted",
            Self::ActivityLogExported => "activity_log.exported",
            Self::ActivityLogImported => "activity_log.imported",
            Self::ActivityLogErased => "activity_log.erased",
            Self::ServerStarted => "server.started",
            Self::ServerShuttingDown => "server.shutting_down",
            Self::ServerUncleanShutdown => "server.unclean_shutdown",
            Self::ServerReloaded => "server.reloaded",
            Self::ServerClockJumped => "server.clock_jumped",
            Self::ServerClockBehind => "server.clock_behind",
            Self::ServerStorageFull => "server.storage_full",
            Self::ServerHelperDied => "server.helper_died",
            Self::BackupCreated => "backup.created",
            Self::BackupRestored => "backup.restored",
            Self::BackupDeleted => "backup.deleted",
            Self::BackupFailed => "backup.failed",
            Self::WidgetCreated => "widget.created",
            Self::WidgetChanged => "widget.changed",
            Self::WidgetDeleted => "widget.deleted",
            Self::ViewCreated => "view.created",
            Self::ViewChanged => "view.changed",
            Self::ViewDeleted => "view.deleted",
            Self::LayoutChanged => "layout.changed",
            Self::LayoutReset => "layout.reset",
            Self::RequestCompleted => "request.completed",
            Self::RequestRefused => "request.refused",
            Self::RequestFailed => "request.failed",
            Self::RequestAborted => "request.aborted",
            Self::AuthLogin => "auth.login",
            Self::AuthLogout => "auth.logout",
            Self::AuthFailed => "auth.failed",
            Self::AuthDenied => "auth.denied",
            Self::AuthWsConnected => "auth.ws_connected",
            Self::AuthWsDisconnected => "auth.ws_disconnected",
            Self::AuthKeyCreated => "auth.key_created",
            Self::AuthKeyRotated => "auth.key_rotated",
            Self::AuthKeyRevoked => "auth.key_revoked",
            Self::WorkspaceCreated => "workspace.created",
            Self::WorkspaceRenamed => "workspace.renamed",
            Self::WorkspaceArchived => "workspace.archived",
            Self::WorkspaceUnarchived => "workspace.unarchived",
            Self::DeviceDiscovered => "device.discovered",
            Self::DeviceChanged => "device.changed",
            Self::DeviceOnline => "device.online",
            Self::DeviceOffline => "device.offline",
            Self::DeviceLost => "device.lost",
            Self::DeviceFlapping => "device.flapping",
            Self::DeviceConnected => "device.connected",
            Self::DeviceDisconnected => "device.disconnected",
            Self::DeviceAdded => "device.added",
            Self::DeviceRenamed => "device.renamed",
            Self::DeviceIgnored => "device.ignored",
            Self::DeviceUnignored => "device.unignored",
            Self::DeviceCheckChanged => "device.check_changed",
            Self::DeviceRemoved => "device.removed",
            Self::DeviceDropped => "device.dropped",
            Self::CaptureStarted => "capture.started",
            Self::CaptureStopped => "capture.stopped",
            Self::CaptureFailed => "capture.failed",
            Self::AutomationActivated => "automation.activated",
            Self::AutomationFailed => "automation.failed",
            Self::AutomationCreated => "automation.created",
            Self::AutomationChanged => "automation.changed",
            Self::AutomationRemoved => "automation.removed",
        }
    }

    /// As long as nothing else is said: what needs somebody's eye is a warning.
    pub fn severity(self) -> Severity {
        match self {
            Self::ActivityLogDisabled
            | Self::ActivityLogCleared
            | Self::ActivityLogErased
            | Self::ActivityLogPruneHalted
            | Self::BackupRestored
            | Self::WorkspaceArchived
            | Self::ServerUncleanShutdown
            | Self::ServerClockJumped
            | Self::ServerClockBehind
            | Self::ServerHelperDied
            | Self::DeviceOffline
            | Self::DeviceLost
            | Self::DeviceFlapping
            | Self::DeviceDisconnected
            | Self::DeviceDropped
            | Self::RequestRefused
            | Self::RequestAborted
            | Self::AuthFailed
            | Self::AuthDenied
            | Self::AutomationFailed => Severity::Warning,
            Self::ServerStorageFull
            | Self::BackupFailed
            | Self::RequestFailed
            | Self::CaptureFailed => Severity::Error,
            _ => Severity::Info,
        }
    }

    /// Begins an entry of this kind.
    pub fn says(self, message: impl Into<String>) -> Own {
        Own {
            emitted: self,
            severity: self.severity(),
            message: message.into(),
            metadata: Map::new(),
            workspace: None,
            entity: None,
            entity_name: None,
        }
    }
}

/// What happened to a thing of the daemon's own: the one way to say it, for every route that creates, changes
/// or deletes such a thing. `Recorder::own_entry` makes the entry of it that is committed with the act,
/// `Recorder::record_event` records it as well as can be where there is no act to commit it with.
///
/// ```
/// use daybook::domain::{Emitted, entity_event};
///
/// let deleted = entity_event("backup", Emitted::BackupDeleted, "before-upgrade.db", None).draft();
/// assert_eq!(deleted.message.as_deref(), Some("The backup before-upgrade.db was deleted"));
/// assert_eq!(deleted.entity_id.as_deref(), Some("before-upgrade.db"));
/// ```
pub fn entity_event(
    entity_type: &'static str,
    action: Emitted,
    id: impl Into<String>,
    name: Option<&str>,
) -> Own {
    let id = id.into();
    let (_, verb) = action.action().rsplit_once('.').unwrap_or_default();
    // `auth.key_created` is said of the key itself.
    let verb = verb.strip_prefix(entity_type).unwrap_or(verb);
    let verb = verb.replace('_', " ").trim_start().to_owned();
    let called = name.map_or(id.as_str(), |name| name);
    let said = action.says(format!("The {entity_type} {called} was {verb}"));
    Own {
        entity_name: name.map(str::to_owned),
        ..said.about(entity_type, id)
    }
}

/// These are recorded while recording is off as well: they are about the book and its keeper.
pub fn passes_when_off(category: &str, action: &str) -> bool {
    const KINDS: [&str; 3] = ["activity_log.", "server.", "backup."];
    category == SYSTEM && KINDS.iter().any(|kind| action.starts_with(kind))
}

/// An entry of the daemon's own in the making.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    emitted: Emitted,
    severity: Severity,
    message: String,
    metadata: Map<String, Value>,
    workspace: Option<WorkspaceId>,
    /// The kind of thing that it was done to, and which one.
    entity: Option<(&'static str, String)>,
    /// What people call it.
    entity_name: Option<String>,
}

impl Own {
    /// The thing that it was done to.
    pub fn about(mut self, entity_type: &'static str, entity_id: impl Into<String>) -> Self {
        self.entity = Some((entity_type, entity_id.into()));
        self
    }

    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Instead of the sentence that it began with.
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Names what was done and to what; values before and after do not belong there.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    pub fn within(mut self, workspace: WorkspaceId) -> Self {
        self.workspace = Some(workspace);
        self
    }

    pub fn category(&self) -> &'static str {
        self.emitted.category()
    }

    pub fn action(&self) -> &'static str {
        self.emitted.action()
    }

    /// For what somebody asked for: who it was and from where is added, then it is checked as any draft.
    pub fn draft(self) -> Draft {
        let some = |text: &str| Some(text.to_owned());
        let (entity_type, entity_id) = self.entity.unzip();
        Draft {
            entity_type: entity_type.map(str::to_owned),
            entity_id,
            entity_name: self.entity_name,
            category: some(self.emitted.category()),
            action: some(self.emitted.action()),
            severity: some(self.severity.as_str()),
            message: Some(shortened(self.message)),
            metadata: Some(self.metadata),
            workspace_id: self.workspace.map(|name| name.to_string()),
            ..Draft::default()
        }
    }

    /// For what the daemon does by itself. It is ours word by word, so that nothing of it can be refused.
    pub fn by_system(self) -> NewEntry {
        let (entity_type, entity_id) = self.entity.unzip();
        NewEntry {
            id: None,
            category: Category::trusted(self.emitted.category()),
            action: Action::trusted(self.emitted.action()),
            severity: self.severity,
            actor: SYSTEM.to_owned(),
            entity_type: entity_type.map(str::to_owned),
            entity_id,
            entity_name: self.entity_name,
            message: shortened(self.message).replace(char::is_control, "\u{fffd}"),
            metadata: Metadata::new(self.metadata).unwrap_or_default(),
            workspace_id: self
                .workspace
                .unwrap_or_else(WorkspaceId::default_workspace),
            ip_address: None,
            user_agent: None,
        }
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(limits::MESSAGE_CHARS) {
        None => text,
        Some(_) => {
            let kept = text.chars().take(limits::MESSAGE_CHARS - 1);
            kept.chain(['…']).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const PAGE: &str = include_str!("../../docs/vocabulary.md");

    /// The first two cells of each row of the table under the heading.
    fn rows(heading: &str) -> Vec<(String, String)> {
        let (_, section) = PAGE.split_once(heading).expect("the heading is there");
        let section = section.split("\n## ").next().unwrap_or_default();
        let cells = |line: &str| {
            let mut cells = line.split('|').map(|cell| cell.trim().replace('`', ""));
            cells.next();
            Some((cells.next()?, cells.next()?))
        };
        let of_table = section.lines().filter(|line| line.starts_with("| `"));
        of_table.filter_map(cells).collect()
    }

    #[test]
    fn the_page_lists_what_the_daemon_emits_and_nothing_else() {
        let listed: BTreeSet<_> = rows("## What Daybook records").into_iter().collect();
        let emitted: BTreeSet<_> = Emitted::ALL
            .iter()
            .map(|own| (own.category().to_owned(), own.action().to_owned()))
            .collect();
        assert_eq!(listed, emitted);
        assert_eq!(emitted.len(), Emitted::ALL.len(), "each action once");
    }

    #[test]
    fn what_is_recommended_to_others_is_right_and_not_ours() {
        let ours: Vec<&str> = Emitted::ALL.iter().map(|own| own.action()).collect();
        let recommended = rows("## For other software");
        assert!(recommended.len() > 20);
        for (category, action) in recommended {
            assert!(
                super::super::rules::CATEGORIES.contains(&category.as_str()),
                "{category}"
            );
            assert!(!ours.contains(&action.as_str()), "{action}");
            assert!(action.contains('.'), "{action}");
        }
    }

    #[test]
    fn an_own_entry_is_right_however_long_it_gets() {
        let entry = Emitted::ServerReloaded
            .says("x\n".repeat(limits::MESSAGE_CHARS))
            .with("keys", vec!["y"; 1000])
            .by_system();
        assert_eq!(entry.message().chars().count(), limits::MESSAGE_CHARS);
        assert!(!entry.message().contains('\n'));
        assert_eq!(
            (entry.actor(), entry.workspace_id().as_str()),
            ("system", "default")
        );
    }

    #[test]
    fn only_what_is_about_the_book_passes_while_recording_is_off() {
        assert!(passes_when_off("system", "activity_log.exported"));
        assert!(passes_when_off("system", "server.started"));
        assert!(passes_when_off("system", "backup.created"));
        assert!(!passes_when_off("device", "server.started"));
        assert!(!passes_when_off("system", "server_room.entered"));
    }
}
