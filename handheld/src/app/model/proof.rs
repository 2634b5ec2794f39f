//! What holds of the air gap, as it was found when somebody asked.

/// What keeps the app from the world, from the inside out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// No rights of the system's administrator.
    Rights,
    /// What the kernel does for it.
    Calls,
    /// Where it may write.
    Disk,
    /// The process that opens the link.
    Broker,
    /// The device around it: routes, name servers, firewall.
    Device,
    /// What is in the program.
    Program,
}

impl Layer {
    /// From the inside out.
    pub const ALL: [Self; 6] = [
        Self::Rights,
        Self::Calls,
        Self::Disk,
        Self::Broker,
        Self::Device,
        Self::Program,
    ];
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not, and on this device it could.
    Broken,
    /// This device's kernel has no such thing.
    Lacking,
    /// Nothing that holds or not: good to know.
    Said,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Of which layer.
    pub layer: Layer,
    /// What was checked and what came of it, in a sentence.
    pub words: String,
    /// What it came to.
    pub verdict: Verdict,
}

/// All checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof(pub Vec<Check>);

impl Proof {
    /// Puts a check down.
    pub fn note(&mut self, layer: Layer, verdict: Verdict, words: impl Into<String>) {
        let words = words.into();
        self.0.push(Check {
            layer,
            words,
            verdict,
        });
    }

    /// The checks of a layer.
    pub fn of(&self, layer: Layer) -> impl Iterator<Item = &Check> {
        self.0.iter().filter(move |check| check.layer == layer)
    }

    /// How many came to this.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let same = |check: &&Check| check.verdict == verdict;
        self.0.iter().filter(same).count()
    }

    /// Whether everything holds that this device can have.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.0.is_empty() && self.count(Verdict::Broken) == 0
    }
}
