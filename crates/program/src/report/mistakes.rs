//! What was taken for what.

use figures::confusion::{self, MOST_CLASSES};
use figures::html::{Block, Column, Figure, Table};

use super::answers::Answered;
use super::percent;

/// Rows of the table of confusions.
const MOST_ROWS: usize = 12;

/// The matrix, the most frequent mistakes, and every class.
pub(super) fn blocks(answered: &Answered) -> anyhow::Result<Vec<Block>> {
    let evaluation = &answered.evaluation;
    let wrong = evaluation.pictures - evaluation.correct();
    let said = format!(
        "Answered wrongly: {} of {} {}.",
        wrong,
        evaluation.pictures,
        answered.part()
    );
    let mut blocks = vec![Block::Text(said)];
    if !evaluation.skipped.is_empty() {
        blocks.push(Block::Text(format!("{}.", evaluation.skipped)));
    }
    blocks.push(Block::Figures(vec![matrix(answered)?]));
    let mistakes = answered.confusions();
    if !mistakes.is_empty() {
        blocks.push(Block::Table(confusions(answered, &mistakes)));
    }
    blocks.push(Block::Details {
        summary: "Every class".to_owned(),
        blocks: vec![Block::Table(classes(answered))],
    });
    Ok(blocks)
}

/// The classes that a page has room for: all, or those with most mistakes.
fn shown(answered: &Answered) -> Vec<usize> {
    let all = answered.evaluation.classes;
    if all <= MOST_CLASSES {
        return (0..all).collect();
    }
    let mut wrong = vec![0; all];
    for (class, answer, count) in answered.confusions() {
        wrong[class] += count;
        wrong[answer] += count;
    }
    let mut classes: Vec<usize> = (0..all).collect();
    classes.sort_by_key(|&class| std::cmp::Reverse(wrong[class]));
    classes.truncate(MOST_CLASSES);
    classes.sort_unstable();
    classes
}

fn matrix(answered: &Answered) -> anyhow::Result<Figure> {
    let (evaluation, shown) = (&answered.evaluation, shown(answered));
    let names: Vec<String> = shown
        .iter()
        .map(|&class| answered.classes[class].clone())
        .collect();
    let counts: Vec<u64> = shown
        .iter()
        .flat_map(|&class| {
            let row = &evaluation.confusion[class * evaluation.classes..];
            shown.iter().map(|&answer| row[answer])
        })
        .collect();
    let left_out = match evaluation.classes - shown.len() {
        0 => String::new(),
        _ => format!(
            " Shown are the {} of {} classes with most mistakes.",
            shown.len(),
            evaluation.classes
        ),
    };
    let title = "Pictures by class and answer";
    let caption = format!(
        "A row is a class, a column an answer with the number that stands before a class's name. Numbers count pictures; \
         outlined cells on the diagonal are right answers.{left_out}"
    );
    let mut scene = confusion::matrix(&names, &counts)?;
    title.clone_into(&mut scene.title);
    scene.description.clone_from(&caption);
    Ok(Figure {
        title: title.to_owned(),
        scene,
        caption,
        wide: true,
    })
}

fn confusions(answered: &Answered, mistakes: &[(usize, usize, u64)]) -> Table {
    let rows = mistakes
        .iter()
        .take(MOST_ROWS)
        .map(|&(class, answer, count)| {
            let (pictures, _) = answered.evaluation.class(class);
            vec![
                answered.classes[class].clone(),
                answered.classes[answer].clone(),
                count.to_string(),
                percent(count as f64 / pictures.max(1) as f64),
            ]
        });
    let caption = match mistakes.len() {
        more if more > MOST_ROWS => {
            format!("The most frequent mistakes, {MOST_ROWS} of {more} kinds")
        }
        _ => "All kinds of mistakes".to_owned(),
    };
    Table {
        caption,
        columns: vec![
            Column::words("class"),
            Column::words("taken for"),
            Column::numbers("pictures"),
            Column::numbers("of the class"),
        ],
        rows: rows.collect(),
    }
}

fn classes(answered: &Answered) -> Table {
    let evaluation = &answered.evaluation;
    let rows = answered.classes.iter().enumerate().map(|(class, name)| {
        let (pictures, right) = evaluation.class(class);
        let answers = evaluation
            .confusion
            .iter()
            .skip(class)
            .step_by(evaluation.classes);
        let answered: u64 = answers.sum();
        let share = |of: u64| match of {
            0 => "–".to_owned(),
            of => percent(right as f64 / of as f64),
        };
        vec![
            name.clone(),
            pictures.to_string(),
            right.to_string(),
            share(pictures),
            share(answered),
        ]
    });
    Table {
        caption: "Recall: pictures of the class that were answered rightly; precision: answers of the class that were right"
            .to_owned(),
        columns: vec![
            Column::words("class"),
            Column::numbers("pictures"),
            Column::numbers("right"),
            Column::numbers("recall"),
            Column::numbers("precision"),
        ],
        rows: rows.collect(),
    }
}
