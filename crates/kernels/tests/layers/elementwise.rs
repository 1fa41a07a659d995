use kernels::elementwise::{add, add_assign, fill, scale};
use testkit::Draw;
use testkit::compare::{assert_exact, widen};

use crate::every::{operand, result, way};

#[test]
fn sums_and_multiples_are_exact_on_integers() {
    for len in [0, 1, 15, 17, 32 * 1024, 100_003] {
        let mut draw = Draw::new(len as u64);
        let (a, b) = (draw.integers(len), draw.integers(len));
        way(
            &format!("{len} elements"),
            |context| {
                let (mut sum, mut double, mut filled) = (result(len), result(len), result(len));
                let mut assigned = operand(&a);
                add(context, &operand(&a), &operand(&b), &mut sum);
                add_assign(context, &mut assigned, &operand(&b));
                scale(context, &operand(&a), -2.5, &mut double);
                fill(context, &mut filled, 3.0);
                [sum, assigned, double, filled].map(|v| v.to_vec()).into()
            },
            |problem, got| {
                let (a, b) = (widen(&a), widen(&b));
                let sum: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
                assert_exact(problem, &got[0], &sum);
                assert_exact(problem, &got[1], &sum);
                let scaled: Vec<f64> = a.iter().map(|a| -2.5 * a).collect();
                assert_exact(problem, &got[2], &scaled);
                assert_exact(problem, &got[3], &vec![3.0; len]);
            },
        );
    }
}
