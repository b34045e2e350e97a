//! `[privacy]`: how much of who and where from is kept, and which values never are.

use crate::access::privacy::{AddressKept, DEFAULT_REDACT_KEYS};
use crate::access::{Emails as Kept, HashKey, Privacy as Policy};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    pub ip_addresses: IpAddresses,
    pub user_agents: UserAgents,
    pub emails: Emails,
    /// The actor's id and nothing else that is personal.
    pub strict: bool,
    /// Metadata under a key that holds one of these is not stored.
    pub redact_keys: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpAddresses {
    #[default]
    Full,
    Truncated,
    None,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserAgents {
    #[default]
    Full,
    None,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Emails {
    #[default]
    Keep,
    Hash,
    Drop,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            ip_addresses: IpAddresses::default(),
            user_agents: UserAgents::default(),
            emails: Emails::default(),
            strict: false,
            redact_keys: DEFAULT_REDACT_KEYS.map(str::to_owned).to_vec(),
        }
    }
}

impl Privacy {
    /// Where there is no book that could have a key: what is to be hashed is dropped.
    pub fn policy(&self) -> Policy {
        self.policy_with(None)
    }

    /// `key` is the book's own, for `emails = "hash"`.
    pub fn policy_with(&self, key: Option<HashKey>) -> Policy {
        let address = match self.ip_addresses {
            IpAddresses::Full => AddressKept::Full,
            IpAddresses::Truncated => AddressKept::Network,
            IpAddresses::None => AddressKept::None,
        };
        let keep_agent = self.user_agents == UserAgents::Full;
        let emails = match (self.emails, key) {
            (Emails::Keep, _) => Kept::Keep,
            (Emails::Hash, Some(key)) => Kept::Hash(key),
            (Emails::Hash, None) | (Emails::Drop, _) => Kept::Drop,
        };
        let policy =
            Policy::new(self.redact_keys.iter().cloned(), address, keep_agent).with_emails(emails);
        match self.strict {
            true => policy.strict(),
            false => policy,
        }
    }
}
