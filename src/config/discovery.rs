//! `[discovery]`: what is said to, and heard from, the local network by mDNS.

use serde::{Deserialize, Deserializer, Serialize, de};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Discovery {
    pub enabled: bool,
    /// The daemon makes itself known.
    pub announce: bool,
    /// The service types that are looked for.
    #[serde(deserialize_with = "service_types")]
    pub browse: Vec<String>,
}

const HOME_AND_LAB: [&str; 10] = [
    "_wled._tcp",
    "_esphomelib._tcp",
    "_shelly._tcp",
    "_hap._tcp",
    "_home-assistant._tcp",
    "_ipp._tcp",
    "_printer._tcp",
    "_googlecast._tcp",
    "_ssh._tcp",
    "_http._tcp",
];

impl Default for Discovery {
    fn default() -> Self {
        Self {
            enabled: false,
            announce: true,
            browse: HOME_AND_LAB.map(str::to_owned).to_vec(),
        }
    }
}

fn service_types<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let types = Vec::<String>::deserialize(deserializer)?;
    match types.iter().find(|text| !is_service_type(text)) {
        Some(wrong) => Err(de::Error::custom(format!(
            "{wrong:?} is not a service type such as \"_http._tcp\""
        ))),
        None => Ok(types),
    }
}

/// RFC 6763: `_name._tcp` or `_name._udp`, the name 1 to 15 letters, digits and hyphens.
fn is_service_type(text: &str) -> bool {
    let Some((name, "_tcp" | "_udp")) = text.split_once('.') else {
        return false;
    };
    let Some(name) = name.strip_prefix('_') else {
        return false;
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=15).contains(&name.len()) && name.bytes().all(allowed)
}
