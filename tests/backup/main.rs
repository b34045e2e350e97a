//! Copies of the whole book, and books that take the place of others: the laws, on real files, with the real
//! program.

mod copies;
mod crashes;
mod following;
mod harness;
mod imports;
mod own;
mod restores;
mod served;
