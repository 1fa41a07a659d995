//! What every kernel needs besides its operands.

use crate::{Isa, Team};

/// Who does the work, and with which instructions.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The threads.
    pub team: &'a Team,
    /// The instructions; at most what the processor has.
    pub isa: Isa,
}
