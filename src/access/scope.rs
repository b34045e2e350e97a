//! The scope: which workspaces a query may touch. Every query takes one as an argument, and only this
//! file makes them, so that forgetting to ask who is asking does not compile.

use super::principal::{Principal, Reach};
use crate::domain::draft::workspace_id;
use crate::domain::{FieldErrors, WorkspaceId};

/// ```
/// # use daybook::{access::Scope, domain::Filter, storage::{EntryReader, Stretch}};
/// fn count(reader: &dyn EntryReader, scope: &Scope) {
///     let _ = reader.count(scope, &Filter::default(), None, 1, Stretch::default());
/// }
/// ```
///
/// The bare name of a workspace is none:
///
/// ```compile_fail,E0308
/// # use daybook::{access::Scope, domain::Filter, storage::{EntryReader, Stretch}};
/// fn count(reader: &dyn EntryReader, workspace: &str) {
///     let _ = reader.count(workspace, &Filter::default(), None, 1, Stretch::default());
/// }
/// ```
/// Nor is its checked form:
///
/// ```compile_fail,E0308
/// # use daybook::{domain::{Filter, WorkspaceId}, storage::{EntryReader, Stretch}};
/// fn count(reader: &dyn EntryReader, workspace: &WorkspaceId) {
///     let _ = reader.count(workspace, &Filter::default(), None, 1, Stretch::default());
/// }
/// ```
///
/// One is asked for with a principal, as here, and made nowhere else:
///
/// ```
/// use daybook::access::{Principal, Scope};
/// use daybook::domain::WorkspaceId;
///
/// let tenant = Principal::of_workspace("ci", WorkspaceId::default_workspace());
/// assert!(Scope::of(&tenant, None).is_ok());
/// assert!(Scope::of(&tenant, Some("another")).is_err());
/// ```
///
/// ```compile_fail,E0423
/// use daybook::access::Scope;
///
/// // Whatever it is made of.
/// let made = Scope(todo!());
/// ```
///
/// ```compile_fail,E0599
/// use daybook::access::Scope;
///
/// let made = Scope::default();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(Inner);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Inner {
    All,
    One(WorkspaceId),
}

/// Why there is no scope for what was asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{0}")]
    Wrong(FieldErrors),
    #[error("this key belongs to another workspace")]
    Foreign,
}

/// What a request asked for with `workspace_id`.
pub type Asked<'a> = Option<&'a str>;

impl Scope {
    /// What `principal` may see of what it asked for: its own workspace, or, when it may see all, the
    /// named one, `*`, or `default`.
    pub fn of(principal: &Principal, asked: Asked<'_>) -> Result<Self, Refused> {
        let named = match asked {
            None => None,
            Some("*") => Some(Inner::All),
            Some(name) => {
                let id = workspace_id(name.to_owned()).map_err(|e| Refused::Wrong(e.into()))?;
                Some(Inner::One(id))
            }
        };
        match (principal.reach(), named) {
            (Reach::All, None) => Ok(Self(Inner::One(WorkspaceId::default_workspace()))),
            (Reach::All, Some(inner)) => Ok(Self(inner)),
            (Reach::One(own), None) => Ok(Self(Inner::One(own.clone()))),
            (Reach::One(own), Some(inner)) if inner == Inner::One(own.clone()) => Ok(Self(inner)),
            (Reach::One(_), Some(_)) => Err(Refused::Foreign),
        }
    }

    /// All that `principal` may see.
    pub fn widest(principal: &Principal) -> Self {
        match principal.reach() {
            Reach::All => Self(Inner::All),
            Reach::One(own) => Self(Inner::One(own.clone())),
        }
    }

    /// The whole book, for the daemon's own work (checks, its own commands on the machine).
    pub fn for_the_daemon() -> Self {
        Self(Inner::All)
    }

    /// One of the workspaces that it covers.
    pub fn narrowed_to(&self, workspace: &WorkspaceId) -> Option<Self> {
        let covers = self.covers(workspace);
        covers.then(|| Self(Inner::One(workspace.clone())))
    }

    /// `None` for all workspaces.
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        match &self.0 {
            Inner::All => None,
            Inner::One(id) => Some(id),
        }
    }

    /// The live stream's question; storage asks the same by `workspace`.
    pub fn covers(&self, workspace: &WorkspaceId) -> bool {
        self.workspace().is_none_or(|own| own == workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(principal: &Principal, asked: Asked<'_>) -> Result<Option<String>, Refused> {
        Scope::of(principal, asked).map(|s| s.workspace().map(|w| w.to_string()))
    }

    #[test]
    fn an_operator_sees_default_unless_it_asks() {
        let operator = Principal::anonymous();
        assert_eq!(of(&operator, None).unwrap().as_deref(), Some("default"));
        assert_eq!(of(&operator, Some("a")).unwrap().as_deref(), Some("a"));
        assert_eq!(of(&operator, Some("*")).unwrap(), None);
        assert!(matches!(of(&operator, Some("a b")), Err(Refused::Wrong(_))));
    }

    #[test]
    fn a_scope_is_narrowed_and_never_widened() {
        let all = Scope::for_the_daemon();
        let (a, b) = (WorkspaceId::trusted("a"), WorkspaceId::trusted("b"));
        let one = all.narrowed_to(&a).unwrap();
        assert_eq!(one.workspace(), Some(&a));
        assert_eq!(one.narrowed_to(&a), Some(one.clone()));
        assert_eq!(one.narrowed_to(&b), None);
    }

    #[test]
    fn a_key_of_one_workspace_sees_that_one_alone() {
        let own = Principal::of_workspace("ci", WorkspaceId::trusted("a"));
        assert_eq!(of(&own, None).unwrap().as_deref(), Some("a"));
        assert_eq!(of(&own, Some("a")).unwrap().as_deref(), Some("a"));
        assert_eq!(of(&own, Some("b")), Err(Refused::Foreign));
        assert_eq!(of(&own, Some("*")), Err(Refused::Foreign));
    }
}
