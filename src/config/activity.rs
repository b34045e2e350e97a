//! `[activity]`: what may be recorded, and what the daemon records of its own accord.

use crate::access::Privacy;
use crate::domain::Rules;
use crate::domain::rules::{CATEGORIES, is_category_name};
use serde::{Deserialize, Deserializer, Serialize, de};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Activity {
    #[serde(deserialize_with = "extra_categories")]
    pub extra_categories: Vec<String>,
    pub record_requests: RecordRequests,
}

/// Which API calls leave an entry of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordRequests {
    #[default]
    Changes,
    All,
    None,
}

impl Activity {
    /// What every draft is checked against.
    pub fn rules(&self, privacy: Privacy) -> Rules {
        Rules {
            extra_categories: self.extra_categories.clone(),
            redact: Box::new(privacy),
        }
    }
}

fn extra_categories<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    for (i, name) in names.iter().enumerate() {
        checked_category(name, &names[..i]).map_err(de::Error::custom)?;
    }
    Ok(names)
}

fn checked_category(name: &str, before: &[String]) -> Result<(), String> {
    if !is_category_name(name) {
        Err(format!(
            "{name:?} is not a category: 1 to 64 characters of a-z 0-9 _ -"
        ))
    } else if CATEGORIES.contains(&name) {
        Err(format!("{name:?} is a category already"))
    } else if before.iter().any(|other| other == name) {
        Err(format!("{name:?} stands here twice"))
    } else {
        Ok(())
    }
}
