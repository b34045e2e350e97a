//! The page in the browser: its files, embedded in the program. They are what the browser runs and what one
//! edits; nothing is built. How they travel is `http`'s.

use rust_embed::RustEmbed;
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "src/dashboard/assets"]
#[include = "*.html"]
#[include = "*.css"]
#[include = "*.js"]
#[include = "*.svg"]
struct Files;

/// The one page; what it shows is said by the address.
pub const PAGE: &str = "index.html";

/// Only what came with the program runs, nothing is loaded from elsewhere, and no text becomes markup but by
/// the templates.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types lit-html";

pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub content_type: &'static str,
    /// Another one for other bytes.
    pub tag: String,
}

pub fn asset(name: &str) -> Option<Asset> {
    let file = Files::get(name)?;
    let hash = file.metadata.sha256_hash();
    let tag = hash[..12].iter().map(|byte| format!("{byte:02x}"));
    Some(Asset {
        tag: tag.collect(),
        bytes: file.data,
        content_type: content_type(name),
    })
}

/// Of every file there is.
pub fn names() -> impl Iterator<Item = Cow<'static, str>> {
    Files::iter()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
