use graph::Op;

use super::case::Case;

#[test]
fn channels_side_by_side_and_apart() {
    let (batch, area) = (2, 15);
    let counts = [3, 17, 1];
    let case = counts.iter().fold(Case::of(Op::Concat), |case, &c| {
        case.real(&[batch, c, 3, 5])
    });
    let image = |place: usize, n: usize| {
        let len = counts[place] * area;
        case.values(place)[n * len..(n + 1) * len].to_vec()
    };
    let places = (0..batch).flat_map(|n| (0..3).map(move |place| (place, n)));
    let y = places.flat_map(|(place, n)| image(place, n)).collect();
    case.check(&[y]);

    let (start, count) = (2, 5);
    let case = Case::of(Op::ChannelSlice { start, count }).given(&[batch, 17, 3, 5], 0.0, 1.0);
    let y = (0..batch)
        .flat_map(|n| case.values(0)[(n * 17 + start) * area..][..count * area].to_vec())
        .collect();
    case.check(&[y]);
}

#[test]
fn maps_become_vectors_and_maps_again() {
    let shape = vec![2, 17, 3, 5];
    let case = Case::of(Op::Flatten).real(&shape);
    let y = case.values(0).to_vec();
    case.check(&[y]);
    let case = Case::of(Op::Unflatten { shape }).real(&[2, 255]);
    let y = case.values(0).to_vec();
    case.check(&[y]);
}
