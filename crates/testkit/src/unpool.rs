//! Max unpooling: values go back to the places they were taken from (PyTorch `max_unpool`).

/// Images of `image` cells each, zero but for the values of `x`: `places` says for each value which cell of its
/// own image it goes to, or that it has none. There are as many values for every one of the `images`. The last
/// value wins a cell that several go to.
///
/// # Panics
/// If the values do not divide into the images, or a place is not in the image.
#[must_use]
pub fn forward(x: &[f64], places: &[Option<usize>], images: usize, image: usize) -> Vec<f64> {
    let mut y = vec![0.0; images * image];
    for (value, cell) in x.iter().zip(cells(x.len(), places, images, image)) {
        if let Some(cell) = cell {
            y[cell] = *value;
        }
    }
    y
}

/// The gradient of `x`: that of the cell each value went to, also where another value won it.
///
/// # Panics
/// As [`forward`].
#[must_use]
pub fn backward(dy: &[f64], places: &[Option<usize>], images: usize, image: usize) -> Vec<f64> {
    assert_eq!(dy.len(), images * image, "length of dy");
    cells(places.len(), places, images, image)
        .into_iter()
        .map(|cell| cell.map_or(0.0, |cell| dy[cell]))
        .collect()
}

/// The cell of every value, counted through all images.
fn cells(
    values: usize,
    places: &[Option<usize>],
    images: usize,
    image: usize,
) -> Vec<Option<usize>> {
    assert_eq!(values, places.len(), "one place per value");
    let per_image = values / images.max(1);
    assert_eq!(per_image * images, values, "values of {images} images");
    let in_image = |(index, place): (usize, &Option<usize>)| {
        place.map(|place| {
            assert!(place < image, "place {place} in an image of {image}");
            index / per_image * image + place
        })
    };
    places.iter().enumerate().map(in_image).collect()
}
