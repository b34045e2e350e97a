//! What reads foreign bytes, against bytes at random and right ones that were spoilt: nothing panics, and the
//! limits hold. The seeds are fixed, so every run tries the same. What goes over the wire is tried in `api`.

mod bodies;
mod dice;
mod lines;
mod parameters;

use daybook::access::Privacy;
use daybook::config::Settings;
use daybook::domain::{NewEntry, Rules, limits};
use dice::{Dice, mutated};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is tried, and how often.
const SEEDS: [u64; 3] = [1, 0x00da_7b00, 0xffff_0000_ffff];
const ROUNDS: usize = 4_000;

pub fn rules() -> Rules {
    Settings::default().activity.rules(Privacy::default())
}

/// Most of what is tried was right before it was spoilt; the rest never was.
pub fn bytes(dice: &mut Dice, right: &[&[u8]]) -> Vec<u8> {
    match dice.roll(8) {
        0 => (0..dice.roll(300)).map(|_| dice.roll(256) as u8).collect(),
        _ => {
            let one = dice.pick(right);
            mutated(dice, one, 4)
        }
    }
}

/// Hands `target` as many bytes as there are rounds, and tells the first that it does not survive. What it gives
/// back says whether it took them: a target that takes all, or none, proves nothing.
pub fn survives(
    right: &[&[u8]],
    mut target: impl FnMut(&mut Dice, &[u8]) -> bool,
) -> Result<(), String> {
    let (mut taken, mut refused) = (0, 0);
    for seed in SEEDS {
        let mut dice = Dice(seed);
        for round in 0..ROUNDS {
            let tried = bytes(&mut dice, right);
            let outcome = catch_unwind(AssertUnwindSafe(|| target(&mut dice, &tried)));
            match outcome {
                Ok(true) => taken += 1,
                Ok(false) => refused += 1,
                Err(_) => {
                    let tried = String::from_utf8_lossy(&tried);
                    return Err(format!("seed {seed}, round {round}: {tried}"));
                }
            }
        }
    }
    if taken < ROUNDS / 10 || refused < ROUNDS / 10 {
        return Err(format!("{taken} taken and {refused} refused prove nothing"));
    }
    Ok(())
}

/// What was checked keeps within every limit of an entry.
pub fn is_within_limits(entry: &NewEntry) {
    let chars = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
    for (length, most) in [
        (chars(Some(entry.message())), limits::MESSAGE_CHARS),
        (chars(Some(entry.actor())), limits::ACTOR_CHARS),
        (chars(Some(entry.action().as_str())), limits::ACTION_CHARS),
        (chars(entry.entity_type()), limits::ENTITY_TYPE_CHARS),
        (chars(entry.entity_id()), limits::ENTITY_ID_CHARS),
        (chars(entry.entity_name()), limits::ENTITY_NAME_CHARS),
        (chars(entry.user_agent()), limits::USER_AGENT_CHARS),
        (entry.metadata().as_str().len(), limits::METADATA_BYTES),
    ] {
        assert!(length <= most, "{length} of {most}");
    }
}

#[test]
fn a_target_that_panics_or_proves_nothing_is_found() {
    let right: &[&[u8]] = &[b"abc"];
    let panics = survives(right, |_, tried| {
        assert!(!tried.contains(&0xff), "as a parser with a mistake would");
        tried.len() % 2 == 0
    });
    assert!(panics.unwrap_err().starts_with("seed"));
    assert!(survives(right, |_, _| true).is_err());
    assert!(survives(right, |_, _| false).is_err());
    assert!(survives(right, |_, tried| tried.len() % 2 == 0).is_ok());
}
