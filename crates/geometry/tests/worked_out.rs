//! Problems worked out, against windows that are slid by hand over a row of cells.
//!
//! Nothing here is computed by a formula of the crate: placements are tried one after the other, and cells
//! are marked as they are read or written.

use std::collections::BTreeSet;

use geometry::{Arithmetic, AxisArithmetic, CostDesc, IndexSet, Problem, Region};
use testkit::Draw;

/// A row of cells, and a window that is slid over it.
#[derive(Clone, Copy, Debug)]
struct Row {
    input: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
}

impl Row {
    fn draw(draw: &mut Draw) -> Self {
        Self {
            input: 1 + draw.below(30),
            kernel: 1 + draw.below(5),
            stride: 1 + draw.below(6),
            dilation: 1 + draw.below(3),
            before: draw.below(5),
            after: draw.below(5),
        }
    }

    fn padded(&self) -> usize {
        self.before + self.input + self.after
    }

    /// Cells of the padded row under a window that begins at one of them.
    fn under(&self, start: usize) -> Vec<usize> {
        (0..self.kernel)
            .map(|t| start + t * self.dilation)
            .collect()
    }

    /// The cells under each placement: as long as the window fits; in ceil mode until no cell is left
    /// behind the last one, which is dropped again if it begins in the padding behind.
    fn placements(&self, ceil: bool) -> Option<Vec<Vec<usize>>> {
        let (padded, mut all) = (self.padded(), Vec::new());
        for start in (0..).step_by(self.stride) {
            let under = self.under(start);
            let end = under[self.kernel - 1] + 1;
            let reached = all
                .last()
                .map(|last: &Vec<usize>| last[self.kernel - 1] + 1);
            let wanted = match reached {
                Some(reached) => ceil && reached < padded,
                // The first may hang over by less than a step.
                None => ceil && end < padded + self.stride,
            };
            match end <= padded || wanted {
                true => all.push(under),
                false => break,
            }
        }
        let late = |last: &Vec<usize>| last[0] >= self.before + self.input;
        if ceil && all.last().is_some_and(late) {
            all.pop();
        }
        (!all.is_empty()).then_some(all)
    }

    /// One past the last cell under any placement.
    fn reached(&self, placements: &[Vec<usize>]) -> usize {
        placements.iter().flatten().max().map_or(0, |cell| cell + 1)
    }

    /// Elements that no placement reads.
    fn unread(&self, placements: &[Vec<usize>]) -> Vec<usize> {
        let read: BTreeSet<usize> = placements.iter().flatten().copied().collect();
        (0..self.input)
            .filter(|i| !read.contains(&(i + self.before)))
            .collect()
    }

    fn problem(&self, kind: &str, rest: &str) -> Problem {
        let Self {
            input,
            kernel,
            stride,
            dilation,
            before,
            after,
        } = self;
        let text =
            format!("{kind}:n1c1w{input}:{rest}k{kernel}s{stride}p{before},{after}d{dilation}");
        text.parse().unwrap()
    }
}

fn worked(problem: &Problem) -> Option<(AxisArithmetic, Arithmetic)> {
    let worked = Arithmetic::of(problem).ok()?;
    Some((worked.axes[0], worked))
}

fn list(set: &IndexSet) -> Vec<usize> {
    set.iter().collect()
}

#[test]
fn windows_are_those_that_can_be_slid() {
    let mut draw = Draw::new(6);
    let (mut refused, mut left, mut gaps) = (0, 0, 0);
    for _ in 0..10_000 {
        let row = Row::draw(&mut draw);
        let problem = row.problem("conv", "o1");
        let Some(placements) = row.placements(false) else {
            assert_eq!(worked(&problem), None, "{problem}");
            refused += 1;
            continue;
        };
        let (axis, all) = worked(&problem).unwrap();
        let steps = axis.steps().unwrap();
        assert_eq!(steps.last().unwrap().result, placements.len(), "{problem}");
        assert_eq!(all.output, [1, 1, placements.len()], "{problem}");
        assert_eq!(
            (all.parameters, all.macs),
            (row.kernel, row.kernel * placements.len())
        );

        let unread = axis.unread().unwrap();
        let behind = row.padded() - row.reached(&placements);
        assert_eq!(unread.behind, behind, "{problem}");
        assert_eq!(list(&unread.elements), row.unread(&placements), "{problem}");
        left += usize::from(behind > 0);
        gaps += usize::from(!unread.elements.is_empty());

        // What one place reads, and what some neighbours read.
        let start = draw.below(placements.len());
        let end = start + 1 + draw.below(placements.len() - start);
        let cells: BTreeSet<usize> = placements[start..end].iter().flatten().copied().collect();
        let inside = cells.iter().filter_map(|cell| cell.checked_sub(row.before));
        let inside: Vec<usize> = inside.filter(|&i| i < row.input).collect();
        assert_eq!(
            list(&axis.reads().of(start..end).unwrap()),
            inside,
            "{problem} {start}..{end}"
        );
    }
    assert!(
        refused > 300 && left > 3000 && gaps > 2000,
        "{refused} {left} {gaps}"
    );
}

#[test]
fn pools_round_up_as_windows_that_hang_over() {
    let mut draw = Draw::new(7);
    let (mut dropped, mut hanging) = (0, 0);
    for _ in 0..10_000 {
        let row = Row::draw(&mut draw);
        let mut text = row.problem("pool-max", "").to_string();
        text.push_str(",ceil");
        let problem: Problem = text.parse().unwrap();
        let Some(placements) = row.placements(true) else {
            assert_eq!(worked(&problem), None, "{problem}");
            continue;
        };
        let (axis, _) = worked(&problem).unwrap_or_else(|| panic!("{problem}"));
        let steps = axis.steps().unwrap();
        assert_eq!(steps.last().unwrap().result, placements.len(), "{problem}");
        assert_eq!(
            list(&axis.unread().unwrap().elements),
            row.unread(&placements),
            "{problem}"
        );
        let (window, reached) = (axis.window, row.reached(&placements));
        assert_eq!(
            (window.padded(), window.reach()),
            (row.padded(), reached),
            "{problem}"
        );
        let overhang = (row.padded()..reached).count();
        assert_eq!(window.overhang(), overhang, "{problem}");
        hanging += usize::from(overhang > 0);
        dropped += usize::from(steps.iter().filter(|step| step.what == "output").count() > 1);
    }
    assert!(dropped > 300 && hanging > 2000, "{dropped} {hanging}");
}

#[test]
fn transposed_convolutions_are_what_stamps_leave() {
    let mut draw = Draw::new(8);
    let mut unwritten = 0;
    for _ in 0..10_000 {
        let row = Row::draw(&mut draw);
        let added = draw.below(row.stride.max(row.dilation));
        let mut text = row.problem("conv-transposed", "o1").to_string();
        text.push_str(&format!("a{added}"));
        let problem: Problem = text.parse().unwrap();
        // Every element leaves a stamp of the kernel, a step apart; the padding takes cells off both ends.
        let stamps: Vec<Vec<usize>> = (0..row.input).map(|i| row.under(i * row.stride)).collect();
        let full = stamps[row.input - 1][row.kernel - 1] + 1 + added;
        let kept = row.before..full.saturating_sub(row.after);
        if kept.is_empty() {
            assert_eq!(worked(&problem), None, "{problem}");
            continue;
        }
        let (axis, all) = worked(&problem).unwrap_or_else(|| panic!("{problem}"));
        assert_eq!(all.output, [1, 1, kept.len()], "{problem}");
        assert_eq!(
            axis.steps().unwrap().last().unwrap().result,
            kept.len(),
            "{problem}"
        );
        let never = |o: &usize| !stamps.iter().flatten().any(|&cell| cell == o + row.before);
        let never: Vec<usize> = (0..kept.len()).filter(never).collect();
        assert_eq!(list(&axis.unread().unwrap().elements), never, "{problem}");
        unwritten += usize::from(!never.is_empty());

        let start = draw.below(kept.len());
        let end = start + 1 + draw.below(kept.len() - start);
        let cells = start + row.before..end + row.before;
        let reads = (0..row.input).filter(|&i| stamps[i].iter().any(|cell| cells.contains(cell)));
        let reads: Vec<usize> = reads.collect();
        assert_eq!(
            list(&axis.reads().of(start..end).unwrap()),
            reads,
            "{problem} {start}..{end}"
        );

        // The convolution that it turns round makes its input of its output, or another number of
        // places where whole steps were added.
        if let Some(partner) = &all.partner {
            assert_eq!(
                Arithmetic::of(partner).unwrap().output,
                all.input,
                "{problem}"
            );
        } else {
            assert!(added >= row.stride, "{problem}");
        }
    }
    assert!(unwritten > 1000, "{unwritten}");
}

/// The note's relations: k' = k, s' = 1, the input stretched to i' + (i' − 1)(s − 1), p' = k − p − 1,
/// a = (i + 2p − k) mod s, o' = s(i' − 1) + a + k − 2p.
#[test]
fn the_partner_is_the_one_of_the_notes_relations() {
    let mut draw = Draw::new(9);
    let mut odd = 0;
    for _ in 0..10_000 {
        let k = 1 + draw.below(7);
        let (s, p) = (1 + draw.below(5), draw.below(k));
        let i = k + draw.below(30);
        let problem: Problem = format!("conv:n1c3w{i}:o5k{k}s{s}p{p}").parse().unwrap();
        let (axis, all) = worked(&problem).unwrap();
        let o = axis.output();
        let a = (i + 2 * p - k) % s;
        let seen = axis.window.stretched();
        assert_eq!(seen.kernel, k, "{problem}");
        assert_eq!(seen.extent, o + (o - 1) * (s - 1), "{problem}");
        assert_eq!(seen.before, (k - p - 1) as isize, "{problem}");
        assert_eq!(seen.remainder, a, "{problem}");
        assert_eq!(s * (o - 1) + a + k - 2 * p, i, "{problem}");
        let partner = all.partner.unwrap();
        let back = Arithmetic::of(&partner).unwrap();
        assert_eq!(
            (back.input, back.output),
            (all.output, all.input),
            "{problem} {partner}"
        );
        assert_eq!(
            Arithmetic::of(&back.partner.unwrap()).unwrap().output,
            [1, 5, o],
            "{problem}"
        );
        odd += usize::from(a > 0);
    }
    assert!(odd > 3000, "{odd}");
}

#[test]
fn same_padding_is_the_least_that_gives_enough_windows() {
    let mut draw = Draw::new(10);
    for _ in 0..10_000 {
        let row = Row::draw(&mut draw);
        let lower = draw.once_in(2);
        let Row {
            input,
            kernel,
            stride,
            dilation,
            ..
        } = row;
        let rule = if lower { "same-lower" } else { "same" };
        let text = format!("conv:n1c1w{input}:o1k{kernel}s{stride}p{rule}d{dilation}");
        let (axis, _) = worked(&text.parse().unwrap()).unwrap();
        // A window at every step that begins on an element.
        let wanted = (0..input).step_by(stride).count();
        let enough = |&after: &usize| {
            let padded = Row {
                before: 0,
                after,
                ..row
            };
            padded
                .placements(false)
                .is_some_and(|all| all.len() >= wanted)
        };
        let total = (0..).find(enough).unwrap();
        let (near, far) = (axis.window.before, axis.window.after);
        assert_eq!(near + far, total, "{text}");
        let odd = usize::from(total % 2 == 1);
        assert_eq!(if lower { near - far } else { far - near }, odd, "{text}");
        assert_eq!(axis.output(), wanted, "{text}");
    }
}

/// Two and three axes, each with numbers of its own.
#[test]
fn axes_are_worked_out_each_by_itself() {
    let mut draw = Draw::new(14);
    let mut met = 0;
    for _ in 0..10_000 {
        let rows: Vec<Row> = (0..2 + draw.below(2))
            .map(|_| Row::draw(&mut draw))
            .collect();
        let each = |number: fn(&Row) -> usize, between: &str| {
            let numbers: Vec<String> = rows.iter().map(|row| number(row).to_string()).collect();
            numbers.join(between)
        };
        let extents = ["d", "h", "w"][3 - rows.len()..].iter().zip(&rows);
        let extents: String = extents
            .map(|(name, row)| format!("{name}{}", row.input))
            .collect();
        let problem: Problem = format!(
            "conv:n2c3{extents}:o5k{}s{}p{},{}d{}",
            each(|row| row.kernel, "x"),
            each(|row| row.stride, "x"),
            each(|row| row.before, ","),
            each(|row| row.after, ","),
            each(|row| row.dilation, "x"),
        )
        .parse()
        .unwrap();
        let placements = rows.iter().map(|row| row.placements(false));
        let Some(placements) = placements.collect::<Option<Vec<_>>>() else {
            assert_eq!(Arithmetic::of(&problem).ok(), None, "{problem}");
            continue;
        };
        let worked = Arithmetic::of(&problem).unwrap();
        assert_eq!(worked.output[..2], [2, 5], "{problem}");
        assert_eq!(worked.axes.len(), rows.len(), "{problem}");
        let mut products = 2 * 3 * 5;
        for (place, (row, placements)) in rows.iter().zip(&placements).enumerate() {
            let axis = &worked.axes[place];
            assert_eq!(worked.output[2 + place], placements.len(), "{problem}");
            assert_eq!(axis.output(), placements.len(), "{problem}");
            let unread = axis.unread().unwrap();
            assert_eq!(
                unread.behind,
                row.padded() - row.reached(placements),
                "{problem}"
            );
            assert_eq!(list(&unread.elements), row.unread(placements), "{problem}");
            products *= placements.iter().flatten().count();
        }
        assert_eq!(worked.macs, products, "{problem}");
        met += 1;
    }
    assert!(met > 5000, "{met}");
}

/// Fields of stacks, against cells marked on a row without ends.
#[test]
fn the_field_of_a_stack_is_what_its_windows_cover() {
    let mut draw = Draw::new(11);
    for _ in 0..10_000 {
        let (mut input, mut stack, mut rows) = (60 + draw.below(40), Vec::new(), Vec::new());
        for _ in 0..1 + draw.below(3) {
            let row = Row {
                input,
                stride: 1 + draw.below(2),
                ..Row::draw(&mut draw)
            };
            let Some((_, worked)) = worked(&row.problem("conv", "o1")) else {
                break;
            };
            input = worked.output[2];
            rows.push(row);
            stack.push(worked);
        }
        let field = Arithmetic::field_of_stack(&stack).unwrap()[0].unwrap();
        for u in [0, 1, input - 1] {
            let mut cells = BTreeSet::from([u as i64]);
            for row in rows.iter().rev() {
                let under = |&cell: &i64| {
                    let start = cell * row.stride as i64 - row.before as i64;
                    (0..row.kernel).map(move |t| start + (t * row.dilation) as i64)
                };
                cells = cells.iter().flat_map(under).collect();
            }
            let moved = field.jump().numerator() * u as i64;
            assert_eq!(
                field.first().numerator() + moved,
                *cells.first().unwrap(),
                "{rows:?}"
            );
            assert_eq!(
                field.last().numerator() + moved,
                *cells.last().unwrap(),
                "{rows:?}"
            );
        }
    }
    let chain = ["conv:n1c3w9:o8k3", "conv:n1c8w8:o8k3"].map(|text| text.parse().unwrap());
    let chain = chain.map(|problem: Problem| Arithmetic::of(&problem).unwrap());
    let error = Arithmetic::field_of_stack(&chain).unwrap_err();
    assert_eq!(
        error.to_string(),
        "problem 2 reads [1, 8, 8], but the one before it makes [1, 8, 7]"
    );
}

#[test]
fn regions_are_sets() {
    let mut draw = Draw::new(12);
    for _ in 0..2000 {
        let mut axis = || {
            let runs = (0..1 + draw.below(3)).map(|_| {
                let start = draw.below(8);
                start..start + draw.below(4)
            });
            IndexSet::of(runs.collect::<Vec<_>>())
        };
        let sets: Vec<[IndexSet; 3]> = (0..3).map(|_| [axis(), axis(), axis()]).collect();
        let regions = sets
            .iter()
            .map(|sets| Region::product(sets).unwrap())
            .collect();
        let region = Region::unite(regions).unwrap();
        let inside = |place: [usize; 3]| {
            let one = |sets: &[IndexSet; 3]| (0..3).all(|axis| sets[axis].contains(place[axis]));
            sets.iter().any(one)
        };
        let places = (0..12usize.pow(3)).map(|n| [n / 144, n / 12 % 12, n % 12]);
        let expected: Vec<_> = places.filter(|&place| inside(place)).collect();
        assert_eq!(region.len(), expected.len());
        assert!(expected.iter().all(|place| region.contains(place)));
        let boxed: usize = region
            .boxes()
            .iter()
            .map(|b| b.iter().map(|r| r.len()).product::<usize>())
            .sum();
        assert_eq!(boxed, expected.len());
        // The same set is the same value, however it came about.
        let cells = expected.iter().map(|place| {
            let sets = place.map(|at| IndexSet::from(at..at + 1));
            Region::product(&sets).unwrap()
        });
        assert_eq!(Region::unite(cells.collect()).unwrap(), region);
    }
}

/// Weights and products counted one by one, as loops would run.
#[test]
fn kinds_of_convolution_cost_what_their_loops_do() {
    let mut draw = Draw::new(13);
    let mut refused = 0;
    for _ in 0..500 {
        let [i, o] = [1 + draw.below(24), 1 + draw.below(24)];
        let (k, g) = (1 + draw.below(7), 1 + draw.below(3));
        let [r, t] = [1 + draw.below(4), 1 + draw.below(6)];
        let size = [1 + draw.below(9), 1 + draw.below(9)];
        let desc = CostDesc::new(i, o, k, size)
            .groups(g)
            .reduction(r)
            .expansion(t);
        let table = desc.table().unwrap();
        assert_eq!(table.len(), 10);
        let (m, wide, a) = ((o / r).max(1), i * t, k / 2 + 1);
        let b = k + 1 - a;
        for kind in table {
            let Ok(kind) = kind else {
                refused += 1;
                continue;
            };
            let weights = match kind.name {
                "standard" => i * o * k * k,
                "grouped" => i * o * k * k / g,
                "depthwise" => i * k * k,
                "pointwise" => i * o,
                "separable" => i * k * k + i * o,
                "bottleneck" => i * m + m * m * k * k + m * o,
                "inverted residual" => i * wide + wide * k * k + wide * o,
                "factorised 1×k, k×1" => i * o * k + o * o * k,
                "factorised a×a, b×b" => i * o * a * a + o * o * b * b,
                "shuffled" => i * m / g + m * k * k + m * o / g,
                other => panic!("{other}"),
            };
            assert_eq!(kind.cost.parameters, weights, "{}: {desc:?}", kind.name);
            assert_eq!(kind.cost.macs, weights * size[0] * size[1], "{}", kind.name);
            let (over, under) = kind.ratio;
            assert_eq!(over * i * o * k * k, under * weights, "{}", kind.name);
            let field = if kind.name == "pointwise" { 1 } else { k };
            assert_eq!(kind.cost.receptive_field, [field, field], "{}", kind.name);
        }
    }
    assert!(refused > 100, "{refused}");
}
