//! What may be said of devices at the command line.

use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Device {
    #[command(subcommand)]
    pub command: DeviceCommand,
}

#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// List the devices, and how each is
    List(DeviceList),
    /// Add a device that does not announce itself
    Add(DeviceAdd),
    /// Give a device a name; it keeps the one that it has itself
    Rename(DeviceRename),
    /// Remove a device; its trail stays
    Remove(DeviceOne),
    /// Check a device now; exits with 1 when it does not answer
    Check(DeviceOne),
}

#[derive(Debug, clap::Args)]
pub struct DeviceList {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct DeviceAdd {
    /// An IP address or the name of a host
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A service type such as _http._tcp, or a word of your own
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Without one it is not checked
    #[arg(long, value_name = "NUMBER")]
    pub port: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub struct DeviceRename {
    #[arg(value_name = "ID")]
    pub id: String,
    /// An empty one takes the name away
    #[arg(value_name = "NAME")]
    pub name: String,
}

#[derive(Debug, clap::Args)]
pub struct DeviceOne {
    #[arg(value_name = "ID")]
    pub id: String,
}
