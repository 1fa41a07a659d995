//! What a training makes of its pictures, whether they are held in memory or not.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use formats::{DataError, Dataset, HeldOut, Picture, Splits};
use train::{TrainConfig, TrainError, Trainer};

use super::{config, finish};

/// Square pictures that nobody knows the size of before they are decoded, as in a folder.
pub(super) struct Pictures {
    len: usize,
    side: usize,
    classes: Vec<String>,
    bad: Range<usize>,
    odd: Option<usize>,
}

impl Pictures {
    pub(super) fn new(len: usize, side: usize) -> Self {
        Self {
            len,
            side,
            classes: vec!["dark".into(), "bright".into()],
            bad: 0..0,
            odd: None,
        }
    }

    pub(super) fn with_bad(self, bad: Range<usize>) -> Self {
        Self { bad, ..self }
    }

    pub(super) fn with_classes(self, classes: &[&str]) -> Self {
        let classes = classes.iter().map(|class| (*class).to_owned()).collect();
        Self { classes, ..self }
    }
}

impl Dataset for Pictures {
    fn len(&self) -> usize {
        self.len
    }
    fn classes(&self) -> &[String] {
        &self.classes
    }
    fn label(&self, index: usize) -> usize {
        index % 2
    }
    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        if self.bad.contains(&index) {
            return Err(DataError::Unreadable {
                name: self.name(index),
                reason: "torn".into(),
            });
        }
        let side = self.side + usize::from(self.odd == Some(index));
        Ok(Picture {
            height: side,
            width: side,
            channels: 3,
            pixels: vec![(100 * (index % 2) + index) as u8; side * side * 3],
        })
    }
    fn name(&self, index: usize) -> String {
        format!("{index}.png")
    }
    fn fixed_size(&self) -> Option<(usize, usize)> {
        None
    }
    fn channels(&self) -> usize {
        3
    }
}

pub(super) fn only(train: Pictures) -> Splits {
    Splits {
        train: Arc::new(train),
        held_out: None,
        held_out_from: HeldOut::None,
    }
}

fn both(train: Pictures, held_out: Pictures) -> Splits {
    Splits {
        held_out: Some(Arc::new(held_out)),
        held_out_from: HeldOut::Own,
        ..only(train)
    }
}

fn cached(cache_mib: u64) -> TrainConfig {
    TrainConfig {
        cache_mib,
        epochs: 1,
        ..config()
    }
}

#[test]
fn the_cache_decides_nothing_about_the_input() {
    let input = |pictures: fn() -> Pictures| {
        let of = |cache_mib| {
            let trainer = Trainer::new(cached(cache_mib), only(pictures()), None).unwrap();
            trainer.card().clone()
        };
        assert_eq!(of(0), of(256));
        of(0).preprocess.input
    };
    assert_eq!(input(|| Pictures::new(40, 16)), (16, 16));
    // Larger than the model was made for, and of two sizes.
    assert_eq!(input(|| Pictures::new(40, 33)), (32, 32));
    let mixed = || Pictures {
        odd: Some(20),
        ..Pictures::new(40, 16)
    };
    assert_eq!(input(mixed), (32, 32));
    // What cannot be read has no size.
    assert_eq!(input(|| Pictures::new(40, 16).with_bad(0..2)), (16, 16));
}

/// 5 of 102 are within the twentieth wherever they are, 6 are not.
#[test]
fn the_twentieth_is_of_both_parts_together() {
    let never = AtomicBool::new(false);
    for cache_mib in [256, 0] {
        let run = |train: usize, held_out: usize| {
            let splits = both(
                Pictures::new(93, 16).with_bad(3..3 + train),
                Pictures::new(9, 16).with_bad(0..held_out),
            );
            let mut trainer = Trainer::new(cached(cache_mib), splits, None)?;
            trainer.run_epoch(&mut |_| {}, &never)?;
            let (train, held_out) = trainer.skipped();
            Ok::<_, TrainError>((train.count, held_out.count))
        };
        assert_eq!(run(0, 1).unwrap(), (0, 1), "{cache_mib}");
        assert_eq!(run(5, 0).unwrap(), (5, 0), "{cache_mib}");
        assert_eq!(run(1, 4).unwrap(), (1, 4), "{cache_mib}");
        let message = run(5, 1).unwrap_err().to_string();
        assert!(
            message.starts_with(
                "6 of 102 pictures are unreadable, more than 5 % of the whole data set; "
            ),
            "{message}"
        );
    }
}

#[test]
fn no_held_out_pictures_are_no_measurement() {
    let mut never_any = vec![both(Pictures::new(80, 16), Pictures::new(0, 16))];
    never_any.push(both(
        Pictures::new(80, 16),
        Pictures::new(2, 16).with_bad(0..2),
    ));
    for splits in never_any {
        for cache_mib in [256, 0] {
            let mut trainer = Trainer::new(cached(cache_mib), splits.clone(), None).unwrap();
            let reports = finish(&mut trainer);
            assert_eq!(reports[0].held_out, None);
            assert!(reports[0].best);
            let (_, score) = trainer.progress().best.unwrap();
            assert_eq!(score.accuracy, reports[0].train_accuracy);
        }
    }
}
