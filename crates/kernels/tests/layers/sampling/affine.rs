use geometry::{AffineGridDesc, AffineGridGeometry};
use kernels::sampling::affine;
use testkit::Draw;
use testkit::affine::AffineCase;
use testkit::compare::{assert_close, widen};

use super::{assert_gradient, assert_near, in_f64, reals};
use crate::every::{operand, result, way};

fn cases() -> Vec<AffineCase> {
    let sizes: [&[usize]; 8] = [
        &[3, 4],
        &[1, 5],
        &[6, 1],
        &[0, 5],
        &[2, 3, 4],
        &[3, 1, 2],
        // More than a task takes.
        &[150, 130],
        &[20, 70, 50],
    ];
    let mut cases = Vec::new();
    for size in sizes {
        for align_corners in [false, true] {
            for batch in [0, 1, 3] {
                cases.push(AffineCase {
                    batch,
                    size: size.to_vec(),
                    align_corners,
                });
            }
        }
    }
    cases
}

fn geometry(case: &AffineCase) -> AffineGridGeometry {
    let axes = case.size.len();
    AffineGridDesc::new(&case.size[..])
        .align_corners(case.align_corners)
        .resolve(&[case.batch, axes, axes + 1])
        .unwrap()
}

#[test]
fn affine_grids_equal_the_oracle() {
    for (seed, case) in cases().iter().enumerate() {
        let g = geometry(case);
        let mut draw = Draw::new(seed as u64);
        let (theta, dgrid) = (draw.reals(case.theta_len()), draw.reals(case.grid_len()));
        way(
            &format!("{case:?}"),
            |context| {
                let (mut grid, mut dtheta) = (result(case.grid_len()), result(case.theta_len()));
                let mut scratch = result(affine::scratch_len(&g));
                affine::forward(context, &g, &operand(&theta), &mut grid);
                affine::backward(context, &g, &operand(&dgrid), &mut dtheta, &mut scratch);
                vec![grid.to_vec(), dtheta.to_vec()]
            },
            |problem, got| {
                let want = case.forward(&widen(&theta));
                // Four products of numbers up to one, each of a rounded coordinate.
                let bound = vec![8.0 * 2f64.powi(-24) * 4.0; want.len()];
                assert_close(problem, &got[0], &want, &bound);

                let want = case.backward(&widen(&dgrid));
                // Sums in f64 of products of rounded coordinates; parts of a sum are rounded too.
                let points = case.size.iter().product::<usize>() as f64;
                let bound = vec![4.0 * 2f64.powi(-24) * points; want.len()];
                assert_close(problem, &got[1], &want, &bound);
            },
        );
    }
}

#[test]
fn in_f64_too() {
    for (seed, case) in cases().iter().enumerate() {
        let g = geometry(case);
        let mut draw = Draw::new(seed as u64);
        let theta = reals(&mut draw, case.theta_len());
        let dgrid = reals(&mut draw, case.grid_len());
        let (mut grid, mut dtheta) = (vec![f64::NAN; dgrid.len()], vec![f64::NAN; theta.len()]);
        in_f64(|context| {
            let mut scratch = vec![f64::NAN; affine::scratch_len(&g)];
            affine::forward(context, &g, &theta, &mut grid);
            affine::backward(context, &g, &dgrid, &mut dtheta, &mut scratch);
        });
        let problem = format!("{case:?}");
        assert_near(&problem, &grid, &case.forward(&theta), 1e-14);
        assert_near(&problem, &dtheta, &case.backward(&dgrid), 1e-10);
    }
}

#[test]
fn the_gradient_of_the_matrix_is_right() {
    for size in [vec![3, 4], vec![2, 1, 3]] {
        let case = AffineCase {
            batch: 2,
            size,
            align_corners: false,
        };
        let g = geometry(&case);
        let mut draw = Draw::new(5);
        let theta = reals(&mut draw, case.theta_len());
        let dgrid = reals(&mut draw, case.grid_len());
        in_f64(|context| {
            let mut dtheta = vec![0.0; theta.len()];
            let mut scratch = vec![0.0; affine::scratch_len(&g)];
            affine::backward(context, &g, &dgrid, &mut dtheta, &mut scratch);
            let forward = |theta: &[f64]| {
                let mut grid = vec![0.0; case.grid_len()];
                affine::forward(context, &g, theta, &mut grid);
                grid
            };
            assert_gradient("theta", forward, &theta, &dgrid, &dtheta);
        });
    }
}

#[test]
fn the_identity_is_a_regular_grid() {
    let g = AffineGridDesc::new([2, 3])
        .align_corners(true)
        .resolve(&[1, 2, 3])
        .unwrap();
    let theta = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    way(
        "identity",
        |context| {
            let mut grid = result(12);
            affine::forward(context, &g, &theta, &mut grid);
            vec![grid.to_vec()]
        },
        |_, got| {
            let want = [
                -1.0, -1.0, 0.0, -1.0, 1.0, -1.0, // above
                -1.0, 1.0, 0.0, 1.0, 1.0, 1.0,
            ];
            assert_eq!(got[0], want);
        },
    );
}
