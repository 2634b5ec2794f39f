//! Bars, day by day, as SVG. Pure.

use super::html::{Html, grouped, html};

/// Width of a plot in its own units.
const WIDTH: u64 = 640;
/// Height of the bars.
const HEIGHT: u64 = 120;
/// Series that are told apart; further ones look like the last.
const KINDS: usize = 4;

/// One bar a day, of one piece for each series. `days` are dates.
pub(super) fn bars(title: &str, days: &[String], series: &[(&str, &[u64])]) -> Html {
    let sums: Vec<u64> = (0..days.len())
        .map(|day| {
            series.iter().fold(0u64, |sum, (_, values)| {
                sum.saturating_add(values.get(day).copied().unwrap_or(0))
            })
        })
        .collect();
    let most = sums.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return html!(
            "<figure class=\"plot\"><figcaption>{}</figcaption><p class=\"muted\">Nothing yet.</p></figure>",
            title
        );
    }
    let slot = WIDTH / days.len().max(1) as u64;
    let gap = slot / 5;
    let mut rects = Html::default();
    for (at, date) in days.iter().enumerate() {
        let mut top = HEIGHT;
        let mut pieces = Html::default();
        for (kind, (name, values)) in series.iter().enumerate() {
            let value = values.get(at).copied().unwrap_or(0);
            // Wide enough for any count; a bar that is there is seen.
            let height = (u128::from(value) * u128::from(HEIGHT) / u128::from(most)) as u64;
            let height = height.max(u64::from(value > 0) * 2).min(top);
            top -= height;
            if height > 0 {
                pieces.0.push_str(
                    &html!(
                        "<rect class=\"kind{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}, {}: {}</title></rect>",
                        kind.min(KINDS - 1),
                        at as u64 * slot + gap / 2,
                        top + 8,
                        slot - gap,
                        height,
                        date,
                        *name,
                        grouped(value)
                    )
                    .0,
                );
            }
        }
        rects.0.push_str(&pieces.0);
    }
    let legend: Html = match series.len() {
        0 | 1 => Html::default(),
        _ => series
            .iter()
            .enumerate()
            .map(|(kind, (name, _))| {
                html!(
                    "<span class=\"legend\"><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"kind{}\" width=\"12\" height=\"12\"/></svg> {}</span>",
                    kind.min(KINDS - 1),
                    *name
                )
            })
            .collect(),
    };
    let today = sums.last().copied().unwrap_or(0);
    let label = format!(
        "{title}: {} today, at most {}",
        grouped(today),
        grouped(most)
    );
    html!(
        "<figure class=\"plot\"><figcaption>{} <span class=\"muted\">today {}, most {}</span></figcaption>\
         <svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" preserveAspectRatio=\"none\"><line class=\"base\" x1=\"0\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>{}</svg>\
         <div class=\"axis muted\"><span>{}</span><span>{}</span></div>{}</figure>",
        title,
        grouped(today),
        grouped(most),
        WIDTH,
        HEIGHT + 10,
        label,
        HEIGHT + 8,
        WIDTH,
        HEIGHT + 8,
        rects,
        days.first().map_or("", String::as_str),
        days.last().map_or("", String::as_str),
        legend
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_names_escaped() {
        let days = ["2026-11-27".to_owned(), "2026-11-28".to_owned()];
        let drawn = bars("Tokens", &days, &[("<b>", &[50, 100]), ("b", &[0, 100])]).0;
        assert!(drawn.contains("height=\"30\""), "{drawn}");
        assert_eq!(drawn.matches("height=\"60\"").count(), 2, "{drawn}");
        assert!(drawn.contains("2026-11-27, &lt;b&gt;: 50"), "{drawn}");
        assert!(!drawn.contains("<b>"));
    }

    #[test]
    fn the_largest_numbers_are_drawn() {
        let days = ["2026-11-28".to_owned()];
        let drawn = bars("Bytes", &days, &[("a", &[u64::MAX]), ("b", &[u64::MAX])]).0;
        assert!(drawn.contains("height=\"120\""), "{drawn}");
        assert!(bars("Bytes", &[], &[]).0.contains("Nothing yet"));
    }
}
