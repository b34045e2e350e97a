//! How workspaces are created, given a title, archived and taken back, each with the entry that goes with it.
//! The Registry calls it, and commands do on a book that no daemon keeps.

use super::asked::NewWorkspace;
use super::{Archived, Standing};
use crate::access::Scope;
use crate::actors::context::Context;
use crate::actors::{Recorder, Refusal, Writer};
use crate::domain::{
    Act, Emitted, FieldErrors, Holding, Own, Timestamp, Title, Workspace, WorkspaceId, entity_event,
};
use crate::storage::{EntryReader, Request, StorageError};
use std::sync::Arc;
use tokio::sync::watch;

/// Why a workspace is as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error("{0}")]
    Wrong(#[from] FieldErrors),
    #[error("{0}")]
    Conflict(FieldErrors),
    #[error("there is no workspace of this name")]
    NoSuchWorkspace,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What is wanted of a workspace that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Rename(Option<Title>),
    Archive,
    Unarchive,
}

pub struct Registrar {
    writer: Writer,
    reader: Arc<dyn EntryReader>,
    recorder: Recorder,
    archived: watch::Sender<Standing>,
}

/// What the book says is archived.
pub fn remembered(reader: &dyn EntryReader) -> Result<Standing, StorageError> {
    Ok(Arc::new(Archived::of(reader.archived()?)))
}

impl Registrar {
    /// `archived` is what the book says now, see [`remembered`].
    pub fn new(
        writer: Writer,
        reader: Arc<dyn EntryReader>,
        recorder: Recorder,
        archived: watch::Sender<Standing>,
    ) -> Self {
        Self {
            writer,
            reader,
            recorder,
            archived,
        }
    }

    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.archived.subscribe()
    }

    /// The book is another one, with workspaces of its own.
    pub fn read_again(&self) -> Result<(), StorageError> {
        self.archived
            .send_replace(remembered(self.reader.as_ref())?);
        Ok(())
    }

    pub async fn create(&self, asked: NewWorkspace, by: &Context) -> Result<Holding, NotDone> {
        if self.find(&asked.name).await?.is_some() {
            let reason = "is the name of a workspace that is there";
            return Err(NotDone::Conflict(FieldErrors::one("name", reason)));
        }
        let workspace = Workspace {
            name: asked.name,
            title: asked.title,
            created: None,
            archived: None,
        };
        self.commit(&workspace, Emitted::WorkspaceCreated, by)
            .await?;
        // As the writer made it.
        let held = self.find(&workspace.name).await?;
        held.ok_or(NotDone::NoSuchWorkspace)
    }

    /// What is so already stays so, and is not recorded.
    pub async fn change(
        &self,
        name: &WorkspaceId,
        change: Change,
        now: Timestamp,
        by: &Context,
    ) -> Result<Holding, NotDone> {
        let mut held = self.find(name).await?.ok_or(NotDone::NoSuchWorkspace)?;
        let workspace = &mut held.workspace;
        let before = workspace.clone();
        let emitted = match change {
            Change::Rename(title) => {
                workspace.title = title;
                Emitted::WorkspaceRenamed
            }
            Change::Archive if *name == WorkspaceId::default_workspace() => {
                let reason = "default is the operator's own and cannot be archived";
                return Err(NotDone::Conflict(FieldErrors::one("name", reason)));
            }
            Change::Archive => {
                workspace.archived.get_or_insert(now);
                Emitted::WorkspaceArchived
            }
            Change::Unarchive => {
                workspace.archived = None;
                Emitted::WorkspaceUnarchived
            }
        };
        if *workspace != before {
            self.commit(workspace, emitted, by).await?;
        }
        Ok(held)
    }

    /// The one of that name, with what the book has of it.
    async fn find(&self, name: &WorkspaceId) -> Result<Option<Holding>, NotDone> {
        let Some(scope) = Scope::for_the_daemon().narrowed_to(name) else {
            return Ok(None);
        };
        let reader = Arc::clone(&self.reader);
        let found = tokio::task::spawn_blocking(move || reader.holdings(&scope, None, 1));
        let found = found.await.map_err(|_| Refusal::Stopping)?;
        Ok(found.map_err(Refusal::from)?.pop())
    }

    async fn commit(
        &self,
        workspace: &Workspace,
        emitted: Emitted,
        by: &Context,
    ) -> Result<(), NotDone> {
        let request = Request {
            acts: vec![Act::PutWorkspace(Box::new(workspace.clone()))],
            entries: vec![self.recorder.own_entry(said(emitted, workspace), Some(by))],
        };
        self.writer.commit(request).await?;
        let is_archived = workspace.archived.is_some();
        self.archived
            .send_if_modified(|held| Arc::make_mut(held).set(&workspace.name, is_archived));
        Ok(())
    }
}

fn said(emitted: Emitted, workspace: &Workspace) -> Own {
    let title = workspace.title.as_ref().map(Title::as_str);
    entity_event("workspace", emitted, workspace.name.as_str(), title)
        .within(WorkspaceId::default_workspace())
}
