//! Plots as SVG, written by hand: bars of ratios, and lines over logarithmic axes.

use std::fmt::Write as _;
use std::path::Path;

/// Colours that people who do not tell red from green tell apart (Okabe and Ito).
const COLOURS: [&str; 7] = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#555555",
];
const WIDTH: f64 = 720.0;

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn begin(height: f64, title: &str) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    say(&mut svg, 12.0, 20.0, "start", "14", title);
    svg
}

fn say(svg: &mut String, x: f64, y: f64, anchor: &str, size: &str, text: &str) {
    let text = escape(text);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"#222\">{text}</text>"
    );
}

fn legend(svg: &mut String, y: f64, names: &[String]) {
    let mut x = 12.0;
    for (place, name) in names.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>",
            y - 9.0
        );
        say(svg, x + 14.0, y, "start", "12", name);
        x += 30.0 + name.chars().count() as f64 * 6.6;
    }
}

fn keep(path: &Path, mut svg: String) {
    svg.push_str("</svg>\n");
    std::fs::write(path, svg).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// A number as short as it can be told.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e9 => {
            format!("{:.3}", v / 1e9)
                .trim_end_matches(['0', '.'])
                .to_owned()
                + " G"
        }
        v if v >= 1e6 => format!("{} M", v / 1e6),
        v if v >= 1e4 => format!("{} k", v / 1e3),
        v if v >= 10.0 => format!("{v:.0}"),
        v if v >= 1.0 => format!("{v:.1}"),
        v => format!("{v}"),
    }
}

/// Groups of bars; each is shown as a multiple of its group's first.
#[allow(dead_code)] // Programs that share this file use one of the two.
pub struct Bars {
    title: String,
    groups: Vec<String>,
    series: Vec<String>,
    values: Vec<(usize, usize, f64)>,
}

#[allow(dead_code)] // Programs that share this file use one of the two.
impl Bars {
    /// An empty plot.
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            groups: Vec::new(),
            series: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Adds a bar.
    pub fn add(&mut self, group: &str, series: &str, value: f64) {
        let place = |names: &mut Vec<String>, name: &str| {
            names.iter().position(|n| n == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        };
        let (group, series) = (
            place(&mut self.groups, group),
            place(&mut self.series, series),
        );
        self.values.push((group, series, value));
    }

    /// Writes the plot.
    pub fn write(&self, path: &Path) {
        const LEFT: f64 = 190.0;
        const BAR: f64 = 11.0;
        let first = |group| {
            let mut of = self.values.iter().filter(|(g, ..)| *g == group);
            of.next().map_or(1.0, |(.., value)| *value)
        };
        let most = self
            .values
            .iter()
            .map(|(group, _, value)| value / first(*group))
            .fold(1.0, f64::max);
        let scale = (WIDTH - LEFT - 60.0) / most;
        let height = 60.0 + self.values.len() as f64 * BAR + self.groups.len() as f64 * 10.0;
        let mut svg = begin(height, &self.title);
        legend(&mut svg, 40.0, &self.series);
        let mut y = 54.0;
        for (group, name) in self.groups.iter().enumerate() {
            let bars: Vec<_> = self.values.iter().filter(|(g, ..)| *g == group).collect();
            let middle = y + bars.len() as f64 * BAR / 2.0 + 4.0;
            say(&mut svg, LEFT - 8.0, middle, "end", "12", name);
            for (_, series, value) in bars {
                let ratio = value / first(group);
                let colour = COLOURS[series % COLOURS.len()];
                let _ = writeln!(
                    svg,
                    "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\"/>",
                    (ratio * scale).max(0.5),
                    BAR - 1.0
                );
                let end = LEFT + ratio * scale + 4.0;
                let text = format!("{ratio:.2}");
                say(&mut svg, end, y + BAR - 2.0, "start", "10", &text);
                y += BAR;
            }
            y += 10.0;
        }
        let one = LEFT + scale;
        let _ = writeln!(
            svg,
            "<line x1=\"{one:.1}\" y1=\"48\" x2=\"{one:.1}\" y2=\"{:.1}\" stroke=\"#222\" stroke-dasharray=\"2 3\"/>",
            y - 6.0
        );
        keep(path, svg);
    }
}

/// Lines over two logarithmic axes.
#[allow(dead_code)] // Programs that share this file use one of the two.
pub struct Lines {
    title: String,
    x: String,
    y: String,
    series: Vec<(String, Vec<(f64, f64)>)>,
}

#[allow(dead_code)] // Programs that share this file use one of the two.
impl Lines {
    /// An empty plot with the words at its axes.
    pub fn new(title: &str, x: &str, y: &str) -> Self {
        Self {
            title: title.to_owned(),
            x: x.to_owned(),
            y: y.to_owned(),
            series: Vec::new(),
        }
    }

    /// Adds a line.
    pub fn add(&mut self, name: &str, points: Vec<(f64, f64)>) {
        self.series.push((name.to_owned(), points));
    }

    /// Writes the plot.
    pub fn write(&self, path: &Path) {
        const HEIGHT: f64 = 400.0;
        const LEFT: f64 = 60.0;
        const BOTTOM: f64 = HEIGHT - 44.0;
        const TOP: f64 = 60.0;
        let all = || self.series.iter().flat_map(|(_, points)| points);
        // Whole decades, and at least one.
        let decades = |pick: fn(&(f64, f64)) -> f64| {
            let low = all().map(pick).fold(f64::MAX, f64::min).max(1e-6);
            let high = all().map(pick).fold(0.0, f64::max).max(low);
            let low = low.log10().floor();
            (low, high.log10().ceil().max(low + 1.0))
        };
        let ((left, right), (low, high)) = (decades(|p| p.0), decades(|p| p.1));
        let across = |v: f64| LEFT + (v.log10() - left) / (right - left) * (WIDTH - LEFT - 24.0);
        let down = |v: f64| {
            BOTTOM - (v.max(10f64.powf(low)).log10() - low) / (high - low) * (BOTTOM - TOP)
        };
        let mut svg = begin(HEIGHT, &self.title);
        let names: Vec<String> = self.series.iter().map(|(name, _)| name.clone()).collect();
        legend(&mut svg, 42.0, &names);
        for decade in low as i32..=high as i32 {
            let (value, y) = (10f64.powi(decade), down(10f64.powi(decade)));
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>",
                WIDTH - 24.0
            );
            say(&mut svg, LEFT - 6.0, y + 4.0, "end", "11", &short(value));
        }
        for decade in left as i32..=right as i32 {
            let (value, x) = (10f64.powi(decade), across(10f64.powi(decade)));
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\" stroke=\"#ddd\"/>"
            );
            say(&mut svg, x, BOTTOM + 16.0, "middle", "11", &short(value));
        }
        say(
            &mut svg,
            WIDTH / 2.0,
            HEIGHT - 10.0,
            "middle",
            "12",
            &self.x,
        );
        say(&mut svg, WIDTH - 24.0, 20.0, "end", "12", &self.y);
        for (place, (_, points)) in self.series.iter().enumerate() {
            let colour = COLOURS[place % COLOURS.len()];
            let line: Vec<String> = points
                .iter()
                .map(|(x, y)| format!("{:.1},{:.1}", across(*x), down(*y)))
                .collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                line.join(" ")
            );
            for (x, y) in points {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                    across(*x),
                    down(*y)
                );
            }
        }
        keep(path, svg);
    }
}
