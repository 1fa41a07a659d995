use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Team;

/// How often each of `tasks` ran, and that no two ran at once as the same worker.
fn counts(team: &Team, tasks: usize, work: impl Fn(usize) + Sync) -> Vec<usize> {
    let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
    let busy: Vec<Mutex<()>> = (0..team.threads()).map(|_| Mutex::new(())).collect();
    team.for_each(tasks, |index, worker| {
        let _alone = busy[worker].try_lock().expect("one task a worker");
        work(index);
        counts[index].fetch_add(1, Ordering::Relaxed);
    });
    counts.into_iter().map(AtomicUsize::into_inner).collect()
}

#[test]
fn every_task_runs_once_whatever_the_team() {
    for threads in [1, 2, 3, 7] {
        let team = Team::new(threads).unwrap();
        assert_eq!(team.threads(), threads);
        for tasks in [0, 1, 2, 3, 5, 64, 1000] {
            assert_eq!(
                counts(&team, tasks, |_| {}),
                vec![1; tasks],
                "{threads} {tasks}"
            );
        }
    }
}

#[test]
fn many_short_jobs_follow_each_other() {
    for threads in [2, 3] {
        let team = Team::new(threads).unwrap();
        let run = |jobs: usize| {
            for job in 0..jobs {
                let tasks = job % 9;
                assert_eq!(counts(&team, tasks, |_| {}), vec![1; tasks]);
            }
        };
        run(2000);
        team.enter(|| run(2000));
        // Helpers that sleep are woken.
        std::thread::sleep(Duration::from_millis(20));
        run(2000);
    }
}

#[test]
fn tasks_of_unequal_length_are_shared() {
    let team = Team::new(3).unwrap();
    let slow = |index: usize| {
        if index < 5 {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    assert_eq!(counts(&team, 300, slow), vec![1; 300]);
}

#[test]
fn all_threads_take_part() {
    let team = Team::new(3).unwrap();
    let seen = Mutex::new([false; 3]);
    team.for_each(300, |_, worker| {
        seen.lock().unwrap()[worker] = true;
        std::thread::sleep(Duration::from_millis(1));
    });
    assert_eq!(*seen.lock().unwrap(), [true; 3]);
}

#[test]
fn work_shared_out_from_within_a_task_is_done() {
    let team = Team::new(2).unwrap();
    let inner = AtomicUsize::new(0);
    team.for_each(8, |_, _| {
        team.for_each(8, |_, worker| {
            assert_eq!(worker, 0);
            inner.fetch_add(1, Ordering::Relaxed);
        });
    });
    assert_eq!(inner.into_inner(), 64);
}

#[test]
fn a_team_serves_several_callers() {
    let team = Team::new(2).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let sum = AtomicUsize::new(0);
                    team.for_each(20, |index, _| {
                        sum.fetch_add(index, Ordering::Relaxed);
                    });
                    assert_eq!(sum.into_inner(), 190);
                }
            });
        }
    });
}

#[test]
fn a_panic_reaches_the_caller_and_the_team_lives_on() {
    let team = Team::new(3).unwrap();
    for wrong in [0, 63] {
        let result = catch_unwind(AssertUnwindSafe(|| {
            team.for_each(64, |index, _| assert_ne!(index, wrong, "number {wrong}"));
        }));
        let panic = result.unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains(&format!("number {wrong}")), "{text}");
        assert_eq!(counts(&team, 64, |_| {}), vec![1; 64]);
    }
}
