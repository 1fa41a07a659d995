//! Death at any moment of a training leaves checkpoints that load.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use train::{TrainConfig, Trainer};

use super::{config, shapes};

const CHILD: &str = "CONVOLVE_TEST_TRAINING_TO_KILL";

/// Hundreds of epochs, a checkpoint after every step: the process spends its life writing.
fn restless() -> TrainConfig {
    TrainConfig {
        epochs: 100_000,
        checkpoint_steps: 1,
        threads: 1,
        ..config()
    }
}

fn train_until_killed(folder: &Path) -> ! {
    let mut trainer = match folder.join("last.safetensors").is_file() {
        true => Trainer::resume_with(folder, restless(), shapes()).unwrap(),
        false => Trainer::new(restless(), shapes(), Some(folder)).unwrap(),
    };
    loop {
        trainer
            .run_epoch(&mut |_| {}, &AtomicBool::new(false))
            .unwrap();
    }
}

/// The test binary starts itself as a training and kills it, again and again; each life resumes where the former
/// one was killed, so a checkpoint that does not load would end all later ones.
#[test]
fn a_kill_at_any_moment_leaves_a_checkpoint_to_resume() {
    if let Some(folder) = std::env::var_os(CHILD) {
        train_until_killed(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let last = folder.path().join("last.safetensors");
    let mut reached = (0, 0);
    for life in 0..8_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kill::a_kill_at_any_moment_leaves_a_checkpoint_to_resume",
            ])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Wait until this life has written something, then for a moment that is another one each time.
        let (before, start) = (
            std::fs::metadata(&last)
                .and_then(|file| file.modified())
                .ok(),
            Instant::now(),
        );
        while std::fs::metadata(&last)
            .and_then(|file| file.modified())
            .ok()
            == before
        {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "no checkpoint in a minute"
            );
            assert!(
                child.try_wait().unwrap().is_none(),
                "life {life} ended by itself"
            );
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_micros(life * 7_919 % 30_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let trainer = Trainer::resume_with(folder.path(), restless(), shapes()).unwrap();
        // The last step of an epoch and the epoch's end have checkpoints of their own.
        let further = (trainer.progress().step, trainer.progress().epoch);
        assert!(
            further > reached,
            "life {life} got no further than {reached:?}"
        );
        reached = further;
    }
}
