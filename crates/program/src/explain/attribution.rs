//! Maps over the image by gradients: Grad-CAM, saliency, guided backpropagation, deconvnet.

use explain::{
    Backpropagation, ExplainError, Map, RectifierRule, Subject, Target, grad_cam, guided, saliency,
};
use figures::short;
use serde_json::{Value, json};

use super::case::{Case, Watched};
use super::heat::{Drawn, Kind, Words};
use super::method::Method;
use super::occlusion;
use super::shown::{Row, Shown};

/// A map with what it is called, for whatever checks it afterwards.
pub(super) struct Attribution {
    pub(super) method: Method,
    pub(super) title: &'static str,
    pub(super) map: Map,
}

/// The numbers of a map, row by row.
pub(super) fn rows_of(map: &Map) -> Value {
    let rows = map.values().chunks(map.width().max(1));
    rows.map(|row| json!(row)).collect()
}

/// What a program gets to know of a map.
pub(super) fn as_json(map: &Map) -> Value {
    let (low, high) = map.range();
    json!({ "low": low, "high": high, "values": rows_of(map) })
}

/// Regions that speak for the class.
pub(super) fn cam(case: &Case) -> anyhow::Result<(Shown, Attribution)> {
    let layer = &case.watched()?.layer;
    let cam = grad_cam(&case.subject, case.image(), case.class, Some(layer))?;
    let [height, width] = cam.raw.extents();
    let drawn = Drawn::new(&cam.map, Kind::Magnitude).told_by_caption();
    let (low, high) = cam.raw.range();
    let [rows, columns] = cam.map.extents();
    // Nothing is left below 0, where its colours begin.
    let (_, most) = cam.map.range();
    let caption = format!(
        "Where maps of {} speak for {}: their sum, each weighted by how much the logit grows with it. Its \
         {height}×{width} places hold {} to {}. What is negative speaks against the class and is cut to 0; the rest is \
         enlarged to {rows}×{columns} pixels, which flattens its peaks: the colours go from 0 to {}.",
        cam.layer,
        case.own_label(),
        short(low.into()),
        short(high.into()),
        short(most.into()),
    );
    let words = Words {
        title: "Grad-CAM",
        caption: &caption,
        unit: "weighted activation",
    };
    let panel = drawn.over(&case.photo.fine, case.extents(), &words)?;
    let mut numbers = as_json(&cam.map);
    numbers["layer"] = json!(cam.layer);
    numbers["weights"] = json!(cam.weights);
    numbers["raw"] = as_json(&cam.raw);
    let mut shown = Shown::new(Method::GradCam, numbers);
    shown.panels.push(panel);
    let what = format!("Grad-CAM of {}", cam.layer);
    let range = (f64::from(low), f64::from(high));
    let unit = format!("{}, before it is cut and enlarged", words.unit);
    shown.rows.push(Row::new(what, range, &unit));
    let attribution = Attribution {
        method: Method::GradCam,
        title: "Grad-CAM",
        map: cam.map,
    };
    Ok((shown, attribution))
}

/// The gradient of the class.
pub(super) fn gradient(case: &Case) -> anyhow::Result<(Shown, Attribution)> {
    let caption = format!(
        "How much the logit of {} moves with each pixel: the gradient's largest magnitude among the channels.",
        case.own_label()
    );
    let about = About {
        method: Method::Saliency,
        title: "Saliency",
        kind: Kind::Magnitude,
        unit: "logit per unit of the input",
    };
    about.shown(case, &caption)
}

/// What speaks for the class at every ReLU on the way back.
pub(super) fn guided_back(case: &Case) -> anyhow::Result<(Shown, Attribution)> {
    let caption = format!(
        "Back from the logit of {}, at each ReLU only what was on and speaks for it. Such maps are sharp, but follow the \
         image more than the weights (Adebayo et al. 2018).",
        case.own_label()
    );
    let about = About {
        method: Method::Guided,
        title: "Guided backpropagation",
        kind: Kind::Signed,
        unit: "sum over channels, logit per unit of the input",
    };
    about.shown(case, &caption)
}

/// What excites the strongest neuron of a map.
pub(super) fn deconvnet(case: &Case) -> anyhow::Result<(Shown, Attribution)> {
    let Watched { layer, channel } = case.watched()?;
    let caption = format!(
        "Back from the strongest activation of map {channel} of {layer}: max pools by their switches, at each ReLU only what \
         is positive. Such maps follow the image more than the weights (Adebayo et al. 2018)."
    );
    let about = About {
        method: Method::Deconvnet,
        title: "Deconvnet",
        kind: Kind::Signed,
        unit: "sum over channels, activation per unit of the input",
    };
    let (mut shown, attribution) = about.shown(case, &caption)?;
    shown.numbers["layer"] = json!(layer);
    shown.numbers["channel"] = json!(channel);
    Ok((shown, attribution))
}

/// The map of a method, of the case's network or of one with other weights.
pub(super) fn map_of(case: &Case, subject: &Subject, method: Method) -> Result<Map, ExplainError> {
    let (image, class) = (case.image(), case.class);
    match method {
        Method::GradCam => {
            let layer = &case.watched()?.layer;
            Ok(grad_cam(subject, image, class, Some(layer))?.map)
        }
        Method::Occlusion => occlusion::drop_of(case, subject),
        Method::Guided => Ok(Map::sum(&guided(subject, image, class)?)?),
        Method::Deconvnet => {
            let Watched { layer, channel } = case.watched()?;
            let neuron = Target::Neuron {
                layer: layer.clone(),
                channel: *channel,
                at: None,
            };
            let mut back = Backpropagation::new(subject, &neuron, RectifierRule::Deconvnet)?;
            Ok(Map::sum(&back.of(image)?)?)
        }
        _ => Ok(Map::magnitude(&saliency(subject, image, class)?)?),
    }
}

/// What there is to say of a map of gradients.
struct About {
    method: Method,
    title: &'static str,
    kind: Kind,
    unit: &'static str,
}

impl About {
    fn shown(&self, case: &Case, caption: &str) -> anyhow::Result<(Shown, Attribution)> {
        let map = map_of(case, &case.subject, self.method)?;
        let drawn = Drawn::new(&map, self.kind).without_peaks();
        let words = Words {
            title: self.title,
            caption,
            unit: self.unit,
        };
        let mut shown = Shown::new(self.method, as_json(&map));
        shown.panels.push(drawn.alone(&words, "pixels")?);
        shown
            .rows
            .push(Row::new(self.title, drawn.range(), self.unit));
        let attribution = Attribution {
            method: self.method,
            title: self.title,
            map,
        };
        Ok((shown, attribution))
    }
}
