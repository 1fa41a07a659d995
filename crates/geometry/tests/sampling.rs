//! Shapes of grids, sampling and resizing, and what is refused.

use geometry::{
    AffineGridDesc, CubicCoefficient, GeometryError, GridInterpolation, GridSampleDesc,
    NearestRounding, Rational, Reads, ResizeAxis, ResizeCoordinates, ResizeDesc, ResizeFilter,
};

const LINEAR: GridSampleDesc = GridSampleDesc {
    interpolation: GridInterpolation::Linear,
    padding: geometry::GridPadding::Zeros,
    align_corners: false,
};

#[test]
fn a_grid_gives_the_output_its_size() {
    let plane = LINEAR.resolve(&[2, 5, 7, 9], &[2, 3, 4, 2]).unwrap();
    assert_eq!(plane.output_shape(), [2, 5, 3, 4]);
    assert_eq!(plane.input_shape(), [2, 5, 7, 9]);
    assert_eq!(plane.grid_shape(), [2, 3, 4, 2]);
    assert_eq!((plane.input_area(), plane.output_area()), (63, 12));

    let volume = LINEAR.resolve(&[0, 5, 6, 7, 9], &[0, 3, 4, 8, 3]).unwrap();
    assert_eq!(volume.output_shape(), [0, 5, 3, 4, 8]);
    assert_eq!(volume.grid_shape(), [0, 3, 4, 8, 3]);

    // A grid without points is legal: the output is empty.
    let empty = LINEAR.resolve(&[2, 5, 7, 9], &[2, 0, 4, 2]).unwrap();
    assert_eq!(empty.output_shape(), [2, 5, 0, 4]);
}

#[test]
fn a_grid_of_another_map_is_refused() {
    let map = [2, 5, 7, 9];
    for grid in [
        &[3, 4, 4, 2][..],
        &[2, 4, 4, 3],
        &[2, 4, 2],
        &[2, 4, 4, 4, 2],
        &[2, 4, 4, 4, 3],
        &[],
    ] {
        let error = LINEAR.resolve(&map, grid).unwrap_err();
        assert!(matches!(&error, GeometryError::Grid { input, grid: given }
            if input == &map && given == grid));
        assert!(error.to_string().contains("[2, 5, 7, 9]"), "{error}");
    }
    // One spatial axis, or no channels.
    assert!(LINEAR.resolve(&[2, 5, 7], &[2, 4, 1]).is_err());
    assert!(LINEAR.resolve(&[2], &[2, 4, 4, 2]).is_err());
    let zero = GeometryError::Zero {
        what: "size of the input",
    };
    assert_eq!(LINEAR.resolve(&[2, 5, 0, 9], &[2, 4, 4, 2]), Err(zero));
    let cubic = GridSampleDesc::new(GridInterpolation::Cubic);
    assert!(cubic.resolve(&map, &[2, 4, 4, 2]).is_ok());
    assert_eq!(
        cubic.resolve(&[2, 5, 6, 7, 9], &[2, 3, 4, 8, 3]),
        Err(GeometryError::CubicRank { rank: 3 })
    );
    let huge = 1 << 40;
    assert!(matches!(
        LINEAR.resolve(&[1, 1, huge, huge], &[1, 2, 2, 2]),
        Err(GeometryError::Overflow { what: "the input" })
    ));
}

#[test]
fn affine_grids() {
    let plane = AffineGridDesc::new([4, 5]).resolve(&[2, 2, 3]).unwrap();
    assert_eq!(plane.grid_shape(), [2, 4, 5, 2]);
    assert_eq!((plane.theta_shape(), plane.area()), (vec![2, 2, 3], 20));
    let volume = AffineGridDesc::new(4).resolve(&[2, 3, 4]).unwrap();
    assert_eq!(volume.grid_shape(), [2, 4, 4, 4, 3]);

    let desc = AffineGridDesc::new([4, 5]);
    for theta in [&[2, 3, 2][..], &[2, 3], &[2, 2, 3, 1], &[2, 4, 5]] {
        let error = desc.resolve(theta).unwrap_err();
        assert!(matches!(error, GeometryError::Affine { theta: given } if given == theta));
    }
    assert!(matches!(
        desc.resolve(&[2, 3, 4]),
        Err(GeometryError::AxisCount {
            given: 2,
            rank: 3,
            ..
        })
    ));
    let huge = AffineGridDesc::new(1 << 40);
    assert!(matches!(
        huge.resolve(&[1, 2, 3]),
        Err(GeometryError::Overflow { what: "the grid" })
    ));
}

#[test]
fn resizes() {
    let desc = ResizeDesc::linear([4, 5]);
    let plane = desc.resolve(&[2, 3, 7, 9]).unwrap();
    assert_eq!(plane.output_shape(), [2, 3, 4, 5]);
    assert_eq!(plane.input_shape(), [2, 3, 7, 9]);
    assert_eq!((plane.input, plane.output), ([1, 7, 9], [1, 4, 5]));
    let line = ResizeDesc::cubic(4).resolve(&[0, 3, 7]).unwrap();
    assert_eq!(line.output_shape(), [0, 3, 4]);
    let volume = ResizeDesc::nearest(4).resolve(&[2, 3, 7, 9, 1]).unwrap();
    assert_eq!(volume.output_shape(), [2, 3, 4, 4, 4]);

    for (input, size, what) in [
        ([2, 3, 0, 9], [4, 5], "size of the input"),
        ([2, 3, 7, 9], [4, 0], "size"),
    ] {
        let error = ResizeDesc::linear(size).resolve(&input).unwrap_err();
        assert_eq!(error, GeometryError::Zero { what });
    }
    assert!(matches!(
        desc.resolve(&[2, 3, 7]),
        Err(GeometryError::AxisCount { what: "size", .. })
    ));
    assert!(matches!(
        desc.resolve(&[2, 3]),
        Err(GeometryError::Rank { .. })
    ));
    assert!(matches!(
        ResizeDesc::linear(1 << 40).resolve(&[2, 3, 7, 9]),
        Err(GeometryError::Overflow { what: "the output" })
    ));
}

#[test]
fn antialiasing_is_that_of_pytorch() {
    let linear = ResizeDesc::linear(3)
        .antialias()
        .coordinates(ResizeCoordinates::HalfPixel);
    assert_eq!(linear.filter, ResizeFilter::Linear { antialias: true });
    assert!(linear.exclude_outside);
    let cubic = ResizeDesc::cubic(3).antialias();
    assert!(matches!(
        cubic.filter,
        ResizeFilter::Cubic {
            coefficient: geometry::CubicCoefficient::MinusHalf,
            antialias: true
        }
    ));
    assert_eq!(ResizeDesc::nearest(3).antialias(), ResizeDesc::nearest(3));
}

/// A field reaches exactly to the farthest elements that are read, of places far from the ends.
#[test]
fn the_field_of_a_resizing_is_what_its_places_read() {
    use NearestRounding::{Ceil, Floor, HalfDown, HalfUp};
    let mut filters = [HalfDown, HalfUp, Floor, Ceil]
        .map(ResizeFilter::Nearest)
        .to_vec();
    for antialias in [false, true] {
        filters.push(ResizeFilter::Linear { antialias });
        filters.push(ResizeFilter::Cubic {
            antialias,
            coefficient: CubicCoefficient::MinusHalf,
        });
    }
    let places = [
        ResizeCoordinates::HalfPixel,
        ResizeCoordinates::HalfPixelSymmetric,
        ResizeCoordinates::Asymmetric,
        ResizeCoordinates::AlignCorners,
    ];
    for (over, under) in [
        (1, 1),
        (2, 1),
        (1, 2),
        (3, 2),
        (2, 3),
        (1, 3),
        (5, 4),
        (4, 1),
    ] {
        for (&filter, coordinates) in filters.iter().flat_map(|f| places.map(|c| (f, c))) {
            let axis = ResizeAxis {
                input: 60 * under,
                output: 60 * over,
                scale: (over, under),
                filter,
                coordinates,
                exclude_outside: false,
            };
            let field = Reads::Resize(axis).field().unwrap().unwrap();
            let mut ends: Option<[Rational; 2]> = None;
            for o in 20 * over..40 * over {
                let moved = field
                    .jump()
                    .times(Rational::whole(o as i128).unwrap())
                    .unwrap();
                let from = |element: usize| {
                    let element = Rational::whole(element as i128).unwrap();
                    element.minus(moved).unwrap()
                };
                let read = axis.sources(o).unwrap();
                let [first, last] = [from(read.start), from(read.end - 1)];
                ends = Some(ends.map_or([first, last], |ends| {
                    [ends[0].min(first), ends[1].max(last)]
                }));
            }
            let told = [field.first(), field.last()];
            match coordinates {
                // A period of its places may be longer than the middle of the map.
                ResizeCoordinates::AlignCorners => {
                    let [first, last] = ends.unwrap();
                    assert!(told[0] <= first && told[1] >= last, "{axis:?}");
                }
                _ => assert_eq!(Some(told), ends, "{axis:?}"),
            }
        }
    }
}
