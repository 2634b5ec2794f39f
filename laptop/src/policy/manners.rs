//! Whether the laptop itself is fit for work: what its processors, battery and temperature allow.

use super::Usage;
use std::fmt;

/// Tokens, in and out, up to which a piece of work is small.
const SMALL_TOKENS: u64 = 4096;

/// What was seen of the laptop just now. What it does not tell is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// How busy the processors are, in percent.
    pub cpu: Option<u8>,
    /// How full the battery is, in percent; missing without a battery.
    pub battery: Option<u8>,
    /// Whether it is plugged in.
    pub plugged: bool,
    /// The temperature in degrees Celsius of a part that is about to throttle or to switch off.
    pub hot: Option<u16>,
}

/// What the owner wants regarded, and from where on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// Whether work waits while the processors are busy with something else.
    pub wait_when_busy: bool,
    /// Above so many percent they are busy.
    pub busy_percent: u8,
    /// Whether the battery is spared.
    pub spare_battery: bool,
    /// Below so many percent nothing runs.
    pub battery_stop: u8,
    /// Below so many percent only small work runs.
    pub battery_small: u8,
    /// Whether nothing runs while the laptop is too hot.
    pub spare_heat: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            wait_when_busy: true,
            busy_percent: 85,
            spare_battery: true,
            battery_stop: 15,
            battery_small: 40,
            spare_heat: true,
        }
    }
}

/// How much work something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A short text.
    Small,
    /// A picture, or a long text.
    Large,
    /// Anything that another machine works on; this one only passes it along.
    Elsewhere,
}

impl Size {
    /// That of work which uses at most `bound`.
    pub fn of(bound: Usage) -> Self {
        match bound.pictures == 0 && bound.tokens <= SMALL_TOKENS {
            true => Self::Small,
            false => Self::Large,
        }
    }
}

/// What the laptop's state means for a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It may run.
    Go,
    /// It waits and looks again: the processors are so busy, in percent.
    Wait(u8),
    /// It is refused.
    Block(Strain),
}

/// Why work is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strain {
    /// The battery is too low for any work.
    Battery {
        /// How full it is, in percent.
        percent: u8,
        /// From where on work runs.
        needed: u8,
    },
    /// The battery is too low for work of this size.
    BatteryForLarge {
        /// How full it is, in percent.
        percent: u8,
        /// From where on such work runs.
        needed: u8,
    },
    /// A part of the laptop is so hot, in degrees Celsius.
    Heat(u16),
}

impl fmt::Display for Strain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Battery { percent, needed } => write!(
                f,
                "the laptop's battery is at {percent} %; below {needed} % nothing runs until it is plugged in"
            ),
            Self::BatteryForLarge { percent, needed } => write!(
                f,
                "the laptop's battery is at {percent} %; below {needed} % only short texts are written until it is plugged in"
            ),
            Self::Heat(celsius) => write!(
                f,
                "the laptop is too hot ({celsius} °C); nothing runs until it has cooled down"
            ),
        }
    }
}

/// Rules on work of `size`. Work that is done elsewhere takes nothing of this machine's processors and heat, and a long one
/// of it no more of the battery than a short one; but passing it along keeps the machine and its radio awake, so that it
/// ends with all other work where the battery is nearly empty. `waited_enough` is whether it has waited for the processors as long as it is asked to.
pub fn rule(manners: &Manners, reading: &Reading, size: Size, waited_enough: bool) -> Ruling {
    let here = size != Size::Elsewhere;
    if here
        && manners.spare_heat
        && let Some(celsius) = reading.hot
    {
        return Ruling::Block(Strain::Heat(celsius));
    }
    if manners.spare_battery
        && !reading.plugged
        && let Some(percent) = reading.battery
    {
        if percent < manners.battery_stop {
            let needed = manners.battery_stop;
            return Ruling::Block(Strain::Battery { percent, needed });
        }
        if percent < manners.battery_small && size == Size::Large {
            let needed = manners.battery_small;
            return Ruling::Block(Strain::BatteryForLarge { percent, needed });
        }
    }
    match reading.cpu {
        Some(busy)
            if here && manners.wait_when_busy && !waited_enough && busy > manners.busy_percent =>
        {
            Ruling::Wait(busy)
        }
        _ => Ruling::Go,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_battery(percent: u8) -> Reading {
        Reading {
            battery: Some(percent),
            ..Reading::default()
        }
    }

    #[test]
    fn the_battery_decides_while_it_is_not_plugged_in() {
        let manners = Manners::default();
        let ruled = |percent, size| rule(&manners, &on_battery(percent), size, false);
        for percent in [0, 14] {
            for size in [Size::Small, Size::Large] {
                let needed = 15;
                let strain = Strain::Battery { percent, needed };
                assert_eq!(ruled(percent, size), Ruling::Block(strain));
            }
        }
        for percent in [15, 39] {
            assert_eq!(ruled(percent, Size::Small), Ruling::Go);
            let needed = 40;
            let strain = Strain::BatteryForLarge { percent, needed };
            assert_eq!(ruled(percent, Size::Large), Ruling::Block(strain));
        }
        for percent in [40, 100] {
            assert_eq!(ruled(percent, Size::Large), Ruling::Go);
        }
        let plugged = Reading {
            plugged: true,
            ..on_battery(3)
        };
        assert_eq!(rule(&manners, &plugged, Size::Large, false), Ruling::Go);
        assert_eq!(
            rule(&manners, &Reading::default(), Size::Large, false),
            Ruling::Go,
            "a laptop that tells nothing is not held back"
        );
    }

    #[test]
    fn work_of_another_machine_is_held_up_by_an_empty_battery_alone() {
        let manners = Manners::default();
        let ruled = |reading: Reading| rule(&manners, &reading, Size::Elsewhere, false);
        let strained = Reading {
            cpu: Some(100),
            hot: Some(99),
            ..on_battery(15)
        };
        assert_eq!(ruled(strained), Ruling::Go);
        let (percent, needed) = (14, 15);
        assert_eq!(
            ruled(on_battery(14)),
            Ruling::Block(Strain::Battery { percent, needed })
        );
    }

    #[test]
    fn busy_processors_make_it_wait_and_heat_refuses_it() {
        let manners = Manners::default();
        let busy = |cpu| Reading {
            cpu: Some(cpu),
            ..Reading::default()
        };
        assert_eq!(rule(&manners, &busy(85), Size::Small, false), Ruling::Go);
        assert_eq!(
            rule(&manners, &busy(86), Size::Small, false),
            Ruling::Wait(86)
        );
        assert_eq!(rule(&manners, &busy(100), Size::Small, true), Ruling::Go);
        let hot = Reading {
            hot: Some(97),
            plugged: true,
            ..Reading::default()
        };
        assert_eq!(
            rule(&manners, &hot, Size::Small, true),
            Ruling::Block(Strain::Heat(97))
        );
    }

    #[test]
    fn each_can_be_switched_off() {
        let all = Reading {
            cpu: Some(100),
            battery: Some(1),
            plugged: false,
            hot: Some(110),
        };
        let off = Manners {
            wait_when_busy: false,
            spare_battery: false,
            spare_heat: false,
            ..Manners::default()
        };
        assert_eq!(rule(&off, &all, Size::Large, false), Ruling::Go);
        let (mut heat, mut battery, mut cpu) = (off, off, off);
        heat.spare_heat = true;
        battery.spare_battery = true;
        cpu.wait_when_busy = true;
        assert!(matches!(
            rule(&heat, &all, Size::Small, false),
            Ruling::Block(Strain::Heat(110))
        ));
        assert!(matches!(
            rule(&battery, &all, Size::Small, false),
            Ruling::Block(Strain::Battery { percent: 1, .. })
        ));
        assert_eq!(rule(&cpu, &all, Size::Small, false), Ruling::Wait(100));
    }

    #[test]
    fn a_picture_is_never_small_and_a_long_text_neither() {
        let of = |tokens, pictures| {
            Size::of(Usage {
                tokens,
                pictures,
                ..Usage::default()
            })
        };
        assert_eq!(of(4096, 0), Size::Small);
        assert_eq!(of(4097, 0), Size::Large);
        assert_eq!(of(0, 1), Size::Large);
    }

    #[test]
    fn a_refusal_names_its_reason() {
        let strain = Strain::Battery {
            percent: 12,
            needed: 15,
        };
        assert!(strain.to_string().contains("battery is at 12 %"));
        assert!(Strain::Heat(97).to_string().contains("97 °C"));
    }
}
