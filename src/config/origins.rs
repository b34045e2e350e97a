//! Where each value came from, for those who show it and for those who decide whether it may be changed.

use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Source {
    #[default]
    Default,
    File,
    /// The variable.
    Environment(String),
    /// The flag.
    Flag(String),
}

impl Source {
    /// A variable or a flag holds as long as the process: no file and no dashboard changes it.
    pub fn is_pinned(&self) -> bool {
        matches!(self, Self::Environment(_) | Self::Flag(_))
    }
}

/// As the retention settings name it on the wire; what nobody set counts as the file's.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default | Self::File => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
        })
    }
}

/// By `section.key`; what is not in it is at its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Source>);

impl Origins {
    pub(super) fn set(&mut self, key: impl Into<String>, source: Source) {
        self.0.insert(key.into(), source);
    }

    pub fn source_of(&self, key: &str) -> &Source {
        static NOBODY: Source = Source::Default;
        self.0.get(key).unwrap_or(&NOBODY)
    }
}
