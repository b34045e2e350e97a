//! What may be said of keys at the command line.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Key {
    #[command(subcommand)]
    pub command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; makes the book if there is none
    Add(KeyAdd),
    /// List keys, and when and from where each was used last
    List(KeyList),
    /// Give a key another secret
    Rotate(KeyRotate),
    /// Take a key out of force, at once and for good
    Revoke(KeyRevoke),
}

#[derive(Debug, clap::Args)]
pub struct KeyAdd {
    /// The actor of what its holder records: 1 to 64 of A-Z a-z 0-9 _ - . @
    #[arg(long, value_name = "LABEL")]
    pub label: String,
    /// Of write, read, admin; several with commas
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    pub scope: Vec<String>,
    /// The one that it belongs to; '*' for all
    #[arg(
        long,
        alias = "workspace_id",
        alias = "workspace-id",
        value_name = "NAME"
    )]
    pub workspace: String,
    /// It may name another actor, address and user agent than its own
    #[arg(long)]
    pub speak_for_others: bool,
    /// How long it is in force: 90d, 12h
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct KeyList {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct KeyRotate {
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// How long the former secret is still taken; without it, no longer
    #[arg(long, value_name = "TIME")]
    pub overlap: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct KeyRevoke {
    #[arg(value_name = "LABEL")]
    pub label: String,
}
