//! One page that needs nothing else: text, tables and pictures.
//!
//! It asks for no other file, which its content policy says to the browser too, and runs no script. Colours follow the
//! reader's preference for light or dark; pictures stand side by side where there is room, and one below the other on a
//! phone; where two have room, those of a part fill its rows without a gap. What is wider than the screen (a table, a wide
//! picture) scrolls in its own frame, which the keyboard reaches; its edge is shaded where there is more, a line above
//! says so, and the names of a table's rows stay.

use std::fmt::Write;

use crate::font::{Weight, width};
use crate::panel::WIDTH;
use crate::scene::Scene;
use crate::svg::{self, escaped};
use crate::{Paint, Theme};

/// A page from top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The heading, and the name in the browser's tab.
    pub title: String,
    /// What stands below it.
    pub lead: Vec<Block>,
    /// The parts; where there are several, the page begins with links to them.
    pub sections: Vec<Section>,
}

/// A part with a heading.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// What stands below it.
    pub blocks: Vec<Block>,
}

/// Something on the page.
#[derive(Clone, Debug)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// Names with what they are.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// Pictures side by side.
    Figures(Vec<Figure>),
    /// What is shown on demand.
    Details {
        /// What stands there before.
        summary: String,
        /// The rest.
        blocks: Vec<Block>,
    },
}

/// A picture with its words.
#[derive(Clone, Debug)]
pub struct Figure {
    /// A short name above it.
    pub title: String,
    /// The picture.
    pub scene: Scene,
    /// What there is to say below it.
    pub caption: String,
    /// It takes the whole width, and keeps its letters readable on a narrow screen by scrolling.
    pub wide: bool,
}

/// Rows of cells below their headings.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// Headings of columns.
    pub columns: Vec<Column>,
    /// Cells, as many a row as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// A column of a table.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Its heading.
    pub heading: String,
    /// Its cells are numbers, which stand at the right.
    pub number: bool,
}

impl Column {
    /// A column of words.
    pub fn words(heading: impl Into<String>) -> Self {
        let (heading, number) = (heading.into(), false);
        Self { heading, number }
    }

    /// A column of numbers.
    pub fn numbers(heading: impl Into<String>) -> Self {
        let (heading, number) = (heading.into(), true);
        Self { heading, number }
    }
}

/// The text of the file.
///
/// ```
/// use figures::html::{Block, Page, Section, write};
///
/// let page = Page {
///     title: "A network & its picture".to_owned(),
///     lead: vec![Block::Text("What it sees.".to_owned())],
///     sections: vec![Section::default()],
/// };
/// let text = write(&page);
/// assert!(text.contains("<h1>A network &amp; its picture</h1>"));
/// ```
pub fn write(page: &Page) -> String {
    let mut writer = Writer::default();
    for block in &page.lead {
        writer.block(block, 2);
    }
    if page.sections.len() > 1 {
        writer.contents(&page.sections);
    }
    for (place, section) in page.sections.iter().enumerate() {
        let heading = escaped(&section.heading);
        let _ = writeln!(
            writer.body,
            "<section aria-labelledby=\"part-{place}\">\n<h2 id=\"part-{place}\">{heading}</h2>"
        );
        for block in &section.blocks {
            writer.block(block, 3);
        }
        writer.body.push_str("</section>\n");
    }
    let title = escaped(&page.title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{}</main>\n</body>\n</html>\n",
        style(),
        writer.body,
    )
}

#[derive(Default)]
struct Writer {
    body: String,
    /// Pictures so far.
    pictures: usize,
}

impl Writer {
    fn contents(&mut self, sections: &[Section]) {
        self.body.push_str("<nav aria-label=\"Contents\">\n<ul>\n");
        for (place, section) in sections.iter().enumerate() {
            let heading = escaped(&section.heading);
            let _ = writeln!(
                self.body,
                "<li><a href=\"#part-{place}\">{heading}</a></li>"
            );
        }
        self.body.push_str("</ul>\n</nav>\n");
    }

    /// A block whose headings are of a level.
    fn block(&mut self, block: &Block, level: usize) {
        match block {
            Block::Text(text) => {
                let _ = writeln!(self.body, "<p>{}</p>", escaped(text));
            }
            Block::Facts(facts) => {
                self.body.push_str("<dl>\n");
                for (name, what) in facts {
                    let (name, what) = (escaped(name), escaped(what));
                    let _ = writeln!(self.body, "<div><dt>{name}</dt><dd>{what}</dd></div>");
                }
                self.body.push_str("</dl>\n");
            }
            Block::Table(table) => self.table(table),
            Block::Figures(figures) => {
                let columns = columns(figures);
                let _ = writeln!(self.body, "<div class=\"figures{columns}\">");
                for figure in figures {
                    self.figure(figure, level);
                }
                self.body.push_str("</div>\n");
            }
            Block::Details { summary, blocks } => {
                let summary = escaped(summary);
                let _ = writeln!(self.body, "<details>\n<summary>{summary}</summary>");
                for block in blocks {
                    self.block(block, level);
                }
                self.body.push_str("</details>\n");
            }
        }
    }

    fn figure(&mut self, figure: &Figure, level: usize) {
        let picture = svg::write_as(&figure.scene, format!("p{}", self.pictures));
        self.pictures += 1;
        let (title, caption) = (escaped(&figure.title), escaped(&figure.caption));
        let body = &mut self.body;
        body.push_str(if figure.wide {
            "<figure class=\"wide\">\n"
        } else {
            "<figure>\n"
        });
        if !title.is_empty() {
            let _ = writeln!(body, "<h{level}>{title}</h{level}>");
        }
        match figure.wide {
            true => {
                let least = (figure.scene.width * 0.8).round();
                more(body, least);
                let _ = write!(
                    body,
                    "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">\
                     <div style=\"min-width:{least}px\">\n{picture}</div></div>\n"
                );
            }
            false => body.push_str(&picture),
        }
        if !caption.is_empty() {
            let _ = writeln!(body, "<figcaption>{caption}</figcaption>");
        }
        body.push_str("</figure>\n");
    }

    fn table(&mut self, table: &Table) {
        let caption = escaped(&table.caption);
        let body = &mut self.body;
        more(body, least_width(table));
        let _ = write!(
            body,
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\">\n<table>\n"
        );
        if !caption.is_empty() {
            let _ = writeln!(body, "<caption>{caption}</caption>");
        }
        let class = |column: &Column| {
            if column.number {
                " class=\"number\""
            } else {
                ""
            }
        };
        body.push_str("<thead><tr>");
        for column in &table.columns {
            let heading = escaped(&column.heading);
            let _ = write!(body, "<th scope=\"col\"{}>{heading}</th>", class(column));
        }
        body.push_str("</tr></thead>\n<tbody>\n");
        for row in &table.rows {
            body.push_str("<tr>");
            for (place, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                let (cell, class) = (escaped(cell), class(column));
                let _ = match place {
                    0 => write!(body, "<th scope=\"row\"{class}>{cell}</th>"),
                    _ => write!(body, "<td{class}>{cell}</td>"),
                };
            }
            body.push_str("</tr>\n");
        }
        body.push_str("</tbody>\n</table>\n</div>\n");
    }
}

/// A line that says that what follows scrolls, where it has less room than it needs at least, in pixels.
fn more(body: &mut String, least: f64) {
    let _ = writeln!(
        body,
        "<div class=\"more\" style=\"--least:{least}px\" aria-hidden=\"true\">there is more: scroll →</div>"
    );
}

/// Pixels that a table needs at least on a narrow screen, by the letters of this room: a reader's may be others.
fn least_width(table: &Table) -> f64 {
    /// Letters of tables, as [`RULES`] has them.
    const LETTERS: f64 = 0.9 * 16.0;
    /// Left of a cell on a narrow screen, which the first one of a row does without, and right of it.
    const BESIDE: f64 = 0.4 * 16.0;
    let words = |text: &str, weight| {
        let words = text.split([' ', '-']);
        words
            .map(|word| width(word, LETTERS, weight))
            .fold(0.0, f64::max)
    };
    let columns = table.columns.iter().enumerate().map(|(place, column)| {
        let cells = table.rows.iter().filter_map(|row| row.get(place));
        let cells = cells.map(|cell| match column.number {
            true => width(cell, LETTERS, Weight::Regular),
            false => words(cell, Weight::Regular),
        });
        cells.fold(words(&column.heading, Weight::Bold), f64::max) + 2.0 * BESIDE
    });
    (columns.sum::<f64>() - BESIDE).max(0.0).floor()
}

/// The class of a row of pictures: the columns are as wide as the widest picture asks for.
fn columns(figures: &[Figure]) -> &'static str {
    let narrow = figures.iter().filter(|figure| !figure.wide);
    match narrow.map(|figure| figure.scene.width).fold(0.0, f64::max) {
        width if width > WIDTH => " large",
        width if width > WIDTH / 2.0 || width == 0.0 => "",
        _ => " small",
    }
}

/// The style sheet, with the colours of both themes.
fn style() -> String {
    let colours = |theme| {
        let named = [
            ("page", Paint::Page),
            ("ink", Paint::Ink),
            ("muted", Paint::Muted),
            ("rule", Paint::Rule),
            ("panel", Paint::Panel),
            ("shade", Paint::BlankEdge),
            ("link", Paint::InputEdge),
        ];
        named
            .map(|(name, paint)| {
                let [r, g, b] = paint.on(theme).0;
                format!("--{name}:#{r:02x}{g:02x}{b:02x};")
            })
            .concat()
    };
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n{RULES}",
        colours(Theme::Light),
        colours(Theme::Dark)
    )
}

/// Rules that do not depend on the theme.
///
/// A picture covers the shade below it, so a line above tells that there is more. The line has no height of its own but a
/// padding, which is none where the frame is as wide as what is in it asks for: shares of a padding are of the width.
const RULES: &str = "\
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,'DejaVu Sans',Verdana,sans-serif;overflow-wrap:break-word}
main{max-width:80rem;margin:0 auto;padding:1.25rem clamp(1rem,3vw,2rem) 3rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 .75rem}
h2{font-size:1.2rem;line-height:1.3;margin:2.25rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--rule)}
h3,figure h2{font-size:.95rem;margin:0 0 .5rem;padding:0;border:0}
p{max-width:48rem;margin:.5rem 0}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:1rem 0 0;padding:0;list-style:none}
nav a{display:inline-block;padding:.25rem 0}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,14rem),1fr));gap:.5rem 1.5rem;margin:1rem 0}
dl div{min-width:0}
dt{color:var(--muted);font-size:.85rem}
dd{margin:0}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,18.5rem),1fr));gap:1.25rem;margin:1rem 0;align-items:start}
@media (max-width:63.99rem){.figures{grid-template-columns:repeat(auto-fill,minmax(min(100%,16.5rem),1fr))}}
@media (min-width:36.5rem) and (max-width:55.3rem){section{display:grid;grid-template-columns:1fr 1fr;column-gap:1.25rem;align-items:start}section>*{grid-column:1/-1;min-width:0}section>.figures:not(.small,.large){display:contents}section>.figures:not(.small,.large)>figure{margin-bottom:1.25rem}}
.large{grid-template-columns:repeat(auto-fill,minmax(min(100%,25rem),1fr))}
.small{grid-template-columns:repeat(auto-fill,minmax(min(100%,8.75rem),1fr));gap:.75rem}
.small figure{padding:.6rem}
figure{min-width:0;margin:0;padding:.9rem;border:1px solid var(--rule);border-radius:.5rem}
figure.wide{grid-column:1/-1}
figure svg{display:block;width:100%;height:auto}
figure.wide svg{max-width:100%;width:auto;margin:0 auto}
figcaption{color:var(--muted);font-size:.85rem;line-height:1.45;margin-top:.6rem}
.scroll{overflow-x:auto;max-width:100%;background:linear-gradient(90deg,var(--page),var(--page)) 0 0/1.5rem 100% no-repeat local,linear-gradient(90deg,var(--page),var(--page)) 100% 0/1.5rem 100% no-repeat local,linear-gradient(90deg,var(--shade),transparent) 0 0/.6rem 100% no-repeat scroll,linear-gradient(270deg,var(--shade),transparent) 100% 0/.6rem 100% no-repeat scroll}
.more{height:0;overflow:hidden;padding-bottom:clamp(0px,(var(--least) - 100%)*99,1.6em);color:var(--muted);font-size:.85rem;text-align:right}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;margin:.75rem 0;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding-bottom:.35rem}
th,td{padding:.3rem .75rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
th:first-child{padding-left:0}
thead th{color:var(--muted);font-weight:600;white-space:nowrap}
tbody th{font-weight:400}
tr>:first-child{position:sticky;left:0;background:var(--page)}
.number{text-align:right;white-space:nowrap}
@media (max-width:40rem){th,td{padding:.3rem .4rem}thead th,thead .number{white-space:normal}}
details{margin:1rem 0}
summary{cursor:pointer;padding:.35rem 0;font-weight:600}
@media print{.more{display:none}.scroll{overflow:visible}figure{break-inside:avoid}}
";
