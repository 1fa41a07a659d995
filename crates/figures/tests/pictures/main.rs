//! Pictures read back from their SVG, against the oracle.

mod boards;
mod drawn;
mod excerpts;
mod layout;
mod runs;
mod snapshots;
mod windows;
