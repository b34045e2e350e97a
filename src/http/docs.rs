//! `/api/docs`: the OpenAPI description as one page, without a script and without anything from elsewhere.

use super::openapi;
use serde_json::Value;
use std::fmt::Write;
use std::sync::OnceLock;

/// Nothing but the page's own style sheet.
pub const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

pub const STYLE: &str = "\
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:.4rem}\
h2{margin-top:2.5rem}section{border-top:1px solid #8886;padding-top:1rem;margin-top:1.5rem}\
.method{display:inline-block;min-width:4rem;font-weight:700}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.3rem .6rem .3rem 0;vertical-align:top;border-bottom:1px solid #8883}";

/// The description in its two forms, made once for all workers, when it is first asked for: what it is made of is
/// larger than all that an idle daemon holds beside it.
#[derive(Default)]
pub struct Described {
    json: OnceLock<String>,
    page: OnceLock<String>,
}

impl Described {
    pub fn json(&self) -> &str {
        let made = || serde_json::to_string(&openapi::document()).unwrap_or_default();
        self.json.get_or_init(made)
    }

    pub fn page(&self) -> &str {
        self.page.get_or_init(|| page(&openapi::document()))
    }
}

fn page(document: &utoipa::openapi::OpenApi) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    let mut out = String::new();
    let title = text(&document["info"]["title"]);
    // Writing into a String cannot fail.
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} API</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/api/docs.css\"></head><body><main>\
         <h1>{title} {}</h1><p>{}</p><p>For tools: <a href=\"/api/openapi.json\">/api/openapi.json</a></p>",
        text(&document["info"]["version"]),
        text(&document["info"]["description"]),
    );
    for tag in items(&document["tags"]) {
        let _ = write!(out, "<h2>{}</h2>", text(&tag["description"]));
        for (path, methods) in fields(&document["paths"]) {
            for (method, operation) in fields(methods) {
                if operation["tags"][0] == tag["name"] {
                    self::operation(&mut out, method, path, operation);
                }
            }
        }
    }
    out.push_str("</main></body></html>");
    out
}

fn operation(out: &mut String, method: &str, path: &str, operation: &Value) {
    let _ = write!(
        out,
        "<section><h3><span class=\"method\">{}</span> <code>{}</code></h3><p><strong>{}</strong> {}</p>",
        escaped(&method.to_uppercase()),
        escaped(path),
        text(&operation["summary"]),
        text(&operation["description"]),
    );
    if !items(&operation["parameters"]).is_empty() {
        out.push_str("<table><tr><th>Parameter</th><th>Example</th><th></th></tr>");
        for parameter in items(&operation["parameters"]) {
            let _ = write!(
                out,
                "<tr><td><code>{}</code></td><td><code>{}</code></td><td>{}</td></tr>",
                text(&parameter["name"]),
                shown(example(parameter)),
                text(&parameter["description"]),
            );
        }
        out.push_str("</table>");
    }
    for (kind, content) in fields(&operation["requestBody"]["content"]) {
        sample(out, &format!("Body: {kind}"), &content["example"]);
    }
    for (status, response) in fields(&operation["responses"]) {
        let description = response["description"].as_str().unwrap_or_default();
        let heading = format!("{status}: {description}");
        let content = fields(&response["content"]);
        let example = content
            .first()
            .map_or(&Value::Null, |(_, content)| &content["example"]);
        sample(out, &heading, example);
    }
    out.push_str("</section>");
}

fn sample(out: &mut String, heading: &str, example: &Value) {
    let _ = write!(out, "<p>{}</p>", escaped(heading));
    if !example.is_null() {
        let _ = write!(out, "<pre>{}</pre>", shown(example));
    }
}

fn example(parameter: &Value) -> &Value {
    match &parameter["example"] {
        Value::Null => &parameter["schema"]["example"],
        given => given,
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn fields(value: &Value) -> Vec<(&str, &Value)> {
    let object = value.as_object();
    object.map_or(Vec::new(), |o| {
        o.iter().map(|(k, v)| (k.as_str(), v)).collect()
    })
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escaped(text),
        other => escaped(&serde_json::to_string_pretty(other).unwrap_or_default()),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_stands_on_the_page_and_nothing_comes_from_elsewhere() {
        let page = page(&super::super::openapi::document());
        for line in super::super::routes::TABLE {
            assert!(page.contains(&escaped(line.path)), "{}", line.path);
        }
        assert!(!page.contains("<script"));
        assert!(!page.contains("src="));
        // Examples name addresses; nothing of the page is fetched from one.
        assert!(!page.contains("=\"http") && !page.contains("='http") && !page.contains("=http"));
    }

    #[test]
    fn markup_in_the_description_is_text_on_the_page() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
