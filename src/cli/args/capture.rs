//! What may be said of captures at the command line.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Capture {
    #[command(subcommand)]
    pub command: CaptureCommand,
}

#[derive(Debug, Subcommand)]
pub enum CaptureCommand {
    /// List captures: how each stands, and what came through it
    List(CaptureList),
    /// Start captures, or all
    Start(CaptureNames),
    /// Stop captures, or all; what they have read is recorded first
    Stop(CaptureNames),
}

#[derive(Debug, clap::Args)]
pub struct CaptureList {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct CaptureNames {
    /// Without a name: all
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}
