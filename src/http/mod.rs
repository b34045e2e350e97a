//! The HTTP face: a handler extracts, asks, encodes. The whole URL table stands in `routes`, every status
//! code in `error`.

pub mod app;
mod body;
mod docs;
pub mod error;
mod extract;
mod handlers;
mod intake;
mod middleware;
pub mod openapi;
pub mod routes;
pub mod server;
mod wire;

pub use app::App;
