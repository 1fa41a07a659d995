//! Pictures read back from their SVG, against the oracle.

mod boards;
mod drawn;
mod snapshots;
mod windows;
