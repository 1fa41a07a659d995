//! Which networks of the zoo have the tensors of a file.

use formats::weights::WeightsReader;
use zoo::Found;

use super::{needed, tensors};
use crate::CheckpointError;
use crate::state_dict::Mismatch;

/// Names of the networks that fit, at full width, with as many classes as the file has.
pub(super) fn all_that_fit(reader: &WeightsReader) -> Vec<String> {
    let models = zoo::models().filter_map(|model| zoo::find(model.name).ok());
    models
        .filter(|found| fits(reader, found))
        .map(|found| found.name())
        .collect()
}

/// The network that fits, if no other does.
///
/// # Errors
/// [`CheckpointError::Unidentified`].
pub(super) fn only_one_that_fits(reader: &WeightsReader) -> Result<Found, CheckpointError> {
    let fits = all_that_fit(reader);
    match fits.as_slice() {
        [name] => Ok(zoo::find(name)?),
        _ => Err(CheckpointError::Unidentified {
            origin: reader.origin().to_owned(),
            fits,
        }),
    }
}

fn fits(reader: &WeightsReader, found: &Found) -> bool {
    let mut options = found.model.options();
    let Ok(head) = found.head(&options) else {
        return false;
    };
    if let Some(classes) = head.classes(|name| reader.shape(name)) {
        options.classes = classes;
    }
    let network = found.build(&options);
    network.is_ok_and(|network| Mismatch::between(needed(&network), tensors(reader)).is_none())
}
