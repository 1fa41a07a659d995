//! Which networks of the zoo have the tensors of a file.

use zoo::Found;

use super::auxiliary;
use super::tensors::Tensors;
use crate::CheckpointError;

/// Names of the networks that fit, at full width, with as many classes as the file has.
pub(super) fn all_that_fit(tensors: &Tensors) -> Vec<String> {
    let models = zoo::models().filter_map(|model| zoo::find(model.name).ok());
    models
        .filter(|found| fits(tensors, found))
        .map(|found| found.name())
        .collect()
}

/// The network that fits, if no other does.
///
/// # Errors
/// [`CheckpointError::Unidentified`].
pub(super) fn only_one_that_fits(tensors: &Tensors) -> Result<Found, CheckpointError> {
    let fits = all_that_fit(tensors);
    match fits.as_slice() {
        [name] => Ok(zoo::find(name)?),
        _ => Err(CheckpointError::Unidentified {
            origin: tensors.origin().to_owned(),
            fits,
        }),
    }
}

fn fits(tensors: &Tensors, found: &Found) -> bool {
    let mut options = found.model.options();
    let Ok(head) = found.head(&options) else {
        return false;
    };
    if let Some(classes) = head.classes(|name| tensors.shape(name)) {
        options.classes = classes;
    }
    let network = found.build(&options);
    network.is_ok_and(|network| auxiliary::compare(&network, tensors).is_ok())
}
