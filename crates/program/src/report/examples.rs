//! Pictures that the network was most sure of, and those that it got most wrong.

use figures::html::{Block, Figure};
use figures::{Bitmap, Item, Paint, Scene, at};
use formats::{Interpolation, Picture, Region, resize};
use train::Answer;

use super::answers::Answered;

/// Pictures of a kind.
const MOST: usize = 14;
/// The longer side on the page.
const SIDE: f64 = 140.0;
/// The longer side of what is embedded, for screens of fine pixels.
const PIXELS: usize = 280;
/// A picture with fewer pixels a side is drawn as squares.
const COARSE: usize = 70;

/// Wrong answers, those first whose class the network took for the least likely.
pub(super) fn worst(answered: &Answered) -> anyhow::Result<Vec<Block>> {
    let wrong = answered.answers.iter().filter(|answer| !answer.is_right());
    let mut wrong: Vec<&Answer> = wrong.collect();
    if wrong.is_empty() {
        let text = "Every picture was answered rightly.".to_owned();
        return Ok(vec![Block::Text(text)]);
    }
    wrong.sort_by(|a, b| a.log_probability.total_cmp(&b.log_probability));
    let text = match wrong.len() {
        1 => "The one picture that was answered wrongly.".to_owned(),
        few if few <= MOST => {
            format!("All {few} pictures that were answered wrongly, the highest loss first.")
        }
        many => format!("The {MOST} of {many} wrong answers with the highest loss."),
    };
    wrong.truncate(MOST);
    Ok(vec![Block::Text(text), gallery(answered, &wrong)?])
}

/// Right answers that the network was most sure of, from every class in turn.
pub(super) fn best(answered: &Answered) -> anyhow::Result<Vec<Block>> {
    let right = answered.answers.iter().filter(|answer| answer.is_right());
    let mut right: Vec<&Answer> = right.collect();
    if right.is_empty() {
        let text = "No picture was answered rightly.".to_owned();
        return Ok(vec![Block::Text(text)]);
    }
    right.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
    // The turn of an answer is its place among those of its class.
    let mut seen = vec![0; answered.classes.len()];
    let mut turns: Vec<(usize, &Answer)> = Vec::with_capacity(right.len());
    for answer in right {
        turns.push((seen[answer.class], answer));
        seen[answer.class] += 1;
    }
    turns.sort_by_key(|&(turn, answer)| (turn, answer.class));
    let best: Vec<&Answer> = turns.iter().take(MOST).map(|&(_, answer)| answer).collect();
    let text = "Right answers that the network was most sure of, from every class in turn.";
    Ok(vec![
        Block::Text(text.to_owned()),
        gallery(answered, &best)?,
    ])
}

fn gallery(answered: &Answered, answers: &[&Answer]) -> anyhow::Result<Block> {
    let figures = answers.iter().map(|answer| figure(answered, answer));
    Ok(Block::Figures(figures.collect::<anyhow::Result<_>>()?))
}

/// A picture with its class, its answer and how sure the network was. A picture that can no longer be read is a blank.
fn figure(answered: &Answered, answer: &Answer) -> anyhow::Result<Figure> {
    let (class, taken) = (
        &answered.classes[answer.class],
        &answered.classes[answer.answer],
    );
    let probability = |logarithm: f64| share(logarithm.exp());
    let own = probability(answer.log_probability);
    let caption = match answer.is_right() {
        true => format!("p\u{a0}=\u{a0}{own}"),
        false => format!(
            "taken for {taken}, p\u{a0}=\u{a0}{}; {class}: p\u{a0}=\u{a0}{own}",
            probability(answer.log_probability_of_answer)
        ),
    };
    let name = answered.pictures.name(answer.index);
    let mut scene = match answered.pictures.picture(answer.index) {
        Ok(picture) => drawn(&picture)?,
        Err(_) => {
            let mut scene = Scene::new("", "");
            let blank = Item::rectangle(at(0.0, 0.0), SIDE, SIDE).fill(Paint::Panel);
            scene.ground.push(blank);
            scene.fit(SIDE, SIDE);
            scene
        }
    };
    scene.title = format!("{class}: {name}");
    scene.description.clone_from(&caption);
    Ok(Figure {
        title: class.clone(),
        scene,
        caption,
        wide: false,
    })
}

/// A probability that no line break takes apart, of which even the smallest are told from none.
fn share(probability: f64) -> String {
    let percent = 100.0 * probability;
    match percent {
        percent if percent >= 99.995 => "100\u{a0}%".to_owned(),
        percent if percent >= 0.005 => format!("{percent:.2}\u{a0}%"),
        percent => format!("{}\u{a0}%", figures::short(percent)),
    }
}

/// The picture in the middle of a square.
fn drawn(picture: &Picture) -> anyhow::Result<Scene> {
    let longer = picture.height.max(picture.width);
    let shrunk = |side: usize| (side * PIXELS / longer).max(1);
    let small = match longer > PIXELS {
        true => {
            let whole = Region {
                top: 0.0,
                left: 0.0,
                height: picture.height as f64,
                width: picture.width as f64,
            };
            let size = (shrunk(picture.height), shrunk(picture.width));
            &resize(picture, whole, size, Interpolation::Bilinear)?
        }
        false => picture,
    };
    let rgb = small.to_channels(3)?;
    let bitmap = Bitmap::new(rgb.width, rgb.height, &rgb.pixels)?;
    let scale = SIDE / rgb.height.max(rgb.width) as f64;
    let (width, height) = (rgb.width as f64 * scale, rgb.height as f64 * scale);
    let corner = at((SIDE - width) / 2.0, (SIDE - height) / 2.0);
    let item = Item::bitmap(corner, width, height, bitmap);
    let mut scene = Scene::new("", "");
    scene.ground.push(match longer < COARSE {
        true => item,
        false => item.smooth(),
    });
    scene.fit(SIDE, SIDE);
    Ok(scene)
}
