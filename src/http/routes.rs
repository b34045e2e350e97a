//! The whole URL table. `/api/openapi.json` lists the same, which a test holds.

use super::app::App;
use super::auth::Need;
use super::error::{no_such_route, what_is_allowed, wrong_method};
use super::handlers::{
    activity, auth, automations, backups, captures, count, dashboard, devices, entry, erase,
    events, export, facets, health, histogram, keys, layouts, prune, record, settings, system,
    views, widgets, workspaces,
};
use super::middleware::recording::RecordRequests;
use actix_web::guard;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{Resource, Route, web};

/// One line of the table.
pub struct Line {
    pub method: Method,
    pub path: &'static str,
    /// Of whoever asks.
    pub needs: Need,
    handler: fn() -> Route,
}

const fn line(method: Method, path: &'static str, needs: Need, handler: fn() -> Route) -> Line {
    Line {
        method,
        path,
        needs,
        handler,
    }
}

/// In the order in which they are tried: a fixed word before a name.
#[rustfmt::skip]
pub const TABLE: &[Line] = &[
    line(Method::POST,   "/api/v1/activity",                                   Need::Write,    || web::route().to(record::record)),
    line(Method::GET,    "/api/v1/activity",                                   Need::Read,     || web::route().to(activity::page)),
    line(Method::DELETE, "/api/v1/activity",                                   Need::Admin,    || web::route().to(prune::clear)),
    line(Method::GET,    "/api/v1/activity/settings",                          Need::Read,     || web::route().to(settings::settings)),
    line(Method::PUT,    "/api/v1/activity/settings",                          Need::Admin,    || web::route().to(settings::put)),
    line(Method::DELETE, "/api/v1/activity/settings",                          Need::Admin,    || web::route().to(settings::forget)),
    line(Method::POST,   "/api/v1/activity/prune",                             Need::Admin,    || web::route().to(prune::prune)),
    line(Method::GET,    "/api/v1/activity/count",                             Need::Read,     || web::route().to(count::count)),
    line(Method::GET,    "/api/v1/activity/facets",                            Need::Read,     || web::route().to(facets::facets)),
    line(Method::GET,    "/api/v1/activity/histogram",                         Need::Read,     || web::route().to(histogram::histogram)),
    line(Method::GET,    "/api/v1/activity/export",                            Need::Read,     || web::route().to(export::export)),
    line(Method::DELETE, "/api/v1/activity/by-actor/{actor}",                  Need::Admin,    || web::route().to(erase::erase)),
    line(Method::GET,    "/api/v1/activity/audit/{entity_type}/{entity_id}",   Need::Read,     || web::route().to(activity::trail)),
    line(Method::GET,    "/api/v1/activity/{id}",                              Need::Read,     || web::route().to(entry::entry)),
    line(Method::GET,    "/api/v1/events/ws",                                  Need::Read,     || web::route().to(events::follow)),
    line(Method::GET,    "/api/v1/backups",                                    Need::Operator, || web::route().to(backups::list)),
    line(Method::POST,   "/api/v1/backups",                                    Need::Operator, || web::route().to(backups::create)),
    line(Method::GET,    "/api/v1/backups/{name}",                             Need::Operator, || web::route().to(backups::download)),
    line(Method::DELETE, "/api/v1/backups/{name}",                             Need::Operator, || web::route().to(backups::delete)),
    line(Method::POST,   "/api/v1/backups/{name}/restore",                     Need::Operator, || web::route().to(backups::restore)),
    line(Method::GET,    "/api/v1/keys",                                       Need::Admin,    || web::route().to(keys::list)),
    line(Method::POST,   "/api/v1/keys",                                       Need::Admin,    || web::route().to(keys::create)),
    line(Method::DELETE, "/api/v1/keys/{label}",                               Need::Admin,    || web::route().to(keys::revoke)),
    line(Method::POST,   "/api/v1/keys/{label}/rotate",                        Need::Admin,    || web::route().to(keys::rotate)),
    line(Method::POST,   "/api/v1/auth/login",                                 Need::Open,     || web::route().to(auth::login)),
    line(Method::POST,   "/api/v1/auth/logout",                                Need::Known,    || web::route().to(auth::logout)),
    line(Method::GET,    "/api/v1/auth/me",                                    Need::Known,    || web::route().to(auth::me)),
    line(Method::GET,    "/api/v1/workspaces",                                 Need::Operator, || web::route().to(workspaces::list)),
    line(Method::POST,   "/api/v1/workspaces",                                 Need::Operator, || web::route().to(workspaces::create)),
    line(Method::GET,    "/api/v1/workspaces/{name}",                          Need::Operator, || web::route().to(workspaces::one)),
    line(Method::PATCH,  "/api/v1/workspaces/{name}",                          Need::Operator, || web::route().to(workspaces::rename)),
    line(Method::POST,   "/api/v1/workspaces/{name}/archive",                  Need::Operator, || web::route().to(workspaces::archive)),
    line(Method::POST,   "/api/v1/workspaces/{name}/unarchive",                Need::Operator, || web::route().to(workspaces::unarchive)),
    line(Method::GET,    "/api/v1/devices",                                   Need::Operator, || web::route().to(devices::list)),
    line(Method::POST,   "/api/v1/devices",                                   Need::Operator, || web::route().to(devices::add)),
    line(Method::GET,    "/api/v1/devices/{id}",                              Need::Operator, || web::route().to(devices::one)),
    line(Method::PATCH,  "/api/v1/devices/{id}",                              Need::Operator, || web::route().to(devices::change)),
    line(Method::DELETE, "/api/v1/devices/{id}",                              Need::Operator, || web::route().to(devices::remove)),
    line(Method::POST,   "/api/v1/devices/{id}/check",                        Need::Operator, || web::route().to(devices::check)),
    line(Method::POST,   "/api/v1/devices/{id}/connected",                    Need::Write,    || web::route().to(devices::connected)),
    line(Method::POST,   "/api/v1/devices/{id}/disconnected",                 Need::Write,    || web::route().to(devices::disconnected)),
    line(Method::GET,    "/api/v1/captures",                                   Need::Operator, || web::route().to(captures::list)),
    line(Method::POST,   "/api/v1/captures/start",                             Need::Operator, || web::route().to(captures::start_several)),
    line(Method::POST,   "/api/v1/captures/stop",                              Need::Operator, || web::route().to(captures::stop_several)),
    line(Method::GET,    "/api/v1/captures/{name}",                            Need::Operator, || web::route().to(captures::one)),
    line(Method::POST,   "/api/v1/captures/{name}/start",                      Need::Operator, || web::route().to(captures::start)),
    line(Method::POST,   "/api/v1/captures/{name}/stop",                       Need::Operator, || web::route().to(captures::stop)),
    line(Method::GET,     "/api/v1/automations",                                 Need::Operator, || web::route().to(automations::list)),
    line(Method::POST,    "/api/v1/automations",                                 Need::Operator, || web::route().to(automations::create)),
    line(Method::GET,     "/api/v1/automations/{name}",                          Need::Operator, || web::route().to(automations::one)),
    line(Method::PUT,     "/api/v1/automations/{name}",                          Need::Operator, || web::route().to(automations::replace)),
    line(Method::DELETE,  "/api/v1/automations/{name}",                          Need::Operator, || web::route().to(automations::remove)),
    line(Method::POST,    "/api/v1/automations/{name}/test",                     Need::Operator, || web::route().to(automations::test)),
    line(Method::POST,    "/api/v1/automations/{name}/enable",                   Need::Operator, || web::route().to(automations::enable)),
    line(Method::POST,    "/api/v1/automations/{name}/disable",                  Need::Operator, || web::route().to(automations::disable)),
    line(Method::GET,    "/api/v1/widgets",                                    Need::Read,     || web::route().to(widgets::list)),
    line(Method::POST,   "/api/v1/widgets",                                    Need::Read,     || web::route().to(widgets::create)),
    line(Method::PUT,    "/api/v1/widgets/{id}",                               Need::Read,     || web::route().to(widgets::change)),
    line(Method::DELETE, "/api/v1/widgets/{id}",                               Need::Read,     || web::route().to(widgets::delete)),
    line(Method::GET,    "/api/v1/views",                                      Need::Read,     || web::route().to(views::list)),
    line(Method::POST,   "/api/v1/views",                                      Need::Read,     || web::route().to(views::create)),
    line(Method::PUT,    "/api/v1/views/{id}",                                 Need::Read,     || web::route().to(views::change)),
    line(Method::DELETE, "/api/v1/views/{id}",                                 Need::Read,     || web::route().to(views::delete)),
    line(Method::GET,    "/api/v1/layouts/me",                                 Need::Read,     || web::route().to(layouts::mine)),
    line(Method::PUT,    "/api/v1/layouts/me",                                 Need::Read,     || web::route().to(layouts::put_mine)),
    line(Method::DELETE, "/api/v1/layouts/me",                                 Need::Read,     || web::route().to(layouts::reset)),
    line(Method::GET,    "/api/v1/system/info",                                Need::Operator, || web::route().to(system::info)),
    line(Method::GET,    "/api/openapi.json",                                  Need::Open,     || web::route().to(system::openapi_json)),
    line(Method::GET,    "/api/docs",                                          Need::Open,     || web::route().to(system::docs_page)),
    line(Method::GET,    "/api/docs.css",                                      Need::Open,     || web::route().to(system::docs_style)),
    line(Method::GET,    "/healthz",                                           Need::Open,     || web::route().to(health::healthz)),
    line(Method::GET,    "/readyz",                                            Need::Open,     || web::route().to(health::readyz)),
    line(Method::GET,    "/metrics",                                           Need::Metrics,  || web::route().to(system::metrics)),
];

/// What takes in entries: the call is not one of those that change something, the entries are what it leaves.
pub const INTAKE: &[(Method, &str)] = &[
    (Method::POST, "/api/v1/activity"),
    (Method::POST, "/api/activity"),
];

/// Asked so often, and saying so little, that not even a book of all calls wants them.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The thing that a call below this address is about.
const THINGS: &[(&str, &str)] = &[
    ("/api/v1/backups/{name}", "backup"),
    ("/api/v1/keys/{label}", "key"),
    ("/api/v1/workspaces/{name}", "workspace"),
    ("/api/v1/devices/{id}", "device"),
    ("/api/v1/captures/{name}/start", "capture"),
    ("/api/v1/captures/{name}/stop", "capture"),
    ("/api/v1/automations/{name}", "automation"),
    ("/api/v1/widgets/{id}", "widget"),
    ("/api/v1/views/{id}", "view"),
];

/// Which calls leave an entry.
pub fn recorded(app: &App) -> RecordRequests {
    let which = app.settings.activity.record_requests;
    let mut calls = RecordRequests::into(app.recorder.clone()).which(which);
    for (method, path) in INTAKE {
        calls = calls.exempt(Some(method.clone()), path);
    }
    for path in PROBES {
        calls = calls.exempt(None, path);
    }
    for (pattern, entity_type) in THINGS {
        calls = calls.entity(pattern, entity_type);
    }
    calls
}

/// What the page in a browser calls itself, each the same file.
const PAGES: [&str; 6] = [
    "/",
    "/activity",
    "/entity/{entity_type}/{entity_id}",
    "/devices",
    "/settings",
    "/sign-in",
];

/// What the origins' clients call answers as the address under `/api/v1` does.
const ALIAS: (&str, &str) = ("/api/v1/activity", "/api/activity");

pub fn configure(config: &mut web::ServiceConfig) {
    for path in paths() {
        config.service(resource(path, path));
        if let Some(rest) = path.strip_prefix(ALIAS.0) {
            config.service(resource(path, &format!("{}{rest}", ALIAS.1)));
        }
    }
    let asked_for = || guard::Any(guard::Get()).or(guard::Head());
    for path in PAGES {
        config.route(path, web::route().guard(asked_for()).to(dashboard::page));
    }
    let asset = web::route().guard(asked_for()).to(dashboard::asset);
    config.route("/assets/{name:.+}", asset);
    config.default_service(web::to(no_such_route));
}

/// Each address once, in the table's order.
fn paths() -> Vec<&'static str> {
    let mut paths: Vec<&str> = TABLE.iter().map(|line| line.path).collect();
    paths.dedup();
    paths
}

fn resource(listed: &str, path: &str) -> Resource {
    let lines = TABLE.iter().filter(|line| line.path == listed);
    let mut resource = web::resource(path);
    let mut methods = Vec::new();
    for line in lines {
        methods.push(line.method.clone());
        if line.method == Method::GET {
            methods.push(Method::HEAD);
        }
        let needs = line.needs;
        let guarded =
            (line.handler)().wrap(from_fn(move |request, next| needs.holds(request, next)));
        resource = resource.route(guarded.guard(takes(line.method.clone())));
    }
    methods.push(Method::OPTIONS);
    resource
        .route(web::method(Method::OPTIONS).to(what_is_allowed(methods.clone())))
        .default_service(web::to(wrong_method(methods)))
}

/// Where one may GET, one may also ask for the head alone.
fn takes(method: Method) -> impl guard::Guard {
    guard::fn_guard(move |context| {
        let asked = &context.head().method;
        *asked == method || (*asked == Method::HEAD && method == Method::GET)
    })
}
