//! The chosen laptop, its permissions, the other laptops.

use super::{ListView, Mark, Row};
use crate::app::model::laptop::{Ended, Permission, ServiceKind};
use crate::app::model::{Laptop, LaptopId, Link, ListState, Model, Verdict};
use crate::app::words::{self, quantity, radio};

/// What a row of the laptop screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Only read.
    Fact,
    /// Choose this laptop.
    Other(LaptopId),
    /// Pair another.
    Pair,
    /// Why a carrier failed.
    Why,
    /// What the laptop last said of permissions.
    Permissions,
    /// Forget the chosen one.
    Forget,
}

/// Rows with what they are.
pub fn items(model: &Model) -> Vec<(Item, Row)> {
    let mut items = Vec::new();
    let mut fact = |row: Row| items.push((Item::Fact, Row { fixed: true, ..row }));
    if let Some(laptop) = model.laptop() {
        for row in link_rows(model, laptop) {
            fact(row);
        }
        // Away, the reasons need the room, and nothing is permitted then anyway.
        if model.link.is_open() {
            let mut heading = Row::fact("What this handheld may do there", "");
            heading.rule = true;
            fact(heading);
            for row in permission_rows(laptop) {
                fact(row);
            }
        }
    }
    let mut rule = !items.is_empty();
    let mut active = |item: Item, title: String, right: String| {
        items.push((
            item,
            Row {
                title,
                right,
                rule,
                ..Row::default()
            },
        ));
        rule = false;
    };
    let ended = words::ended(model).is_some();
    if ended {
        active(Item::Pair, "Pair again".into(), String::new());
    }
    for other in model.laptops.iter().filter(|l| Some(l.id) != model.chosen) {
        active(
            Item::Other(other.id),
            format!("Use {}", words::peer(&other.name, words::PEER_NAME_LEN)),
            seen(model, other),
        );
    }
    if !ended {
        let title = if model.laptops.is_empty() {
            "Pair a laptop"
        } else {
            "Pair another laptop"
        };
        active(Item::Pair, title.into(), String::new());
    }
    let failed = model.link.away().is_some_and(|a| !a.attempts.is_empty());
    if failed && !ended {
        active(Item::Why, "Why is it away?".into(), "what failed".into());
    }
    if let Link::Linked { carrier, .. } = &model.link
        && *carrier != crate::app::model::Carrier::WifiDirect
    {
        active(Item::Why, "Why not Wi-Fi Direct?".into(), String::new());
    }
    if !model.link.is_open() && !ended && model.laptop().is_some_and(|l| !l.permissions.is_empty())
    {
        active(
            Item::Permissions,
            "What it may do there".into(),
            String::new(),
        );
    }
    if model.laptop().is_some() {
        active(Item::Forget, "Forget this laptop".into(), String::new());
    }
    items
}

/// The laptop screen.
pub fn list(model: &Model, state: ListState) -> ListView {
    let rows = items(model).into_iter().map(|(_, row)| row).collect();
    let lead = if model.laptops.is_empty() {
        "No laptop is paired with this handheld yet.".into()
    } else {
        String::new()
    };
    ListView {
        lead,
        ..ListView::default()
    }
    .with_rows(rows, state)
}

/// Whole days until the relationship ends, `None` if time or end are unknown.
pub fn days_left(model: &Model) -> Option<u64> {
    let laptop = model.laptop()?;
    let now = model.wall();
    (now > 0 && laptop.expires_at > 0).then(|| laptop.expires_at.saturating_sub(now) / 86_400)
}

/// Failed carriers that are shown; the page that says why has them all.
const MAX_ATTEMPTS: usize = 2;

fn link_rows(model: &Model, laptop: &Laptop) -> Vec<Row> {
    if let Some(why) = words::ended(model) {
        return vec![ended(model, laptop, why)];
    }
    let mut rows = Vec::new();
    match &model.link {
        Link::Linked {
            carrier,
            signal,
            failed,
        } => {
            let mut row = Row::new(
                Mark::Done,
                format!("Linked over {}", words::carrier(carrier)),
                "",
            );
            if let Some(signal) = signal {
                if let Some(level) = radio::level(signal.dbm) {
                    let strength = radio::strength(level).to_lowercase();
                    row.title = format!("{}, {strength} signal", row.title);
                }
                row.second = radio::numbers(*signal);
            }
            rows.push(row);
            if let Some(attempt) = failed {
                let why = words::peer(&attempt.why, words::PEER_DETAIL_LEN);
                // One line: what holds now must stay in view above the rows that can be chosen.
                rows.push(Row::new(Mark::None, format!("Before: {why}"), ""));
            }
        }
        Link::Connecting { carrier, .. } => rows.push(Row::new(
            Mark::Wait,
            format!("Connecting over {}", words::carrier(carrier)),
            "",
        )),
        Link::Away(away) => {
            let since = quantity::time(model, away.since);
            let title = if since.is_empty() {
                "Away".into()
            } else {
                format!("Away since {since}")
            };
            let mut row = Row::new(Mark::Wait, title, "");
            if let Some(next) = away.next_try {
                row.right = format!(
                    "next try in {}",
                    quantity::span(next.since(model.now).div_ceil(1000))
                );
            }
            rows.push(row);
        }
        Link::Asleep { .. } => rows.push(Row::new(
            Mark::Asleep,
            "Asleep to spare the battery",
            "Wakes by itself for what you send.",
        )),
        Link::Unpaired => rows.push(Row::new(Mark::Wait, "Not linked", "")),
    }
    if let Some(away) = model.link.away() {
        for attempt in away.attempts.iter().take(MAX_ATTEMPTS) {
            let why = words::peer(&attempt.why, words::PEER_DETAIL_LEN);
            rows.push(Row::new(Mark::None, words::carrier(&attempt.carrier), why));
        }
    }
    let now = model.wall();
    if now > 0 && laptop.expires_at > 0 && now >= laptop.expires_at {
        rows.push(Row::new(
            Mark::Failed,
            "The pairing's time ran out",
            "officectl\u{a0}renew on the laptop extends it.",
        ));
        return rows;
    }
    let mut row = Row::fact(
        match days_left(model) {
            Some(0) => "Ends today".into(),
            Some(days) => format!("{} left", quantity::count(days, "day", "days")),
            None => "Days left are told once it is linked".into(),
        },
        "",
    );
    if days_left(model).is_some_and(|d| d <= 5) {
        row.mark = Mark::Failed;
    }
    rows.push(row);
    rows
}

/// A pairing that is over.
fn ended(model: &Model, laptop: &Laptop, why: Ended) -> Row {
    let (said, body) = words::pairing::ended(&laptop.name, why);
    let title = match why {
        // The name stands in the header already.
        Ended::Expired if laptop.expires_at > 0 => {
            format!(
                "Pairing ended on {}",
                quantity::date(model, laptop.expires_at)
            )
        }
        _ => said,
    };
    Row::new(Mark::Refused, title, body)
}

/// What the laptop last said of permissions, as a page.
pub fn permissions(laptop: &Laptop) -> String {
    let rows = permission_rows(laptop);
    let lines: String = rows
        .iter()
        .map(|row| format!("- **{}**: {}\n", row.title, row.right))
        .collect();
    format!("As the laptop last said:\n\n{lines}\nIts owner changes it there under Permissions.\n")
}

/// One row for each service: the strictest verdict counts, and what is left of it.
fn permission_rows(laptop: &Laptop) -> Vec<Row> {
    let services = [
        ServiceKind::Language,
        ServiceKind::Image,
        ServiceKind::Files,
        ServiceKind::System,
    ];
    let mut rows: Vec<Row> = services
        .into_iter()
        .filter_map(|service| {
            let of: Vec<&Permission> = laptop
                .permissions
                .iter()
                .filter(|p| p.service == service)
                .collect();
            let first = of.first()?;
            let same = of.iter().all(|p| p.verdict == first.verdict);
            let verdict = if same {
                words::verdict(first.verdict).to_string()
            } else {
                [Verdict::Allow, Verdict::Ask, Verdict::Deny]
                    .into_iter()
                    .filter_map(|v| {
                        let names: Vec<&str> = of
                            .iter()
                            .filter(|p| p.verdict == v)
                            .map(|p| p.operation.as_str())
                            .collect();
                        (!names.is_empty())
                            .then(|| format!("{} {}", names.join(", "), words::verdict(v)))
                    })
                    .collect::<Vec<_>>()
                    .join("; ")
            };
            let left = of
                .iter()
                .filter_map(|p| p.left_today)
                .min()
                .map(|n| left(service, n))
                .unwrap_or_default();
            let mark = match of.iter().map(|p| p.verdict).max_by_key(|v| *v as u8) {
                Some(Verdict::Allow) => Mark::Done,
                Some(Verdict::Ask) => Mark::Wait,
                _ => Mark::Refused,
            };
            let mut row = Row::fact(
                words::service(service),
                words::short(&format!("{verdict}{left}"), 44),
            );
            row.mark = mark;
            Some(row)
        })
        .collect();
    let mut jobs = Row::fact(words::service(ServiceKind::Jobs), "not in this version");
    jobs.mark = Mark::Refused;
    rows.push(jobs);
    rows
}

fn left(service: ServiceKind, n: u64) -> String {
    match service {
        ServiceKind::Language => format!(" · {n} tokens left today"),
        ServiceKind::Files => format!(" · {} left today", quantity::octets(n)),
        _ => format!(" · {n} left today"),
    }
}

fn seen(model: &Model, laptop: &Laptop) -> String {
    match quantity::time(model, laptop.seen_at) {
        _ if laptop.ended.is_some() => "ended".into(),
        time if time.is_empty() => String::new(),
        time => format!("last seen {time}"),
    }
}
