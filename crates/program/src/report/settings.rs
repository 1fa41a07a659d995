//! All settings of the run, those that nobody typed too, and how to go on.

use figures::html::{Block, Column, Table};

use super::Run;

/// The settings, the preprocessing, and the commands.
pub(super) fn blocks(run: &Run) -> Vec<Block> {
    let folder = run.folder.display();
    let weights = match (&run.weights, run.has_best_weights()) {
        (None, _) => "",
        (Some(_), true) => " Pictures were classified by its best weights.",
        (Some(_), false) => {
            " Pictures were classified by its last weights: none are marked as best."
        }
    };
    let mut blocks = vec![
        Block::Text(format!(
            "As they stand in {folder}/config.toml, whether typed or chosen by the program.{weights}"
        )),
        Block::Table(Table {
            caption: "Settings of the run".to_owned(),
            columns: vec![Column::words("setting"), Column::words("value")],
            rows: rows(&run.config.to_toml()),
        }),
    ];
    if let Some(weights) = &run.weights {
        let preprocess = &weights.card().preprocess;
        let list = |values: &[f32]| {
            let values: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
            values.join(", ")
        };
        let (height, width) = preprocess.input;
        let fact = |name: &str, what: String| (name.to_owned(), what);
        blocks.push(Block::Text(
            "How a picture becomes the input of the network:".to_owned(),
        ));
        blocks.push(Block::Facts(vec![
            fact(
                "size",
                format!(
                    "{height}×{width} pixels (height×width), {} channels",
                    preprocess.channels
                ),
            ),
            fact("mean", list(&preprocess.mean)),
            fact("standard deviation", list(&preprocess.std)),
        ]));
    }
    let is_finished = run.epochs.len() as u64 >= run.config.epochs;
    let on = match is_finished {
        true => format!("To train further: convolve train --weights {folder}"),
        false => format!("To go on: convolve train --resume {folder}"),
    };
    blocks.push(Block::Text(format!(
        "convolve {}. {on}; to measure: convolve eval {folder}; to use: convolve predict {folder} PICTURE.",
        env!("CARGO_PKG_VERSION")
    )));
    blocks
}

/// The lines of a TOML file of plain values and tables, each with the name of its table before it.
fn rows(toml: &str) -> Vec<Vec<String>> {
    let mut table = String::new();
    let mut rows = Vec::new();
    for line in toml.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            table = format!("{name}.");
        } else if let Some((name, value)) = line.split_once(" = ") {
            rows.push(vec![
                format!("{table}{name}"),
                value.trim_matches('"').to_owned(),
            ]);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::rows;
    use train::TrainConfig;

    #[test]
    fn every_setting_has_a_row() {
        let config = TrainConfig::new("shapes", "lenet5").unwrap();
        let rows = rows(&config.to_toml());
        let has = |name: &str, value: &str| rows.contains(&vec![name.to_owned(), value.to_owned()]);
        assert!(
            has("model", "lenet5") && has("seed", "0") && has("schedule.shape", "one-cycle"),
            "{rows:?}"
        );
        let lines = config.to_toml();
        let values = lines.lines().filter(|line| line.contains(" = ")).count();
        assert_eq!(rows.len(), values);
    }
}
