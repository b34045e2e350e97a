//! Defaults, then the file, then the environment, then flags; what does not go together is an error at the end.

use super::document::Document;
use super::overrides::{self, Override};
use super::{ConfigError, Origins, Settings, Source, StorageUrl, contradictions, unbuilt};
use crate::domain::FieldErrors;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where a file is looked for when none is named.
pub const SEARCH_PATH: [&str; 2] = ["./daybook.toml", "/etc/daybook/daybook.toml"];

/// Everything that loading depends on.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The file that was named; it must be there.
    pub file: Option<PathBuf>,
    /// Where a file may be, when none was named.
    pub search: Vec<PathBuf>,
    /// All variables of the process.
    pub environment: Vec<(String, String)>,
    pub flags: Vec<Override>,
}

#[derive(Debug, Clone)]
pub struct Loaded {
    pub settings: Settings,
    pub origins: Origins,
    /// The file that was read; none when there is none.
    pub file: Option<PathBuf>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<String>,
}

impl Loaded {
    /// No override from the dashboard can change this key of `[retention]`.
    pub fn is_locked(&self, key: &str) -> bool {
        self.settings.retention.locked || self.origins.source_of(key).is_pinned()
    }
}

/// The configuration of a daemon that runs, to be read again.
pub struct Again(Inputs);

impl Again {
    pub fn after(inputs: &Inputs, loaded: &Loaded) -> Self {
        let mut again = Self(inputs.clone());
        again.settle(loaded);
        again
    }

    pub fn load(&mut self) -> Result<Loaded, ConfigError> {
        let loaded = load(&self.0)?;
        self.settle(&loaded);
        Ok(loaded)
    }

    /// A file that was read is the one that counts from then on: when it is gone that is an error, and neither
    /// another file nor the defaults take its place. Where there was none, one that has come is taken.
    fn settle(&mut self, loaded: &Loaded) {
        if self.0.file.is_none() {
            self.0.file.clone_from(&loaded.file);
        }
    }
}

pub fn load(inputs: &Inputs) -> Result<Loaded, ConfigError> {
    let document = document(inputs)?;
    let mut over = overrides::from_environment(&inputs.environment)?;
    over.extend(inputs.flags.iter().cloned());

    let mut origins = Origins::default();
    let mut table = toml::Table::new();
    if let Some(document) = &document {
        table.clone_from(&document.table);
        document
            .keys()
            .for_each(|key| origins.set(key, Source::File));
    }
    for one in &over {
        overrides::put(&mut table, one.key(), one.value()?);
        origins.set(one.key(), one.source().clone());
    }
    let mut settings: Settings = table.try_into().map_err(|error| ConfigError::Setting {
        key: "configuration".into(),
        reason: error.message().to_owned(),
    })?;
    if let Some(url) = state_url(inputs, &origins) {
        settings.storage.url = url;
    }

    let (refused, idle) = unbuilt::set_in(&settings);
    let refused = refused.into_iter();
    let refused = refused.map(|(key, reason)| (key, reason.to_owned()));
    let problem = contradictions::first_in(&settings, &origins);
    if let Some((key, reason)) = problem.into_iter().chain(refused).next() {
        return Err(located(&key, &reason, document.as_ref(), &over));
    }
    resolve_automations(&mut settings, document.as_ref(), inputs)?;
    Ok(Loaded {
        warnings: warnings(&settings, &idle),
        settings,
        origins,
        file: document.map(|document| document.path),
    })
}

/// What automations name outside the file is read, and each is judged as a whole.
fn resolve_automations(
    settings: &mut Settings,
    document: Option<&Document>,
    inputs: &Inputs,
) -> Result<(), ConfigError> {
    let rules = settings.activity.rules(settings.privacy.policy_with(None));
    let file = document.map(|document| document.path.display().to_string());
    for (place, declared) in settings.automations.iter_mut().enumerate() {
        let resolved = declared.resolve(file.clone(), &inputs.environment);
        let read = resolved
            .map_err(FieldErrors::from)
            .and_then(|()| declared.rule(&rules).map(drop));
        let Err(errors) = read else {
            continue;
        };
        let name = declared.name().to_owned();
        let wrong = errors.into_vec().into_iter().next();
        let (field, reason) = wrong.map_or_else(Default::default, |e| (e.field, e.reason));
        let reason = format!("automations.{name}.{field}: {reason}");
        let at = document.and_then(|held| held.error_within("automations", place, &field, &reason));
        return Err(at.unwrap_or_else(|| ConfigError::Setting {
            key: "automations".into(),
            reason,
        }));
    }
    Ok(())
}

fn document(inputs: &Inputs) -> Result<Option<Document>, ConfigError> {
    if let Some(file) = &inputs.file {
        return Document::read(file).map(Some);
    }
    for path in &inputs.search {
        match Document::read(path) {
            Err(ConfigError::Unreadable { error, .. }) if error.kind() == ErrorKind::NotFound => {}
            read => return read.map(Some),
        }
    }
    Ok(None)
}

/// Under systemd the book is in the directory of the service's state, unless somebody said where.
fn state_url(inputs: &Inputs, origins: &Origins) -> Option<StorageUrl> {
    if *origins.source_of("storage.url") != Source::Default {
        return None;
    }
    let variable = |(name, _): &&(String, String)| name == "STATE_DIRECTORY";
    let (_, directories) = inputs.environment.iter().find(variable)?;
    // There may be several, and the first is the one that is ours.
    let first = Path::new(directories.split(':').next()?);
    first
        .is_absolute()
        .then(|| StorageUrl::in_state_directory(first))
}

/// The error at the place where `key` was set last.
fn located(key: &str, reason: &str, document: Option<&Document>, over: &[Override]) -> ConfigError {
    let from_outside = over.iter().rev().find(|one| one.key() == key);
    if let Some(one) = from_outside {
        return one.error(reason);
    }
    document
        .and_then(|document| document.error_at(key, reason))
        .unwrap_or_else(|| ConfigError::Setting {
            key: key.to_owned(),
            reason: reason.to_owned(),
        })
}

fn warnings(settings: &Settings, idle: &[String]) -> Vec<String> {
    let server = &settings.server;
    let mut warnings = Vec::new();
    if !server.listen.is_loopback_only() && server.tls().is_none() {
        warnings.push(format!(
            "server.listen: {} can be reached from other machines, and without TLS keys and entries \
             travel in the clear; put a proxy with TLS in front, or listen on 127.0.0.1",
            server.listen
        ));
    }
    let no_effect = |key: &String| format!("{key}: {}; it has no effect", unbuilt::REASON);
    warnings.extend(idle.iter().map(no_effect));
    warnings
}
