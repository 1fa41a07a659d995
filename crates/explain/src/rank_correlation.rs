//! Whether two maps order their pixels alike.

use tensor::MemoryError;
use tensor::memory::{try_room, try_zeros};

use crate::map::Map;

/// Spearman's rank correlation of two maps: 1 where they order their pixels alike, −1 where the other way round. Equal
/// numbers share the mean of their ranks. Nothing where a map has but one number, and so no order, or the maps differ in size.
///
/// ```
/// use explain::{Map, rank_correlation};
/// let map = |values: [f32; 4]| Map::new(2, 2, values.to_vec()).unwrap();
/// let (rising, curved) = (map([0.0, 1.0, 2.0, 3.0]), map([-1.0, 0.0, 5.0, 5.5]));
/// assert_eq!(rank_correlation(&rising, &curved)?, Some(1.0));
/// assert_eq!(rank_correlation(&rising, &map([7.0; 4]))?, None);
/// # Ok::<(), tensor::MemoryError>(())
/// ```
///
/// # Errors
/// Memory that cannot be had.
pub fn rank_correlation(one: &Map, other: &Map) -> Result<Option<f64>, MemoryError> {
    if one.extents() != other.extents() {
        return Ok(None);
    }
    let (a, b) = (ranks(one.values())?, ranks(other.values())?);
    // Ranks from 0 to n − 1, ties or not, have the mean (n − 1)/2.
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let products = |a: &[f64], b: &[f64]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let spread = (products(&a, &a) * products(&b, &b)).sqrt();
    Ok((spread > 0.0).then(|| products(&a, &b) / spread))
}

/// The rank of every number, from 0.
fn ranks(values: &[f32]) -> Result<Vec<f64>, MemoryError> {
    let mut order: Vec<usize> = try_room(values.len())?;
    order.extend(0..values.len());
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = try_zeros(values.len())?;
    let mut first = 0;
    // 0 and −0 are equal, as are all that compare so.
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = first as f64 + (tied.len() as f64 - 1.0) / 2.0;
        tied.iter().for_each(|&place| ranks[place] = rank);
        first += tied.len();
    }
    Ok(ranks)
}
