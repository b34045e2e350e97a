//! The HTTP face: a handler extracts, asks, encodes. The whole URL table stands in `routes`, every status
//! code in `error`.

mod answers;
pub mod app;
pub mod auth;
pub mod body;
pub mod budget;
mod connection;
mod cookie;
mod docs;
pub mod error;
pub mod extract;
mod forwarded;
mod handlers;
mod intake;
mod leave;
mod middleware;
pub mod openapi;
mod parameters;
mod retention;
pub mod routes;
pub mod server;
mod small;
mod stream;
mod wire;
pub mod ws;

pub use app::App;
pub use handlers::keys::KeyItem;
pub use handlers::workspaces::WorkspaceItem;
pub use middleware::recording::RecordRequests;
