//! In which order an epoch visits the pictures.

use crate::random::{Draw, Purpose};

/// A permutation of `0..len`: a function of the seed and the epoch alone (Fisher and Yates 1938).
///
/// ```
/// let mut order = train::permutation(7, 3, 100);
/// assert_eq!(order, train::permutation(7, 3, 100));
/// assert_ne!(order, train::permutation(7, 4, 100));
/// order.sort();
/// assert!(order.into_iter().eq(0..100));
/// ```
pub fn permutation(seed: u64, epoch: u64, len: usize) -> Vec<usize> {
    let mut draw = Draw::new(seed, Purpose::Order, epoch, 0);
    let mut order: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        order.swap(last, draw.below(last + 1));
    }
    order
}

/// Batches of an epoch of training. The incomplete last one is left out: every step then averages over the same
/// number of pictures, and the permutation leaves out others in the next epoch.
pub fn whole_batches(pictures: usize, batch: usize) -> usize {
    pictures / batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_is_a_permutation_and_no_two_are_alike() {
        let orders: Vec<_> = (0..20).map(|epoch| permutation(1, epoch, 257)).collect();
        for (epoch, order) in orders.iter().enumerate() {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..257), "epoch {epoch}");
            assert!(!orders[..epoch].contains(order), "epoch {epoch}");
        }
        assert_ne!(permutation(1, 0, 257), permutation(2, 0, 257));
    }

    /// Over many epochs every picture comes first about equally often: 6,000 draws of 6 places, each expected
    /// 1,000 times with a standard deviation of 29.
    #[test]
    fn first_places_are_fair() {
        let mut counts = [0_i32; 6];
        for epoch in 0..6_000 {
            counts[permutation(3, epoch, 6)[0]] += 1;
        }
        for count in counts {
            assert!((count - 1_000).abs() < 150, "{counts:?}");
        }
    }

    #[test]
    fn nothing_and_one_are_permutations_too() {
        assert!(permutation(0, 0, 0).is_empty());
        assert_eq!(permutation(0, 0, 1), [0]);
        assert_eq!(whole_batches(300, 128), 2);
    }
}
