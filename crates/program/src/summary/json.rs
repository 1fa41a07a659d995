//! `summary --json`

use graph::Counting;
use serde_json::{Value, json};

use super::measured::Taken;
use super::{Row, Told};
use crate::bench::significant;
use crate::field;

/// One object for the network, with one for every layer.
pub(super) fn of(told: &Told<'_>) -> Value {
    let layers: Vec<Value> = told.rows().map(|row| layer(told, &row)).collect();
    let summary = &told.summary;
    let mut table = json!({
        "model": told.name, "input": told.image, "layers": layers,
        "parameters": summary.parameters, "macs": summary.macs,
        "auxiliary_parameters": summary.auxiliary_parameters, "auxiliary_macs": summary.auxiliary_macs,
        "peak_activation_bytes": told.activations,
        "convention": told.counting.convention(), "not_counted": summary.not_counted,
    });
    if told.counting != Counting::Convolve {
        table["counting"] = told.counting.to_string().into();
        table["count"] = told.count.total.into();
    }
    if let Some(measured) = &told.measured {
        table["median_ms"] = significant(measured.total()).into();
        table["peak_gflops"] = significant(measured.peak).into();
        table["edges_ms"] = significant(measured.edges).into();
    }
    if let Err(why) = &told.fields {
        table["fields_not_known"] = why.to_string().into();
    }
    if let Some(weights) = &told.weights {
        table["weights"] = weights.as_str().into();
    }
    table
}

fn layer(told: &Told<'_>, row: &Row<'_>) -> Value {
    let summary = row.summary;
    let mut layer = json!({
        "layer": summary.layer, "op": summary.op, "output": summary.output, "kernel": summary.kernel,
        "parameters": summary.parameters, "macs": summary.macs, "auxiliary": summary.auxiliary,
        "bytes": summary.bytes, "intensity": summary.intensity().map(significant),
        "fields": field::as_json(row.axes),
    });
    if told.counting != Counting::Convolve {
        layer["count"] = row.count.into();
    }
    if let Some(measured) = &told.measured {
        let gflops = row.taken.and_then(Taken::gflops);
        let time = row.taken.map(|taken| taken.milliseconds);
        layer["median_ms"] = time.map(significant).into();
        layer["gflops"] = gflops.map(significant).into();
        layer["of_peak"] = gflops
            .map(|gflops| significant(gflops / measured.peak))
            .into();
    }
    layer
}
