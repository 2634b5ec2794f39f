//! Laptops that the radio hears.

use super::{ListView, Mark, Row};
use crate::app::model::{ListState, Model, Nearby};
use crate::app::words::{self, radio};

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A laptop.
    Laptop(Nearby),
    /// Type an address instead.
    Address,
}

/// Rows with what they are.
pub fn items(model: &Model) -> Vec<(Item, Row)> {
    let list = &model.radio.nearby;
    let mut items: Vec<(Item, Row)> = list
        .iter()
        .map(|laptop| {
            let way = if laptop.push {
                "over Wi-Fi Direct"
            } else {
                "with its passphrase"
            };
            let (mark, second) = match radio::level(laptop.signal_dbm) {
                Some(level) => (
                    Mark::Signal(level as u8),
                    format!("{} signal, {way}", radio::strength(level)),
                ),
                None => (Mark::None, format!("Joins {way}")),
            };
            let (mark, second) = match model.radio.silent == Some(laptop.bssid) {
                true => (Mark::None, "Not heard any more".into()),
                false => (mark, second),
            };
            let name = words::peer(&laptop.name, words::PEER_NAME_LEN);
            let mut row = Row::new(mark, name, second);
            // Anyone can take any name; the laptop's own screen shows which network is its.
            let shown = |name: &str| words::peer(name, words::PEER_NAME_LEN);
            if list.iter().filter(|n| shown(&n.name) == row.title).count() > 1 {
                row.right = radio::short_ssid(&laptop.ssid);
            }
            (Item::Laptop(laptop.clone()), row)
        })
        .collect();
    let address = Row {
        title: "Type an address".into(),
        rule: !items.is_empty(),
        ..Row::default()
    };
    items.push((Item::Address, address));
    items
}

/// The screen.
pub fn list(model: &Model, state: ListState) -> ListView {
    let rows = items(model).into_iter().map(|(_, row)| row).collect();
    let (lead, below) = radio::looking(model);
    ListView {
        lead,
        below,
        ..ListView::default()
    }
    .with_rows(rows, state)
}
