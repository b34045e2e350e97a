//! What may be said of workspaces at the command line.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Workspace {
    #[command(subcommand)]
    pub command: WorkspaceCommand,
}

#[derive(Debug, Subcommand)]
pub enum WorkspaceCommand {
    /// List workspaces, and what the book has of each
    List(WorkspaceList),
    /// Create a workspace before its first key or entry does
    Create(WorkspaceCreate),
    /// Give a workspace another title; its name, which stands in its entries, never changes
    Rename(WorkspaceRename),
    /// Let a workspace take no more entries; what it has stays readable, and its keys only read
    Archive(WorkspaceName),
    /// Let an archived workspace take entries again
    Unarchive(WorkspaceName),
}

#[derive(Debug, clap::Args)]
pub struct WorkspaceList {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct WorkspaceCreate {
    /// 1 to 64 of A-Z a-z 0-9 _ -
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What people call it
    #[arg(long, value_name = "TITLE")]
    pub title: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct WorkspaceRename {
    #[arg(value_name = "NAME")]
    pub name: String,
    /// An empty one takes the title away
    #[arg(value_name = "TITLE")]
    pub title: String,
}

#[derive(Debug, clap::Args)]
pub struct WorkspaceName {
    #[arg(value_name = "NAME")]
    pub name: String,
}
