//! What a program would do and cost at most: the question that policy answers.

use super::Usage;
use shared_proto::opcode::{Operation, Service};
use shared_proto::program;

/// What one operation is aimed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Nothing in particular: the system itself.
    Laptop,
    /// A model; the empty name means the default of the service.
    Model(String),
    /// A path in the drop folder of the device.
    Path(String),
    /// An address to download from.
    Url(String),
}

/// One thing a program would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Place of the op in the program.
    pub op: u8,
    /// What kind of thing it is.
    pub operation: Operation,
    /// What it is aimed at.
    pub target: Target,
    /// Upper bound of what this op uses.
    pub bound: Usage,
}

/// Upper bounds of a whole program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// What the budgets count.
    pub usage: Usage,
    /// Longest time it may run, in seconds; zero where no bound is known.
    pub seconds: u64,
}

/// A verified program as policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Number of the relationship.
    pub relationship: i64,
    /// Number of the request within the relationship.
    pub request: u64,
    /// Digest of the program: consent to one program is none to another.
    pub digest: [u8; 32],
    /// Everything it would do, in order.
    pub effects: Vec<Effect>,
    /// What it may cost.
    pub cost: Cost,
}

impl Demand {
    /// What the verified `program` of a request would do.
    pub fn of(
        relationship: i64,
        request: u64,
        digest: [u8; 32],
        program: &program::Verified<'_>,
    ) -> Self {
        Self {
            relationship,
            request,
            digest,
            effects: program.effects().iter().map(Effect::of).collect(),
            cost: Cost {
                usage: program.effects().iter().map(Effect::of).fold(
                    usage(program.cost(), 0),
                    |sum, effect| Usage {
                        seconds: sum.seconds.saturating_add(effect.bound.seconds),
                        ..sum
                    },
                ),
                seconds: program.cost().seconds,
            },
        }
    }
}

impl Demand {
    /// Sets no more time aside than is `left` of today's, but never none: a program that wants some then finds none. It is
    /// stopped when what was set aside is over, so a long bound does not keep a device from its last minutes.
    pub fn within_seconds(&mut self, left: u64) {
        let wanted = &mut self.cost.usage.seconds;
        *wanted = (*wanted).min(left.max(1));
    }
}

impl Effect {
    fn of(effect: &program::Effect<'_>) -> Self {
        let target = match (effect.operation, effect.operation.service()) {
            (Operation::Fit, _) | (_, Service::System) => Target::Laptop,
            (Operation::Fetch, _) => Target::Url(effect.target.into()),
            (_, Service::Language | Service::Image) => Target::Model(effect.model.into()),
            (_, Service::Files) => Target::Path(effect.target.into()),
        };
        // What the laptop's processors are for: moving files and waiting for other machines' downloads is not counted.
        let seconds = match (effect.operation, effect.operation.service()) {
            (Operation::Fit, _) => 0,
            (_, Service::Language | Service::Image) => effect.cost.seconds,
            _ => 0,
        };
        Self {
            op: effect.op,
            operation: effect.operation,
            target,
            bound: usage(effect.cost, seconds),
        }
    }
}

fn usage(cost: program::Cost, seconds: u64) -> Usage {
    Usage {
        tokens: cost.tokens,
        pictures: cost.pictures,
        bytes: cost.bytes,
        seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_proto::program::{Builder, Chat, Delete, Fetch, Op, decode, verify};

    #[test]
    fn a_program_demands_what_its_ops_would_do() {
        let mut builder = Builder::new();
        let model = builder.name("ollama/llama3.1:8b");
        let input = builder.text("hello");
        let answer = builder.op(&Op::Chat(Chat {
            model,
            conversation: 1,
            parent: [0; 8],
            history: None,
            system: None,
            input,
            max_tokens: 300,
            temperature: None,
        }));
        let path = builder.name("notes/old.txt");
        builder.op(&Op::Delete(Delete { path }));
        let url = builder.name("https://example.org/a");
        let page = builder.op(&Op::Fetch(Fetch {
            url,
            max_len: 5_000,
        }));
        builder.emit(answer);
        builder.emit(page);
        let bytes = builder.finish().expect("within limits");
        let verified = verify(decode(&bytes).expect("decodes")).expect("verifies");

        let demand = Demand::of(4, 9, [1; 32], &verified);
        let targets: Vec<_> = demand
            .effects
            .iter()
            .map(|effect| effect.target.clone())
            .collect();
        assert_eq!(
            targets,
            [
                Target::Model("ollama/llama3.1:8b".into()),
                Target::Path("notes/old.txt".into()),
                Target::Url("https://example.org/a".into()),
            ]
        );
        assert_eq!((demand.relationship, demand.request), (4, 9));
        assert!(demand.cost.usage.tokens >= 300);
        assert!(demand.cost.usage.bytes >= 5_000);
        assert_eq!(demand.cost.usage.pictures, 0);
    }
}
