//! The query parameters that several routes share, as the OpenAPI description shows them.

use utoipa::IntoParams;

/// The filter of pages, counts, trails and exports.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it stands in the OpenAPI description only")]
pub struct FilterParameters {
    /// Repeat it, or separate values by commas.
    #[param(
        example = "auth,device",
        pattern = r"^[a-z0-9_-]{1,64}(,[a-z0-9_-]{1,64})*$"
    )]
    category: Option<String>,
    /// info, warning, error; repeat it, or separate values by commas.
    #[param(
        example = "warning,error",
        pattern = r"^(info|warning|error)(,(info|warning|error))*$"
    )]
    severity: Option<String>,
    /// None of these; each `not_…` may be repeated.
    #[param(
        example = "system",
        pattern = r"^[a-z0-9_-]{1,64}(,[a-z0-9_-]{1,64})*$"
    )]
    not_category: Option<String>,
    #[param(
        example = "info",
        pattern = r"^(info|warning|error)(,(info|warning|error))*$"
    )]
    not_severity: Option<String>,
    #[param(example = "cron", min_length = 1, max_length = 256)]
    not_actor: Option<String>,
    #[param(
        example = "heartbeat.*",
        pattern = r"^[A-Za-z0-9_.:/-]+\*?$",
        max_length = 129
    )]
    not_action: Option<String>,
    #[param(example = "session", min_length = 1, max_length = 64)]
    not_entity_type: Option<String>,
    #[param(example = "42", min_length = 1, max_length = 256)]
    not_entity_id: Option<String>,
    #[param(example = "anna", min_length = 1, max_length = 256)]
    actor: Option<String>,
    /// Exact, or a prefix that ends in `*`.
    #[param(
        example = "task.*",
        pattern = r"^([A-Za-z0-9_.:/-]+\*?|\*)$",
        max_length = 129
    )]
    action: Option<String>,
    #[param(example = "task", min_length = 1, max_length = 64)]
    entity_type: Option<String>,
    #[param(example = "42", min_length = 1, max_length = 256)]
    entity_id: Option<String>,
    /// RFC 3339, or how long ago: `24h`, `7d`.
    #[param(example = "24h", min_length = 1)]
    since: Option<String>,
    #[param(example = "2026-11-21T08:00:00Z", min_length = 1)]
    until: Option<String>,
    /// A part of the message, ASCII letters folded; `%` and `_` mean themselves.
    #[param(example = "plants", min_length = 1, max_length = 256)]
    q: Option<String>,
    /// For those who may see several: a name, or `*` for all.
    #[param(example = "default", pattern = r"^([A-Za-z0-9_-]{1,64}|\*)$")]
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
    #[param(example = 1200, minimum = 0)]
    before_seq: Option<i64>,
    /// The oldest first, from above this. Not with `before_seq`.
    #[param(example = 1000, minimum = 0)]
    after_seq: Option<i64>,
}
