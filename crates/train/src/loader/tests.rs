use formats::{DataError, Interpolation, Picture};

use super::*;
use crate::Augment;

/// Picture `i` is one grey pixel of value `i` and belongs to class `i mod 3`; those in `bad` are unreadable.
struct Numbered {
    len: usize,
    bad: Vec<usize>,
    classes: Vec<String>,
}

fn numbered(len: usize, bad: &[usize]) -> Arc<dyn Dataset> {
    Arc::new(Numbered {
        len,
        bad: bad.to_vec(),
        classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
    })
}

impl Dataset for Numbered {
    fn len(&self) -> usize {
        self.len
    }
    fn classes(&self) -> &[String] {
        &self.classes
    }
    fn label(&self, index: usize) -> usize {
        index % 3
    }
    fn picture(&self, index: usize) -> Result<Picture, DataError> {
        if self.bad.contains(&index) {
            return Err(DataError::Unreadable {
                name: self.name(index),
                reason: "torn".into(),
            });
        }
        Ok(Picture {
            height: 1,
            width: 1,
            channels: 1,
            pixels: vec![index as u8],
        })
    }
    fn name(&self, index: usize) -> String {
        format!("{index}.png")
    }
    fn fixed_size(&self) -> Option<(usize, usize)> {
        Some((1, 1))
    }
    fn channels(&self) -> usize {
        1
    }
}

fn preprocess() -> Preprocess {
    Preprocess {
        input: (1, 1),
        channels: 1,
        mean: vec![0.0],
        std: vec![1.0 / 255.0],
        crop_fraction: 1.0,
        interpolation: Interpolation::Bilinear,
        crop_mode: formats::CropMode::Center,
    }
}

fn training(dataset: Arc<dyn Dataset>, order: Vec<usize>, batch: usize, first: usize) -> Job {
    let augmenter = Augmenter {
        augment: Augment::NONE,
        preprocess: preprocess(),
        seed: 0,
    };
    Job {
        dataset,
        transform: Transform::Training(augmenter, 0),
        order,
        batch,
        first,
        tolerated: 4,
    }
}

/// The pictures' numbers, batch by batch; labels are checked on the way.
fn numbers(loader: &mut Loader) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    while let Some(batch) = loader.next() {
        let shown: Vec<usize> = batch.images[..batch.count]
            .iter()
            .map(|value| value.round() as usize)
            .collect();
        for (number, label) in shown.iter().zip(&batch.labels) {
            assert_eq!(*label as usize, number % 3);
        }
        assert!(
            batch.images[batch.count..]
                .iter()
                .all(|value| *value == 0.0)
        );
        all.push(shown);
        loader.recycle(batch);
    }
    all
}

#[test]
fn any_number_of_workers_brings_the_same_batches_in_order() {
    let order: Vec<usize> = (0..100).rev().collect();
    let expected: Vec<Vec<usize>> = order.chunks_exact(8).map(<[usize]>::to_vec).collect();
    for workers in [1, 2, 3, 7, 50] {
        for first in [0, 1, 5, 12] {
            let job = training(numbered(100, &[]), order.clone(), 8, first);
            let mut loader = Loader::new(job, workers).unwrap();
            assert_eq!(numbers(&mut loader), expected[first..], "{workers} {first}");
            assert!(loader.next().is_none());
        }
    }
}

#[test]
fn evaluation_keeps_the_last_batch_and_leaves_out_what_is_unreadable() {
    let job = Job {
        dataset: numbered(10, &[1, 9]),
        transform: Transform::Evaluation(preprocess()),
        order: (0..10).collect(),
        batch: 4,
        first: 0,
        tolerated: 0,
    };
    let mut loader = Loader::new(job.clone(), 2).unwrap();
    let expected = [vec![0, 2, 3], vec![4, 5, 6, 7], vec![8]];
    assert_eq!(numbers(&mut loader), expected);
    let unreadable: Vec<_> = Loader::new(job, 1)
        .unwrap()
        .flat_map(|batch| batch.unreadable)
        .collect();
    let expected = [(1, "torn".to_owned()), (9, "torn".to_owned())];
    assert_eq!(unreadable, expected);
}

#[test]
fn training_puts_the_next_readable_picture_in_the_place_of_an_unreadable_one() {
    let mut loader = Loader::new(
        training(numbered(60, &[5, 6, 59]), vec![4, 5, 59, 7], 2, 0),
        2,
    )
    .unwrap();
    assert_eq!(numbers(&mut loader), [[4, 7], [0, 7]]);
    let all_bad: Vec<usize> = (0..60).collect();
    let mut loader = Loader::new(training(numbered(60, &all_bad), vec![3, 50], 2, 0), 1).unwrap();
    let batch = loader.next().unwrap();
    assert_eq!((batch.count, batch.unreadable.len()), (0, 10));
}

#[test]
fn a_loader_that_is_dropped_early_ends_its_threads() {
    for taken in 0..4 {
        let job = training(numbered(100, &[]), (0..100).collect(), 2, 0);
        let dataset = job.dataset.clone();
        let mut loader = Loader::new(job, 3).unwrap();
        for _ in 0..taken {
            loader.next().unwrap();
        }
        drop(loader);
        assert_eq!(
            Arc::strong_count(&dataset),
            1,
            "a thread holds the data set"
        );
    }
}

#[test]
fn a_batch_of_nothing_and_a_senseless_size_are_errors() {
    let job = training(numbered(10, &[]), vec![0], 0, 0);
    assert!(matches!(Loader::new(job, 1), Err(TrainError::Config(_))));
    let mut job = training(numbered(10, &[]), vec![0], 1, 0);
    job.transform = Transform::Evaluation(Preprocess {
        input: (0, 1),
        ..preprocess()
    });
    assert!(matches!(
        Loader::new(job, 1),
        Err(TrainError::Preprocess(_))
    ));
}

#[test]
fn a_batch_that_no_memory_holds_ends_the_loading() {
    let mut job = training(numbered(10, &[]), (0..10).collect(), 1 << 60, 0);
    job.transform = Transform::Evaluation(preprocess());
    let mut loader = Loader::new(job, 2).unwrap();
    assert!(loader.next().is_none() && loader.next().is_none());
    let error = loader.end().unwrap_err().to_string();
    assert!(
        error.starts_with("4611686018427387904 bytes of memory"),
        "{error}"
    );

    let mut whole = Loader::new(training(numbered(10, &[]), vec![0], 1, 0), 1).unwrap();
    assert!(whole.next().is_some() && whole.next().is_none());
    assert!(whole.end().is_ok());
}
