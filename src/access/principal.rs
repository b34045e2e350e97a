//! The principal behind a request, and what it may say of an entry's origin.

use super::Privacy;
use crate::domain::{Draft, FieldErrors, Key, Rights, SecretHash, WorkspaceId};
use std::sync::{Arc, LazyLock};

pub use crate::domain::Reach;

/// Cheap to clone: a request has one, and so has everything that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal(Arc<Who>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Who {
    label: String,
    reach: Reach,
    rights: Rights,
    /// It may name another actor, address and user agent than its own.
    speaks_for_others: bool,
    by: Credential,
}

/// What somebody was let in by. Another kind is another line here and another way to make a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Credential {
    /// Nothing: there is no key.
    None,
    /// The daemon's own user, or root, by the control socket; or the program around the book.
    Machine,
    Key {
        id: String,
        secret: SecretHash,
    },
    /// A cookie, for which somebody showed that key.
    SignIn {
        token: SecretHash,
        id: String,
        secret: SecretHash,
    },
    /// A proxy that is trusted says who it is.
    Proxy,
    /// None that is in force.
    Unknown,
}

/// Where a request came from, as its connection and headers say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

/// A field that this principal may not set.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAllowed(pub FieldErrors);

impl Principal {
    /// Everybody, while the book has no key and listens on loopback only.
    pub fn anonymous() -> Self {
        static ANONYMOUS: LazyLock<Principal> =
            LazyLock::new(|| Principal::unlimited("anonymous", Credential::None));
        ANONYMOUS.clone()
    }

    /// Who commands this machine, as the control socket shows.
    pub fn operator() -> Self {
        static OPERATOR: LazyLock<Principal> =
            LazyLock::new(|| Principal::unlimited("operator", Credential::Machine));
        OPERATOR.clone()
    }

    /// Somebody that the program around the book knows and answers for.
    pub fn vouched_for(label: impl Into<String>) -> Self {
        Self::unlimited(label, Credential::Machine)
    }

    fn unlimited(label: impl Into<String>, by: Credential) -> Self {
        Self(Arc::new(Who {
            label: label.into(),
            reach: Reach::All,
            rights: Rights::ALL,
            speaks_for_others: true,
            by,
        }))
    }

    /// The holder of a key, by this one of its secrets. Only a keyring lets one in.
    pub(super) fn of_key(key: &Key, secret: SecretHash) -> Self {
        Self(Arc::new(Who {
            label: key.label.to_string(),
            reach: key.reach.clone(),
            rights: key.rights,
            speaks_for_others: key.speaks_for_others,
            by: Credential::Key {
                id: key.id.clone(),
                secret,
            },
        }))
    }

    /// The same holder, by a sign-in with that key.
    pub(super) fn signed_in(&self, token: SecretHash) -> Self {
        let mut who = Who::clone(&self.0);
        if let Credential::Key { id, secret } = who.by {
            who.by = Credential::SignIn { token, id, secret };
        }
        Self(Arc::new(who))
    }

    /// Whom a trusted proxy names, with what the owner allows such people.
    pub fn named_by_proxy(label: impl Into<String>, reach: Reach, rights: Rights) -> Self {
        Self(Arc::new(Who {
            label: label.into(),
            reach,
            rights,
            speaks_for_others: false,
            by: Credential::Proxy,
        }))
    }

    /// Who is not let in: called as strangers are, and without any right.
    pub fn unknown() -> Self {
        static UNKNOWN: LazyLock<Principal> = LazyLock::new(|| {
            Principal(Arc::new(Who {
                label: "anonymous".into(),
                reach: Reach::One(WorkspaceId::default_workspace()),
                rights: Rights::default(),
                speaks_for_others: false,
                by: Credential::Unknown,
            }))
        });
        UNKNOWN.clone()
    }

    /// Somebody of one workspace, with every right there.
    pub fn of_workspace(label: impl Into<String>, workspace: WorkspaceId) -> Self {
        Self(Arc::new(Who {
            label: label.into(),
            reach: Reach::One(workspace),
            rights: Rights::ALL,
            speaks_for_others: false,
            by: Credential::Machine,
        }))
    }

    pub fn label(&self) -> &str {
        &self.0.label
    }

    pub fn reach(&self) -> &Reach {
        &self.0.reach
    }

    pub fn rights(&self) -> Rights {
        self.0.rights
    }

    pub fn may_speak_for_others(&self) -> bool {
        self.0.speaks_for_others
    }

    /// Who may do what concerns the daemon and not one workspace.
    pub fn is_operator(&self) -> bool {
        self.0.reach == Reach::All && self.0.rights.admin
    }

    pub fn is_anonymous(&self) -> bool {
        self.0.by == Credential::None
    }

    /// Somebody in particular, who came by the network and was let in.
    pub fn is_named(&self) -> bool {
        use Credential as C;
        matches!(self.0.by, C::Key { .. } | C::SignIn { .. } | C::Proxy)
    }

    pub fn is_unknown(&self) -> bool {
        self.0.by == Credential::Unknown
    }

    /// The id of its key, and the hash of the secret that it showed.
    pub fn key(&self) -> Option<(&str, &SecretHash)> {
        match &self.0.by {
            Credential::Key { id, secret } | Credential::SignIn { id, secret, .. } => {
                Some((id, secret))
            }
            _ => None,
        }
    }

    /// By which its sign-in is found.
    pub fn sign_in(&self) -> Option<&SecretHash> {
        match &self.0.by {
            Credential::SignIn { token, .. } => Some(token),
            _ => None,
        }
    }

    /// What it was let in by, in one word.
    pub fn kind(&self) -> &'static str {
        match &self.0.by {
            Credential::None | Credential::Unknown => "anonymous",
            Credential::Machine => "machine",
            Credential::Key { .. } => "key",
            Credential::SignIn { .. } => "session",
            Credential::Proxy => "proxy",
        }
    }

    /// Fills in who it was and where from, and refuses what this principal may not set.
    pub fn attribute(
        &self,
        draft: &mut Draft,
        origin: &Origin,
        privacy: &Privacy,
    ) -> Result<(), NotAllowed> {
        if !self.0.speaks_for_others {
            let set = [
                (
                    "actor",
                    draft
                        .actor
                        .as_deref()
                        .is_some_and(|actor| actor != self.0.label),
                ),
                ("ip_address", draft.ip_address.is_some()),
                ("user_agent", draft.user_agent.is_some()),
            ];
            if let Some((field, _)) = set.into_iter().find(|(_, set)| *set) {
                let reason = "may be set only by a key that may speak for others";
                return Err(NotAllowed(FieldErrors::one(field, reason)));
            }
        }
        match (&self.0.reach, &draft.workspace_id) {
            (Reach::One(own), Some(named)) if named != own.as_str() => {
                let reason = "this key belongs to another workspace";
                return Err(NotAllowed(FieldErrors::one("workspace_id", reason)));
            }
            (Reach::One(own), _) => draft.workspace_id = Some(own.to_string()),
            (Reach::All, _) => {}
        }
        draft.actor.get_or_insert_with(|| self.0.label.clone());
        let said_for_another = draft.ip_address.is_some() || draft.user_agent.is_some();
        if !said_for_another {
            draft.ip_address.clone_from(&origin.ip_address);
            draft.user_agent.clone_from(&origin.user_agent);
        }
        draft.ip_address = draft
            .ip_address
            .take()
            .and_then(|ip| privacy.ip_address(ip));
        draft.user_agent = draft
            .user_agent
            .take()
            .and_then(|agent| privacy.user_agent(agent));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributed(principal: &Principal, mut draft: Draft) -> Result<Draft, String> {
        let origin = Origin {
            ip_address: Some("10.0.0.9".into()),
            user_agent: Some("curl/8".into()),
        };
        principal
            .attribute(&mut draft, &origin, &Privacy::default())
            .map(|()| draft)
            .map_err(|e| e.0.as_slice()[0].field.to_string())
    }

    #[test]
    fn an_entry_gets_its_principal_and_origin() {
        let draft = attributed(&Principal::anonymous(), Draft::default()).unwrap();
        assert_eq!(draft.actor.as_deref(), Some("anonymous"));
        assert_eq!(draft.ip_address.as_deref(), Some("10.0.0.9"));
        assert_eq!(draft.user_agent.as_deref(), Some("curl/8"));
    }

    #[test]
    fn who_may_speak_for_others_names_them_and_its_own_origin_stays_out() {
        let draft = Draft {
            actor: Some("bob".into()),
            ip_address: Some("192.0.2.1".into()),
            ..Draft::default()
        };
        let draft = attributed(&Principal::anonymous(), draft).unwrap();
        assert_eq!(draft.actor.as_deref(), Some("bob"));
        assert_eq!(draft.ip_address.as_deref(), Some("192.0.2.1"));
        assert_eq!(draft.user_agent, None);
    }

    #[test]
    fn who_may_not_speak_for_others_is_told_which_field() {
        let key = Principal::of_workspace("ci", WorkspaceId::trusted("a"));
        let draft = |field: &str| {
            let mut draft = Draft::default();
            let slot = match field {
                "actor" => &mut draft.actor,
                "ip_address" => &mut draft.ip_address,
                "user_agent" => &mut draft.user_agent,
                _ => &mut draft.workspace_id,
            };
            *slot = Some("other".into());
            draft
        };
        for field in ["actor", "ip_address", "user_agent", "workspace_id"] {
            assert_eq!(attributed(&key, draft(field)).unwrap_err(), field);
        }
        let own = attributed(&key, Draft::default()).unwrap();
        assert_eq!(own.actor.as_deref(), Some("ci"));
        assert_eq!(own.workspace_id.as_deref(), Some("a"));
    }
}
