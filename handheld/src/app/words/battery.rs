//! Words about the battery.

/// It is low.
pub fn low(percent: u8) -> String {
    format!("Battery low: {percent} %")
}

/// Title: it is nearly empty.
pub const EMPTY: &str = "The battery is nearly empty";

/// What is safe, what to do.
pub fn nearly_empty(percent: u8) -> String {
    format!(
        "{percent} % are left. What you wrote and received is on the card and stays there. Plug the charger in."
    )
}
