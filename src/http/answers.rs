//! What the description says of every route alike: how a caller is known, and what is answered before a handler
//! is asked. What one handler answers stands beside it.

use super::auth::Need;
use super::routes::{Line, TABLE};
use super::wire::ProblemSchema;
use actix_web::http::Method;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, ResponseBuilder};
use utoipa::{Modify, ToSchema};

pub struct Common;

/// What a cookie of the dashboard is called stands in `cookie`.
const SCHEMES: [&str; 3] = ["bearer", "api_key", "cookie"];

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = Http::builder().scheme(HttpAuthScheme::Bearer);
        let bearer = bearer.bearer_format("dbk_<id>_<secret>").build();
        let header = ApiKeyValue::new("X-API-Key");
        let cookie = ApiKeyValue::with_description(
            super::cookie::NAME,
            "What the dashboard is given when it signs in; with it, what changes something takes an Origin \
             that is this host.",
        );
        let schemes = [
            SecurityScheme::Http(bearer),
            SecurityScheme::ApiKey(ApiKey::Header(header)),
            SecurityScheme::ApiKey(ApiKey::Cookie(cookie)),
        ];
        for (name, scheme) in SCHEMES.into_iter().zip(schemes) {
            components.add_security_scheme(name, scheme);
        }
        for line in TABLE {
            let item = document.paths.paths.get_mut(line.path);
            if let Some(operation) = item.and_then(|item| operation(item, &line.method)) {
                describe(operation, line);
            }
        }
    }
}

fn operation<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    let operation = match *method {
        Method::GET => &mut item.get,
        Method::POST => &mut item.post,
        Method::PUT => &mut item.put,
        Method::PATCH => &mut item.patch,
        Method::DELETE => &mut item.delete,
        _ => return None,
    };
    operation.as_mut()
}

fn describe(operation: &mut Operation, line: &Line) {
    if line.needs != Need::Open {
        let any = SCHEMES.map(|scheme| SecurityRequirement::new(scheme, [""; 0]));
        operation.security = Some(any.to_vec());
    }
    let has_body = operation.request_body.is_some();
    for (status, description) in common(line, has_body) {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_owned())
            .or_insert_with(|| problem(description).into());
    }
}

/// Beside what its handler says itself.
fn common(line: &Line, has_body: bool) -> Vec<(&'static str, &'static str)> {
    let mut common = vec![
        (
            "400",
            "The request is not right, and it is said what is wrong",
        ),
        (
            "406",
            "Accept-Encoding leaves no coding for the answer, not even the plain one",
        ),
        ("408", "The request did not come in its time"),
        ("414", "The address is too long"),
        (
            "421",
            "While nobody needs a key: asked for under a name that is not this machine's",
        ),
        ("431", "The headers are too many or too long"),
    ];
    let is_known = line.needs != Need::Open;
    let changes = line.method != Method::GET;
    if is_known {
        common.push(("401", "It takes a key that is in force, or a sign-in"));
        common.push(("429", "Too many attempts to be let in from this address"));
    }
    if is_known || changes {
        common.push(("403", "Not with this key, or not from that page"));
        common.push(("503", "Busy or stopping; try again"));
    }
    if changes {
        common.push(("507", "The disk is full"));
    }
    if has_body {
        common.push(("413", "The body is too large"));
        common.push(("415", "The body has another type or encoding"));
    }
    common
}

fn problem(description: &str) -> utoipa::openapi::Response {
    let schema = Ref::from_schema_name(ProblemSchema::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}
