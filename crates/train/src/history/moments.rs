//! When something is kept.

/// The most moments of a run besides its beginning.
const MOST: u64 = 32;
/// The most bytes of filters in a history: it is written anew with every checkpoint.
const BYTES: usize = 4 << 20;

/// The moments of a run: its beginning, its end, and others between them at even distances. They follow from the run's
/// settings alone, so a resumed run keeps the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    steps_per_epoch: u64,
    epochs: u64,
    most: u64,
}

impl Moments {
    /// Whether filters of so many bytes can be kept at the beginning and the end at least.
    pub(crate) fn have_room(bytes: usize) -> bool {
        bytes <= BYTES / 2
    }

    /// The moments of a run that keeps so many bytes at each of them.
    pub(crate) fn of(epochs: u64, steps_per_epoch: u64, bytes: usize) -> Self {
        let room = (BYTES / bytes.max(1)) as u64;
        Self {
            steps_per_epoch: steps_per_epoch.max(1),
            epochs,
            most: room.saturating_sub(1).clamp(1, MOST),
        }
    }

    /// Whether something is kept after so many steps. Few epochs are divided, of many some are passed over.
    pub(crate) fn has(&self, step: u64) -> bool {
        let Some(last) = step.checked_sub(1) else {
            return true;
        };
        let (epoch, batch) = (
            last / self.steps_per_epoch + 1,
            last % self.steps_per_epoch + 1,
        );
        let parts = self.most / self.epochs.max(1);
        if parts > 0 {
            let part = |batch: u64| {
                u128::from(batch) * u128::from(parts) / u128::from(self.steps_per_epoch)
            };
            return part(batch) > part(batch - 1);
        }
        let every = self.epochs.div_ceil(self.most);
        batch == self.steps_per_epoch && (epoch.is_multiple_of(every) || epoch == self.epochs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(epochs: u64, steps: u64, bytes: usize) -> Vec<u64> {
        let moments = Moments::of(epochs, steps, bytes);
        (0..=epochs * steps)
            .filter(|&step| moments.has(step))
            .collect()
    }

    #[test]
    fn they_begin_and_end_with_the_run_and_are_few() {
        for epochs in [1, 2, 3, 24, 32, 33, 90, 500] {
            for steps in [1, 2, 7, 32, 100] {
                let moments = all(epochs, steps, 1000);
                assert_eq!(moments[0], 0);
                assert_eq!(moments[moments.len() - 1], epochs * steps);
                assert!(
                    (2..=33).contains(&moments.len()),
                    "{epochs}, {steps}: {moments:?}"
                );
            }
        }
        assert_eq!(all(1, 3, 1000), [0, 1, 2, 3]);
        assert_eq!(
            all(2, 64, 1000),
            (0..=32).map(|part| part * 4).collect::<Vec<_>>()
        );
        assert_eq!(
            all(24, 10, 1000),
            (0..=24).map(|epoch| epoch * 10).collect::<Vec<_>>()
        );
        assert_eq!(all(65, 1, 1000)[20..], [60, 63, 65]);
    }

    #[test]
    fn large_filters_are_kept_seldom_or_never() {
        assert_eq!(all(8, 10, BYTES / 3), [0, 40, 80]);
        assert!(Moments::have_room(BYTES / 2) && !Moments::have_room(BYTES));
    }
}
