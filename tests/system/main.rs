//! Faults that only root can make: a disk that fails, a full one, a power cut, a clock that is set; networks of
//! namespaces; and programs that only root installs, rsyslog and journald. Run by `make test-system`. Each test looks
//! for what it needs and otherwise says that it was skipped.

#[path = "../faults/support/mod.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod support;

mod captures;
#[path = "../faults/child.rs"]
mod child;
mod clock;
mod devices;
mod full_disk;
mod io_errors;
mod machine;
mod network;
mod power_cut;
mod read_only;
mod strangers;
