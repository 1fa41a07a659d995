//! `convolve arith`: a problem worked out by hand.

use clap::Args;
use geometry::{Arithmetic, AxisArithmetic, AxisKind, Field, IndexSet, Problem, Step};
use serde_json::{Value, json};

use super::failure::usage;
use super::field::{by_axis, number};
use super::output;
use super::places;
use super::table::{extents, thousands};

/// What `arith` takes.
#[derive(Args)]
#[command(after_help = "\
n input, k kernel, s stride, d dilation, p padding before and after, ke dilated kernel, a output padding.
Several problems are a stack: each must read what the one before it makes.

Examples: convolve arith conv:n1c3h224w224:o64k7s2p3
          convolve arith conv-transposed:n1c64h7w7:o32k4s2p1
          convolve arith conv:n1c3h32w32:o8k3 conv:n1c8h30w30:o8k3d2")]
pub(crate) struct Arguments {
    /// A problem, such as conv:n1c64h56w56:o64k3s1p1, or several that follow each other
    #[arg(value_name = "PROBLEM", required = true)]
    problems: Vec<Problem>,
    /// One JSON object a line: one for each problem and, of several, one for the stack
    #[arg(long)]
    json: bool,
}

/// Works every problem out, and the stack of them all.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut stack = Vec::with_capacity(arguments.problems.len());
    for problem in &arguments.problems {
        let worked = Arithmetic::of(problem);
        stack.push(worked.map_err(|error| usage(format!("{problem}: {error}")))?);
    }
    let fields = match stack.len() {
        1 => None,
        _ => Some(Arithmetic::field_of_stack(&stack).map_err(usage)?),
    };
    for (place, (problem, worked)) in arguments.problems.iter().zip(&stack).enumerate() {
        if arguments.json {
            output::json(&as_json(problem, worked)?)?;
            continue;
        }
        if place > 0 {
            output::data("")?;
        }
        output::data(as_text(problem, worked)?)?;
    }
    let Some(fields) = fields else {
        return Ok(());
    };
    if arguments.json {
        output::json(&json!({ "stack": stack.len(), "fields": fields_as_json(&fields) }))?;
    } else {
        output::data(format_args!(
            "\nthe stack of {}\n{}",
            stack.len(),
            sees(&fields)
        ))?;
    }
    Ok(())
}

fn as_text(problem: &Problem, worked: &Arithmetic) -> anyhow::Result<String> {
    let mut lines = vec![
        problem.to_string(),
        format!("  {} → {}", extents(&worked.input), extents(&worked.output)),
    ];
    for (first, axis) in worked.axes.iter().enumerate() {
        // An axis that is worked out like the one before needs no second reading.
        let same = |before: &&AxisArithmetic| before.is_like(axis);
        match worked.axes[..first].iter().find(same) {
            Some(before) => lines.push(format!("  {}: as {}", axis.name, before.name)),
            None => {
                lines.push(format!("  {}", axis.name));
                lines.extend(
                    axis_lines(axis, worked.partner.is_some())?
                        .into_iter()
                        .map(|line| format!("    {line}")),
                );
            }
        }
    }
    if worked.parameters > 0 {
        lines.push(format!(
            "  {} weights, {} multiply-accumulates",
            thousands(worked.parameters as u64),
            thousands(worked.macs as u64)
        ));
    }
    lines.push(format!("  {}", sees(&field_of(problem, worked)?)));
    if let Some(partner) = &worked.partner {
        let name = match problem {
            Problem::ConvTransposed(..) => "turns round",
            _ => "its transposed",
        };
        lines.push(format!("  {name}: {partner}"));
    }
    Ok(lines.join("\n"))
}

/// What there is to say of an axis; `turns` where the problem is a convolution that can be turned round.
fn axis_lines(axis: &AxisArithmetic, turns: bool) -> anyhow::Result<Vec<String>> {
    let mut lines: Vec<String> = axis.steps()?.iter().map(in_words).collect();
    let w = &axis.window;
    if axis.kind == AxisKind::Bins {
        return Ok(lines);
    }
    let taken = matches!(axis.kind, AxisKind::Transposed { .. });
    lines.push(match (w.before, w.after) {
        (0, 0) => "no padding".to_owned(),
        (before, after) if taken => format!("padding takes {before} off before, {after} behind"),
        (before, after) => format!("padding: {before} before, {after} behind"),
    });
    lines.extend(unread(axis));
    if turns || taken {
        lines.extend(turned(axis));
    }
    Ok(lines)
}

/// The axis of the transposed convolution as a direct one of stride 1, in the note's letters.
fn turned(axis: &AxisArithmetic) -> [String; 2] {
    let seen = axis.window.stretched();
    let name = match axis.kind {
        AxisKind::Transposed { .. } => "as a direct one",
        _ => "transposed",
    };
    let input = match seen.zeros {
        0 => format!("i' = {}", seen.input),
        zeros => format!(
            "i' = {}, stretched to {} by {zeros} {} between neighbours",
            seen.input,
            seen.extent,
            if zeros == 1 { "zero" } else { "zeros" }
        ),
    };
    let (before, after) = (seen.before, seen.after);
    let taps = format!("k' = {}, s' = {}", seen.kernel, geometry::Stretched::STRIDE);
    [
        format!("{name}: {taps}, p' = ke − p − 1 = {before} before, {after} behind"),
        format!(
            "  {input}; a = (n + p + p − ke) mod s = {}, o' = {}",
            seen.remainder, seen.output
        ),
    ]
}

fn in_words(step: &Step) -> String {
    format!(
        "{}: {} = {} = {}",
        step.what, step.formula, step.numbers, step.result
    )
}

/// What is never read, in words.
fn unread(axis: &AxisArithmetic) -> Option<String> {
    let transposed = matches!(axis.kind, AxisKind::Transposed { .. });
    let unread = match axis.unread() {
        Ok(unread) => unread,
        // So many windows that nobody would read the list.
        Err(error) => return Some(format!("never read: not listed, {error}")),
    };
    let elements = &unread.elements;
    if transposed {
        let never = || format!("never written but for the bias: {}", list(elements));
        return (!elements.is_empty()).then(never);
    }
    match (unread.behind, elements.is_empty()) {
        (0, true) => None,
        (0, false) => Some(format!("never read: {}", list(elements))),
        (behind, true) => Some(format!(
            "the stride leaves {behind} behind the last window, all of it padding"
        )),
        (behind, false) => Some(format!(
            "the stride leaves {behind} behind the last window; never read: {}",
            list(elements)
        )),
    }
}

fn list(elements: &IndexSet) -> String {
    let count = elements.len();
    let noun = if count == 1 { "element" } else { "elements" };
    format!(
        "{} {noun}, {}",
        thousands(count as u64),
        places::words(elements)
    )
}

/// What one output element sees.
fn sees(fields: &[Option<Field>]) -> String {
    let each = |number: fn(&Field) -> geometry::Rational| {
        by_axis(fields.iter().map(|field| match field {
            Some(field) => number(field).to_string(),
            None => "all".to_owned(),
        }))
    };
    if fields.iter().all(Option::is_none) {
        return "receptive field: all of the input".to_owned();
    }
    format!(
        "receptive field: {}, jump {}, start {}, centre {}",
        each(Field::size),
        each(Field::jump),
        each(Field::first),
        each(Field::centre)
    )
}

/// The field of one problem by itself.
fn field_of(problem: &Problem, worked: &Arithmetic) -> anyhow::Result<Vec<Option<Field>>> {
    let field = Arithmetic::field_of_stack(std::slice::from_ref(worked));
    field.map_err(|error| usage(format!("{problem}: {error}")))
}

fn as_json(problem: &Problem, worked: &Arithmetic) -> anyhow::Result<Value> {
    let mut axes = Vec::with_capacity(worked.axes.len());
    for axis in &worked.axes {
        axes.push(axis_as_json(axis, worked.partner.is_some())?);
    }
    let fields = field_of(problem, worked)?;
    Ok(json!({
        "problem": problem.to_string(), "input": worked.input, "output": worked.output, "axes": axes,
        "parameters": worked.parameters, "macs": worked.macs,
        "partner": worked.partner.as_ref().map(Problem::to_string),
        "fields": fields_as_json(&fields),
    }))
}

fn axis_as_json(axis: &AxisArithmetic, turns: bool) -> anyhow::Result<Value> {
    let steps: Vec<Value> = axis
        .steps()?
        .iter()
        .map(|step| {
            json!({
                "what": step.what, "formula": step.formula, "numbers": step.numbers,
                "result": step.result,
            })
        })
        .collect();
    let w = &axis.window;
    let mut answer = json!({
        "axis": axis.name, "input": axis.input(), "output": axis.output(), "steps": steps,
    });
    if axis.kind == AxisKind::Bins {
        return Ok(answer);
    }
    answer["kernel"] = w.kernel.into();
    answer["stride"] = w.stride.into();
    answer["dilation"] = w.dilation.into();
    answer["padding"] = json!([w.before, w.after]);
    if turns || matches!(axis.kind, AxisKind::Transposed { .. }) {
        let seen = w.stretched();
        answer["transposed"] = json!({
            "kernel": seen.kernel, "stride": geometry::Stretched::STRIDE, "input": seen.input,
            "stretched": seen.extent, "padding": [seen.before, seen.after], "a": seen.remainder,
            "output": seen.output,
        });
    }
    if let Ok(unread) = axis.unread() {
        answer["behind"] = unread.behind.into();
        answer["never_read"] = unread.elements.len().into();
    }
    Ok(answer)
}

fn fields_as_json(fields: &[Option<Field>]) -> Value {
    let each = fields.iter().map(|field| {
        field.map(|field| {
            json!({
                "size": number(field.size()), "jump": number(field.jump()),
                "start": number(field.first()), "centre": number(field.centre()),
            })
        })
    });
    each.collect()
}
