//! Operators that only move elements: concatenation, slices, and between maps and vectors.

use graph::{Node, Op};
use tensor::Layout;

use super::Lowering;
use crate::RuntimeError;
use crate::step::{Channels, Work};

impl Lowering<'_> {
    pub(super) fn rearrange(&mut self, node: &Node) -> Result<(), RuntimeError> {
        match node.op {
            Op::Concat => self.concat(node),
            Op::ChannelSlice { start, .. } => self.channel_slice(node, start),
            // A vector holds its map channels first, so in that order nothing moves.
            Op::Flatten | Op::Unflatten { .. } => {
                let buffer = self.plain(node.inputs[0]);
                // From here on the copy, if it is one, is the vector's, which may be worked on in
                // place.
                self.reordered.remove(&(node.inputs[0], Layout::Nchw));
                self.place_at(node.outputs[0], buffer, Layout::Nchw);
            }
            _ => return Err(self.not_lowered()),
        }
        Ok(())
    }

    /// One copy an input.
    fn concat(&mut self, node: &Node) {
        let whole = self.map(node.outputs[0]);
        let inputs: Vec<_> = node
            .inputs
            .iter()
            .map(|&id| (self.map(id), self.feature(id)))
            .collect();
        let y = self.feature_result(node.outputs[0]);
        let mut first = 0;
        for (part, x) in inputs {
            self.push(Work::CopyChannels {
                map: part,
                from: Channels {
                    buffer: x,
                    total: part.channels,
                    first: 0,
                },
                to: Channels {
                    buffer: y,
                    total: whole.channels,
                    first,
                },
            });
            first += part.channels;
        }
    }

    fn channel_slice(&mut self, node: &Node, start: usize) {
        let whole = self.map(node.inputs[0]);
        let part = self.map(node.outputs[0]);
        let from = Channels {
            buffer: self.feature(node.inputs[0]),
            total: whole.channels,
            first: start,
        };
        let to = Channels {
            buffer: self.feature_result(node.outputs[0]),
            total: part.channels,
            first: 0,
        };
        self.push(Work::CopyChannels {
            map: part,
            from,
            to,
        });
    }
}
