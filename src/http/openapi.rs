//! The OpenAPI description, made from the handlers.

use super::handlers::{
    activity, auth, automations, backups, captures, count, entry, erase, events, export, facets,
    health, histogram, keys, layouts, prune, record, settings, system, views, widgets, workspaces,
};
use super::wire;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Daybook",
        description = "The book of what happened: who did what, to which thing, when. \
            Errors are RFC 9457 problems that name the field.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        record::record,
        activity::page,
        prune::clear,
        settings::settings,
        settings::put,
        settings::forget,
        prune::prune,
        count::count,
        facets::facets,
        histogram::histogram,
        export::export,
        erase::erase,
        activity::trail,
        entry::entry,
        events::follow,
        backups::list,
        backups::create,
        backups::download,
        backups::delete,
        backups::restore,
        keys::list,
        keys::create,
        keys::revoke,
        keys::rotate,
        auth::login,
        auth::logout,
        auth::me,
        workspaces::list,
        workspaces::create,
        workspaces::one,
        workspaces::rename,
        workspaces::archive,
        workspaces::unarchive,
        captures::list,
        captures::start_several,
        captures::stop_several,
        captures::one,
        captures::start,
        captures::stop,
        automations::list,
        automations::create,
        automations::one,
        automations::replace,
        automations::remove,
        automations::test,
        automations::enable,
        automations::disable,
        widgets::list,
        widgets::create,
        widgets::change,
        widgets::delete,
        views::list,
        views::create,
        views::change,
        views::delete,
        layouts::mine,
        layouts::put_mine,
        layouts::reset,
        system::info,
        system::openapi_json,
        system::docs_page,
        system::docs_style,
        health::healthz,
        health::readyz,
        system::metrics,
    ),
    components(schemas(wire::ProblemSchema, wire::EntrySchema, wire::NewEntrySchema, wire::FormatSchema)),
    tags(
        (name = "activity", description = "Recording, and looking up"),
        (name = "retention", description = "What is kept, for how long, and how it goes"),
        (name = "events", description = "Following live"),
        (name = "backups", description = "Copies of the whole book"),
        (name = "keys", description = "Who may do what"),
        (name = "auth", description = "Who one is: signing in and out"),
        (name = "workspaces", description = "The tenants of the book"),
        (name = "captures", description = "Intakes that the daemon runs itself"),
        (name = "automations", description = "Who is told when entries match"),
        (name = "dashboard", description = "What each caller arranges for itself"),
        (name = "operation", description = "The daemon itself"),
    )
)]
struct Description;

pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
