//! Operators that only move elements: concatenation, slices, and between maps and vectors.

use graph::{Node, Op, RearrangeOp, ValueId};
use tensor::Layout;

use super::Lowering;
use crate::RuntimeError;
use crate::calls::MOST_OPERANDS;
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

    /// One copy an input, or one step for all where a shuffle follows.
    fn concat(&mut self, node: &Node) {
        if self.is_shuffled(node) {
            return self.interleave(node);
        }
        if self.grow(node) {
            return;
        }
        let total = self.map(node.outputs[0]).channels;
        let y = self.feature_result(node.outputs[0]);
        self.add_channels(node, 0, y, total);
    }

    /// Whether nothing but a shuffle between as many groups reads a concatenation of maps alike, channels last.
    fn is_shuffled(&self, node: &Node) -> bool {
        let (joined, parts) = (node.outputs[0], node.inputs.len());
        let Some(reader) = self.only_reader(joined) else {
            return false;
        };
        let alike = |&id: &ValueId| self.map(id).channels == self.map(node.inputs[0]).channels;
        self.options.layout == Layout::Nhwc
            && reader.op == Op::Rearrange(RearrangeOp::ChannelShuffle { groups: parts })
            && parts <= MOST_OPERANDS
            && node.inputs.iter().all(alike)
            && !self.reserved.contains_key(&reader.outputs[0])
    }

    /// The concatenation as it is after its shuffle.
    fn interleave(&mut self, node: &Node) {
        let count = self.map(node.inputs[0]).channels;
        let parts = node.inputs.iter().map(|&id| Channels {
            buffer: self.feature(id),
            total: count,
            first: 0,
        });
        let parts = parts.collect();
        let y = self.feature_result(node.outputs[0]);
        self.shuffled.insert(node.outputs[0]);
        self.push(Work::Interleave { count, parts, y });
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
