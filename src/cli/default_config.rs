//! `daybook default-config`: prints the configuration that is shipped.

use super::{Exit, output};
use crate::config::SHIPPED;

pub fn run() -> Exit {
    output::print(SHIPPED)
}
