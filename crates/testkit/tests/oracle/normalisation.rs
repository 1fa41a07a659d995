//! Normalisation over groups, rows, pixels and neighbouring channels.

use crate::{assert_near, counting, dot};
use testkit::Draw;
use testkit::compare::widen;
use testkit::gradient::check;
use testkit::normalise::BatchNorm;
use testkit::response::LocalResponse;
use testkit::standardise::Standardise;

#[test]
fn groups_rows_and_pixels_by_hand() {
    // Two images of four channels of one position; pairs of channels.
    let groups = Standardise::groups(2, 4, 1, 2, 0.0);
    let x = [1.0, 3.0, 10.0, 30.0, 5.0, 5.5, -1.0, -3.0];
    let y = groups.forward(&x, &[1.0, 2.0, 1.0, 1.0], &[0.0, 0.0, 0.0, 7.0]);
    assert_near(&y, &[-1.0, 2.0, -1.0, 8.0, -1.0, 2.0, 1.0, 6.0], 1e-12);

    let rows = Standardise::rows(2, 2, 0.0);
    let y = rows.forward(&x[..4], &[1.0, 3.0], &[0.0, 0.0]);
    assert_near(&y, &[-1.0, 3.0, -1.0, 3.0], 1e-12);

    // One image of two channels of two positions: the pixels are (1, 10) and (3, 30).
    let pixels = Standardise::pixels(1, 2, 2, 0.0);
    let (mean, variance) = pixels.statistics(&x[..4]);
    assert_eq!((mean, variance), (vec![5.5, 16.5], vec![20.25, 182.25]));
}

#[test]
fn a_group_a_channel_of_one_image_is_a_batch_of_it() {
    let mut draw = Draw::new(1);
    let x = widen(&draw.reals(3 * 7));
    let (gamma, beta) = (widen(&draw.reals(3)), widen(&draw.reals(3)));
    let dy = widen(&draw.reals(3 * 7));
    let batch = BatchNorm {
        batch: 1,
        channels: 3,
        spatial: 7,
        epsilon: 1e-3,
    };
    let group = Standardise::groups(1, 3, 7, 3, 1e-3);
    let want = batch.forward(&x, &gamma, &beta, &batch.statistics(&x));
    assert_near(&group.forward(&x, &gamma, &beta), &want, 1e-14);
    let (got, want) = (
        group.backward(&x, &gamma, &dy),
        batch.backward_training(&x, &gamma, &dy),
    );
    assert_near(&got.dx, &want.dx, 1e-13);
    assert_near(&got.dgamma, &want.dgamma, 1e-13);
    assert_near(&got.dbeta, &want.dbeta, 1e-13);
}

#[test]
fn gradients_of_normalisations() {
    let mut draw = Draw::new(2);
    for norm in [
        Standardise::groups(2, 6, 3, 2, 1e-2),
        Standardise::rows(4, 9, 1e-2),
        Standardise::pixels(2, 6, 3, 1e-2),
    ] {
        let parameters = norm.parameter.iter().max().unwrap() + 1;
        let [x, dy] = [0, 1].map(|_| widen(&draw.reals(36)));
        let [gamma, beta] = [0, 1].map(|_| widen(&draw.reals(parameters)));
        let gradients = norm.backward(&x, &gamma, &dy);
        let loss = |x: &[f64], gamma: &[f64], beta: &[f64]| dot(&dy, &norm.forward(x, gamma, beta));
        check(|x| loss(x, &gamma, &beta), &x, &gradients.dx).unwrap();
        check(|gamma| loss(&x, gamma, &beta), &gamma, &gradients.dgamma).unwrap();
        check(|beta| loss(&x, &gamma, beta), &beta, &gradients.dbeta).unwrap();
    }
}

#[test]
fn local_response_by_hand() {
    let norm = LocalResponse {
        batch: 1,
        channels: 4,
        area: 1,
        before: 1,
        after: 0,
        alpha: 2.0,
        beta: 1.0,
        k: 1.0,
    };
    // Sums of squares with the channel before: 1, 5, 13, 25.
    let y = norm.forward(&counting(4));
    let want = [1.0 / 2.0, 2.0 / 6.0, 3.0 / 14.0, 4.0 / 26.0];
    assert_near(&y, &want, 1e-15);
}

#[test]
fn gradient_of_local_response() {
    let mut draw = Draw::new(3);
    for (before, after) in [(0, 0), (2, 2), (1, 2), (7, 9)] {
        let norm = LocalResponse {
            batch: 2,
            channels: 5,
            area: 3,
            before,
            after,
            alpha: 0.8,
            beta: 0.75,
            k: 1.5,
        };
        let [x, dy] = [0, 1].map(|_| widen(&draw.reals(30)));
        check(|x| dot(&dy, &norm.forward(x)), &x, &norm.backward(&x, &dy)).unwrap();
    }
}
