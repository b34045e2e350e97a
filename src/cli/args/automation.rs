//! What may be said of automations at the command line.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Automation {
    #[command(subcommand)]
    pub command: AutomationCommand,
}

#[derive(Debug, Subcommand)]
pub enum AutomationCommand {
    /// List automations, and how each stands
    List(AutomationList),
    /// Tell the receiver of an automation something now, and say what it answered
    Test(AutomationName),
    /// Switch an automation on
    Enable(AutomationName),
    /// Switch an automation off; what it has still to tell waits
    Disable(AutomationName),
    /// Remove an automation, with what it has still to tell
    Remove(AutomationName),
}

#[derive(Debug, clap::Args)]
pub struct AutomationList {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct AutomationName {
    #[arg(value_name = "NAME")]
    pub name: String,
}
