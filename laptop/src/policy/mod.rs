//! Decides what a paired device may have done on this laptop.
//!
//! Pure: a verdict depends on its arguments alone, and there is no clock, file or socket here. What it refuses to do:
//! it keeps no state, asks nobody and runs nothing. [`evaluate`] is the only place in the laptop where a [`Permit`]
//! comes into being, and every dispatch takes one by value.
//!
//! - [`Profile`]: what one relationship may do (rules, model and URL lists, rate and budgets).
//! - [`Demand`]: what a program would do and cost at most, from the verifier's effects.
//! - [`Manners`]: whether the laptop itself is fit for work.
//! - [`Counters`]: what the relationship has used so far.
//! - [`Verdict`]: `Allow(Permit)`, `Ask(Prompt)` or `Deny(Reason)`.

mod counters;
mod demand;
mod evaluate;
mod manners;
mod pattern;
mod profile;
mod prompt;

pub use counters::{Counters, RateWindow, Usage};
pub use demand::{Cost, Demand, Effect, Target};
pub use evaluate::{Consent, OpPermit, Permit, Reason, Verdict, evaluate, recheck};
pub use manners::{Manners, Reading, Ruling, Size, Strain, rule};
pub use pattern::{ModelPattern, PatternError, UrlPattern};
pub use profile::{Profile, Rule, Standing};
pub use prompt::Prompt;
