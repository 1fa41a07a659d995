//! Pictures read back from their SVG, against the oracle.

mod boards;
mod drawn;
mod runs;
mod snapshots;
mod windows;
