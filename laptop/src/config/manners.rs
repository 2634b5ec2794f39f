//! `[manners]` of `daemon.toml`: how devices share the laptop, and what is regarded of its own state.

use super::reader::Section;
use crate::policy::Manners;

/// What `daemon.toml` says of sharing and sparing the laptop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MannersConfig {
    /// Language operations at a time.
    pub texts_at_once: usize,
    /// Picture operations at a time.
    pub pictures_at_once: usize,
    /// Longest wait for busy processors, in seconds.
    pub busy_wait_s: u32,
    /// What is regarded of the laptop's state.
    pub policy: Manners,
}

impl Default for MannersConfig {
    fn default() -> Self {
        Self {
            texts_at_once: 8,
            pictures_at_once: 1,
            busy_wait_s: 60,
            policy: Manners::default(),
        }
    }
}

impl MannersConfig {
    pub(super) fn read(&mut self, section: &mut Section<'_, '_>) {
        self.texts_at_once = section.number("texts_at_once", 8, 1..=64) as usize;
        self.pictures_at_once = section.number("pictures_at_once", 1, 1..=64) as usize;
        self.busy_wait_s = section.number("busy_wait_s", 60, 0..=3600) as u32;
        self.policy = Manners {
            wait_when_busy: section.flag("wait_when_busy", true),
            busy_percent: section.number("busy_percent", 85, 10..=100) as u8,
            spare_battery: section.flag("spare_battery", true),
            battery_stop: section.number("battery_stop_percent", 15, 0..=100) as u8,
            battery_small: section.number("battery_small_percent", 40, 0..=100) as u8,
            spare_heat: section.flag("spare_heat", true),
        };
    }
}
