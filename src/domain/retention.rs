//! What a retention rule is and what it may say. When it runs, and on which clock, is the Pruner's.

use super::FieldError;

pub const MAX_DAYS: std::ops::RangeInclusive<u32> = 1..=36_500;
pub const MAX_ENTRIES: std::ops::RangeInclusive<u64> = 100..=1_000_000_000;

/// How long and how many; 0 means no limit in that dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub max_days: u32,
    pub max_entries: u64,
}

impl Rule {
    pub fn check(self) -> Result<Self, FieldError> {
        if self.max_days != 0 && !MAX_DAYS.contains(&self.max_days) {
            return Err(FieldError::new(
                "max_days",
                "must be 0 (no limit) or 1 to 36500",
            ));
        }
        if self.max_entries != 0 && !MAX_ENTRIES.contains(&self.max_entries) {
            return Err(FieldError::new(
                "max_entries",
                "must be 0 (no limit) or 100 to 1000000000",
            ));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_outside_its_bounds_names_the_field() {
        let rule = |max_days, max_entries| {
            Rule {
                max_days,
                max_entries,
            }
            .check()
            .map_err(|e| e.field)
        };
        assert!(rule(0, 0).is_ok());
        assert!(rule(1, 100).is_ok());
        assert!(rule(36_500, 1_000_000_000).is_ok());
        assert_eq!(rule(36_501, 0).unwrap_err(), "max_days");
        assert_eq!(rule(0, 99).unwrap_err(), "max_entries");
        assert_eq!(rule(0, 1_000_000_001).unwrap_err(), "max_entries");
    }
}
