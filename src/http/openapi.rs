//! The OpenAPI description, made from the handlers.

use super::handlers::{activity, count, entry, export, health, record, system};
use super::wire;
use utoipa::{IntoParams, OpenApi};

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
        count::count,
        export::export,
        activity::trail,
        entry::entry,
        system::info,
        system::openapi_json,
        system::docs_page,
        system::docs_style,
        health::healthz,
        health::readyz,
        system::metrics,
    ),
    components(schemas(wire::ProblemSchema, wire::EntrySchema, wire::NewEntrySchema)),
    tags(
        (name = "activity", description = "Recording, and looking up"),
        (name = "operation", description = "The daemon itself"),
    )
)]
struct Description;

pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// The filter of pages, counts, trails and exports.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct FilterParameters {
    /// Repeat it, or separate values by commas.
    #[param(example = "auth,device")]
    category: Option<String>,
    /// info, warning, error; repeat it, or separate values by commas.
    #[param(example = "warning,error")]
    severity: Option<String>,
    #[param(example = "anna")]
    actor: Option<String>,
    /// Exact, or a prefix that ends in `*`.
    #[param(example = "task.*")]
    action: Option<String>,
    #[param(example = "task")]
    entity_type: Option<String>,
    #[param(example = "42")]
    entity_id: Option<String>,
    /// RFC 3339, or how long ago: `24h`, `7d`.
    #[param(example = "24h")]
    since: Option<String>,
    #[param(example = "2026-11-21T08:00:00Z")]
    until: Option<String>,
    /// A part of the message, ASCII letters folded; `%` and `_` mean themselves.
    #[param(example = "plants")]
    q: Option<String>,
    /// For those who may see several: a name, or `*` for all.
    #[param(example = "default")]
    workspace_id: Option<String>,
}

/// Where a page begins, and how long it is.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct PageParameters {
    #[param(example = 50, minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The newest first, from below this.
    #[param(example = 1200)]
    before_seq: Option<i64>,
    /// The oldest first, from above this. Not with `before_seq`.
    #[param(example = 1000)]
    after_seq: Option<i64>,
}
