//! Evaluator and classifier answer alike, however the pictures are batched.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use formats::weights::Precision;
use formats::{Dataset, Part, Shapes};
use runtime::RuntimeOptions;
use train::{Answer, Checkpoint, Classifier, Evaluator, Trainer};

use super::{config, finish, shapes};

#[test]
fn every_batch_size_and_the_classifier_give_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(config(), shapes(), Some(folder.path())).unwrap();
    let reports = finish(&mut trainer);
    let options = RuntimeOptions::default();
    let held_out: Arc<dyn Dataset> = Arc::new(Shapes::new(3, Part::HeldOut, 30));

    // The last epoch's weights are those in memory; the checkpoint's may be those of an earlier one.
    let last = trainer.evaluate().unwrap().unwrap();
    assert_eq!(Some(last.score()), reports[1].held_out);
    let checkpoint = Checkpoint::open(&folder.path().join("last.safetensors")).unwrap();
    for batch in [1, 7, 30, 64] {
        let mut evaluator = Evaluator::from_checkpoint(&checkpoint, batch, &options).unwrap();
        let evaluation = evaluator.evaluate(held_out.clone()).unwrap();
        assert_eq!(evaluation.confusion, last.confusion, "batch {batch}");
        assert_eq!(evaluation.pictures, 30);
        assert!((evaluation.loss() - last.loss()).abs() < 1e-5);
    }

    // Answer by answer they are those of the classifier, and add up to the evaluation.
    let mut answers: Vec<Answer> = Vec::new();
    let never = AtomicBool::new(false);
    let examined = Evaluator::from_checkpoint(&checkpoint, 7, &options)
        .unwrap()
        .examine_until(
            held_out.clone(),
            &mut |answer| answers.push(answer),
            &mut |_, _| {},
            &never,
        );
    let examined = examined.unwrap().unwrap();
    let right = answers.iter().filter(|answer| answer.is_right()).count();
    assert_eq!(right as u64, examined.correct());
    let loss: f64 = answers.iter().map(|answer| -answer.log_probability).sum();
    assert!((loss - examined.loss_sum).abs() < 1e-9);

    let mut classifier = Classifier::new(&checkpoint, &options).unwrap();
    let mut confusion = vec![0; 100];
    let mut loss = 0.0;
    for index in 0..30 {
        let picture = held_out.picture(index).unwrap();
        let guesses = classifier.classify(&picture, 10).unwrap();
        let sum: f64 = guesses.iter().map(|guess| guess.probability).sum();
        assert!((sum - 1.0).abs() < 1e-9);
        assert!(guesses.is_sorted_by(|a, b| a.probability >= b.probability));
        confusion[held_out.label(index) * 10 + guesses[0].class] += 1;
        let own = guesses
            .iter()
            .find(|guess| guess.class == held_out.label(index));
        loss -= own.unwrap().probability.ln() / 30.0;
        assert_eq!(classifier.classify(&picture, 3).unwrap(), guesses[..3]);
        let answer = &answers[index];
        let told = (answer.index, answer.class, answer.answer);
        assert_eq!(told, (index, held_out.label(index), guesses[0].class));
        let (first, own) = (&guesses[0], own.unwrap());
        for (logarithm, guess) in [
            (answer.log_probability_of_answer, first),
            (answer.log_probability, own),
        ] {
            assert!((logarithm.exp() - guess.probability).abs() < 1e-5);
        }
    }
    assert_eq!(confusion, last.confusion);
    assert!((loss - last.loss()).abs() < 1e-5);
}

/// What goes into a program: 16-bit weights without the optimiser's averages, from memory.
#[test]
fn half_precision_weights_answer_nearly_alike() {
    let folder = tempfile::tempdir().unwrap();
    finish(&mut Trainer::new(config(), shapes(), Some(folder.path())).unwrap());
    let options = RuntimeOptions::default();
    let last = Checkpoint::open(&folder.path().join("last.safetensors")).unwrap();
    let small = folder.path().join("small.safetensors");
    last.clone()
        .into_weights()
        .save(&small, Precision::F16)
        .unwrap();
    let bytes = std::fs::read(&small).unwrap();
    let whole = std::fs::metadata(folder.path().join("last.safetensors"))
        .unwrap()
        .len();
    assert!((bytes.len() as u64) < whole / 2);

    let mut exact = Classifier::new(&last, &options).unwrap();
    let mut rounded = Classifier::from_bytes(&bytes, "built-in model", &options).unwrap();
    for index in 0..10 {
        let picture = Shapes::new(9, Part::HeldOut, 10).picture(index).unwrap();
        let probabilities = |classifier: &mut Classifier| {
            let mut guesses = classifier.classify(&picture, 10).unwrap();
            guesses.sort_by_key(|guess| guess.class);
            guesses
                .into_iter()
                .map(|guess| guess.probability)
                .collect::<Vec<_>>()
        };
        let pairs = probabilities(&mut exact)
            .into_iter()
            .zip(probabilities(&mut rounded));
        for (exact, rounded) in pairs {
            assert!((exact - rounded).abs() < 0.02, "{exact} {rounded}");
        }
    }
}
