//! The principal behind a request, and what it may say of an entry's origin.

use super::Privacy;
use crate::domain::{Draft, FieldErrors, WorkspaceId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    label: String,
    reach: Reach,
    /// It may name another actor, address and user agent than its own.
    speaks_for_others: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    All,
    One(WorkspaceId),
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
        Self {
            label: "anonymous".into(),
            reach: Reach::All,
            speaks_for_others: true,
        }
    }

    /// A key that belongs to one workspace.
    pub fn of_workspace(label: impl Into<String>, workspace: WorkspaceId) -> Self {
        Self {
            label: label.into(),
            reach: Reach::One(workspace),
            speaks_for_others: false,
        }
    }

    /// Somebody that the program around the book knows and answers for.
    pub fn vouched_for(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::anonymous()
        }
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Fills in who it was and where from, and refuses what this principal may not set.
    pub fn attribute(
        &self,
        draft: &mut Draft,
        origin: &Origin,
        privacy: &Privacy,
    ) -> Result<(), NotAllowed> {
        if !self.speaks_for_others {
            let set = [
                (
                    "actor",
                    draft
                        .actor
                        .as_deref()
                        .is_some_and(|actor| actor != self.label),
                ),
                ("ip_address", draft.ip_address.is_some()),
                ("user_agent", draft.user_agent.is_some()),
            ];
            if let Some((field, _)) = set.into_iter().find(|(_, set)| *set) {
                let reason = "may be set only by a key that may speak for others";
                return Err(NotAllowed(FieldErrors::one(field, reason)));
            }
        }
        match (&self.reach, &draft.workspace_id) {
            (Reach::One(own), Some(named)) if named != own.as_str() => {
                let reason = "this key belongs to another workspace";
                return Err(NotAllowed(FieldErrors::one("workspace_id", reason)));
            }
            (Reach::One(own), _) => draft.workspace_id = Some(own.to_string()),
            (Reach::All, _) => {}
        }
        draft.actor.get_or_insert_with(|| self.label.clone());
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
