//! Concatenations that grow: each begins with the one before, as in a dense block.
//!
//! The last of such a chain has all channels, and the ones before are its first so many. So a chain
//! shares one buffer, into which each adds what is new; copying would go over everything that was there
//! again and again. What reads one of the earlier ones has to skip the channels still to come, and norms
//! can.

use graph::{Node, Op, ValueId};
use tensor::Layout;

use super::Lowering;
use crate::step::{BufferId, Channels, Work};

impl Lowering<'_> {
    /// Channels of the map in memory that a value is, or the first so many of.
    pub(super) fn channels_in_memory(&self, id: ValueId) -> usize {
        let whole = self.grown.get(&id).copied();
        whole.unwrap_or_else(|| self.map(id).channels)
    }

    /// The concatenation that a value is the beginning of, if nothing reads it but that and norms, all of them
    /// channels last.
    fn grows_into(&self, id: ValueId) -> Option<&Node> {
        let readers = &self.readers[id.index()];
        if readers.len() != self.uses[id.index()] || self.reserved.contains_key(&id) {
            return None;
        }
        let mut next = None;
        for &index in readers {
            let node = &self.graph.nodes[index];
            let begins = node.inputs[0] == id && !node.inputs[1..].contains(&id);
            let fits = begins && (self.layout)(node) == Layout::Nhwc;
            match node.op {
                Op::BatchNormInference { .. } if fits => {}
                Op::Concat if fits && next.is_none() => next = Some(node),
                _ => return None,
            }
        }
        next
    }

    /// The last concatenation of the chain that a value begins.
    fn grows_up_to(&self, id: ValueId) -> Option<ValueId> {
        let mut last = None;
        let mut next = self.grows_into(id);
        while let Some(node) = next {
            last = Some(node.outputs[0]);
            next = self.grows_into(node.outputs[0]);
        }
        last
    }

    /// Makes a concatenation that is part of a chain; whether it is.
    pub(super) fn grow(&mut self, node: &Node) -> bool {
        let (id, first) = (node.outputs[0], node.inputs[0]);
        if self.options.layout != Layout::Nhwc {
            return false;
        }
        let begun = self.grown.get(&first).copied();
        let (buffer, total, from) = match begun {
            Some(total) => (self.at(first).buffer, total, 1),
            None => {
                let Some(last) = self.grows_up_to(id) else {
                    return false;
                };
                (self.feature_result(last), self.map(last).channels, 0)
            }
        };
        if self.map(id).channels < total {
            self.place_at(id, buffer, Layout::Nhwc);
            self.grown.insert(id, total);
        }
        self.add_channels(node, from, buffer, total);
        true
    }

    /// Copies the inputs of a concatenation from `from` on to their places among `total` channels.
    pub(super) fn add_channels(
        &mut self,
        node: &Node,
        from: usize,
        buffer: BufferId,
        total: usize,
    ) {
        let mut first = 0;
        for (place, &id) in node.inputs.iter().enumerate() {
            let map = self.map(id);
            if place >= from {
                let from = Channels {
                    buffer: self.feature(id),
                    total: map.channels,
                    first: 0,
                };
                let to = Channels {
                    buffer,
                    total,
                    first,
                };
                self.push(Work::CopyChannels { map, from, to });
            }
            first += map.channels;
        }
    }
}
