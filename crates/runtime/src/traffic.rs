//! What a step brings from memory and back at least.

use crate::step::{BufferId, Work, over_dy};

impl Work {
    /// Bytes of the operands, each counted once for reading and once for writing. A map that is read
    /// twice, or of which a strided kernel leaves rows out, counts as one read; scratch does not count.
    /// `elements` says how long a buffer is; all elements have four bytes.
    pub(crate) fn bytes(&self, elements: impl Fn(BufferId) -> usize) -> usize {
        let scratch = self.scratch();
        let operands = self.operands();
        let of = |ids: &[BufferId]| -> usize {
            let counted = ids.iter().filter(|&&id| Some(id) != scratch);
            counted.map(|&id| elements(id)).sum()
        };
        let written = of(&operands.writes);
        let moved = match *self {
            // Worked on in place: read before it is written.
            Self::ActivationInPlace { .. } | Self::AddInPlace { .. } => {
                of(&operands.reads) + 2 * written
            }
            Self::NormBackward {
                dy, dx, dresidual, ..
            } if over_dy(dy, dx, dresidual) => of(&operands.reads) + written + elements(dy),
            // Parts of wider maps.
            Self::CopyChannels { map, .. } => 2 * map.len(),
            Self::Interleave { .. } => 2 * written,
            Self::NormInference { map, x, .. } => {
                of(&operands.reads) + written - elements(x) + map.len()
            }
            _ => of(&operands.reads) + written,
        };
        moved * size_of::<f32>()
    }

    /// The buffer that holds nothing before the step and nothing after it.
    fn scratch(&self) -> Option<BufferId> {
        match self {
            Self::ConvForward { scratch, .. }
            | Self::ConvChain { scratch, .. }
            | Self::ConvBackwardData { scratch, .. }
            | Self::ConvBackwardWeights { scratch, .. }
            | Self::ChannelSum { scratch, .. }
            | Self::NormTraining { scratch, .. }
            | Self::NormBackward { scratch, .. }
            | Self::CrossEntropy { scratch, .. }
            | Self::Call { scratch, .. } => Some(*scratch),
            Self::Deformable(work) => work.scratch(),
            _ => None,
        }
    }
}
