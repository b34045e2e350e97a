//! The flags of a filter: `export` and `tail` take what the query parameters say.

/// Named as the query parameters; what they may say is checked where those are.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// auth, device, entity, capture, system or one of your own; several with commas
    #[arg(long, value_name = "NAME")]
    pub category: Vec<String>,
    /// info, warning or error; several with commas
    #[arg(long, value_name = "NAME")]
    pub severity: Vec<String>,
    /// None of these, in the same way
    #[arg(long, alias = "not_category", value_name = "NAME")]
    pub not_category: Vec<String>,
    /// None of these, in the same way
    #[arg(long, alias = "not_severity", value_name = "NAME")]
    pub not_severity: Vec<String>,
    /// Not by this one; may be repeated
    #[arg(long, alias = "not_actor", value_name = "NAME")]
    pub not_actor: Vec<String>,
    /// Not this, or what begins so: 'task.*'; may be repeated
    #[arg(long, alias = "not_action", value_name = "NAME")]
    pub not_action: Vec<String>,
    /// Not done to things of this type; may be repeated
    #[arg(long, alias = "not_entity_type", value_name = "TYPE")]
    pub not_entity_type: Vec<String>,
    /// Not done to this one; may be repeated
    #[arg(long, alias = "not_entity_id", value_name = "ID")]
    pub not_entity_id: Vec<String>,
    /// Who did it
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// What was done, or how it begins: 'task.*'
    #[arg(long, value_name = "NAME")]
    pub action: Option<String>,
    /// The kind of thing it was done to
    #[arg(long, alias = "entity_type", value_name = "TYPE")]
    pub entity_type: Option<String>,
    /// The thing that it was done to
    #[arg(long, alias = "entity_id", value_name = "ID")]
    pub entity_id: Option<String>,
    /// From when on: 2026-01-31T08:00:00Z, or how long ago: 24h, 7d
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Until when
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Text that the message holds
    #[arg(long, value_name = "TEXT")]
    pub q: Option<String>,
}

impl Filters {
    /// As query parameters, for `domain::Filter::from_parameters`.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let several = [
            ("category", &self.category),
            ("severity", &self.severity),
            ("not_category", &self.not_category),
            ("not_severity", &self.not_severity),
            ("not_actor", &self.not_actor),
            ("not_action", &self.not_action),
            ("not_entity_type", &self.not_entity_type),
            ("not_entity_id", &self.not_entity_id),
        ];
        let single = [
            ("actor", &self.actor),
            ("action", &self.action),
            ("entity_type", &self.entity_type),
            ("entity_id", &self.entity_id),
            ("since", &self.since),
            ("until", &self.until),
            ("q", &self.q),
        ];
        let several = several
            .into_iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name, value.as_str())));
        let single = single
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)));
        several.chain(single)
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{Args, Command};
    use crate::domain::filter::PARAMETERS;
    use clap::Parser;

    #[test]
    fn every_parameter_of_a_filter_is_a_flag() {
        let mut line = vec!["daybook".to_owned(), "export".to_owned()];
        line.extend(PARAMETERS.iter().map(|name| format!("--{name}=x")));
        let Command::Export(export) = Args::try_parse_from(line).unwrap().command else {
            panic!("not an export")
        };
        let named: Vec<&str> = export.filters.parameters().map(|(name, _)| name).collect();
        assert_eq!(named, PARAMETERS);
    }
}
