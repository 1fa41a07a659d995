//! Long sums in several goes.
//!
//! A panel's weights for a sum of thousands of products do not stay in cache from tile to tile, and then
//! every tile waits for memory. So such a sum is cut: all tiles of a task take the first chunk, then
//! all take the second, and what the sums have come to waits in memory meanwhile, which rounds
//! nothing. The weights of one chunk stay in cache while those of the next are asked for.

use super::walk::Segment;

/// Some of the products of a sum.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// Products before it.
    pub(super) first: usize,
    /// Products.
    pub(super) len: usize,
    /// Where they are read.
    pub(super) segments: Vec<Segment>,
}

/// Cuts a sum over `segments` into chunks of about equal length, none much longer than `most`.
pub(super) fn chunks(segments: &[Segment], most: usize) -> Vec<Chunk> {
    let all: usize = segments.iter().map(|segment| segment.len).sum();
    // What is a little too long is better left whole.
    let count = ((all + most / 2) / most).max(1);
    let target = all.div_ceil(count);
    let mut chunks = Vec::with_capacity(count);
    let mut chunk = Chunk {
        first: 0,
        len: 0,
        segments: Vec::new(),
    };
    for segment in segments {
        let mut segment = *segment;
        while segment.len > 0 {
            let taken = segment.len.min(target - chunk.len);
            chunk.segments.push(Segment {
                len: taken,
                ..segment
            });
            chunk.len += taken;
            segment.offset += taken;
            segment.len -= taken;
            if chunk.len == target {
                let first = chunk.first + chunk.len;
                chunks.push(chunk);
                chunk = Chunk {
                    first,
                    len: 0,
                    segments: Vec::new(),
                };
            }
        }
    }
    if chunk.len > 0 || chunks.is_empty() {
        chunks.push(chunk);
    }
    chunks
}
