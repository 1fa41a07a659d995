//! Pictures read back from their SVG, against the oracle.

mod drawn;
mod snapshots;
mod windows;
