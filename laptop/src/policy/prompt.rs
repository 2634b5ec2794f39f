//! The question put to a person: what a program would do, in plain words, and what it may cost.

use super::{Consent, Cost, Demand, Effect, Target};
use crate::sanitize::visible_within;
use shared_proto::opcode::Operation;

/// Longest name of a model, path or address inside a sentence, in characters.
const MAX_NAME_CHARS: usize = 80;

/// A question that a person has to answer before a program may run.
///
/// Every text in it is safe to show: names that came from the device are escaped.
#[derive(Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Relationship that asks.
    pub relationship: i64,
    /// Request it asks for.
    pub request: u64,
    /// What it would do, one line per op, marking those that need this answer.
    pub lines: Vec<String>,
    /// What it may cost; empty if nothing that is counted.
    pub cost: String,
    /// The operations, each once.
    pub operations: Vec<Operation>,
    digest: [u8; 32],
}

impl Prompt {
    pub(super) fn of(demand: &Demand) -> Self {
        Self {
            relationship: demand.relationship,
            request: demand.request,
            lines: Self::describe(demand),
            cost: price(&demand.cost),
            operations: operations(demand),
            digest: demand.digest,
        }
    }

    /// What a program would do, one line per op; safe to show.
    pub fn describe(demand: &Demand) -> Vec<String> {
        demand.effects.iter().map(sentence).collect()
    }

    /// Turns the question into consent. Called only where a person has said yes.
    pub fn consent(self) -> Consent {
        Consent::new(self.relationship, self.request, self.digest)
    }
}

fn operations(demand: &Demand) -> Vec<Operation> {
    let wanted = |one: &Operation| demand.effects.iter().any(|effect| effect.operation == *one);
    Operation::ALL.into_iter().filter(wanted).collect()
}

fn sentence(effect: &Effect) -> String {
    let name = match &effect.target {
        Target::Laptop => String::new(),
        Target::Model(model) if model.is_empty() => "the default model".into(),
        Target::Model(name) | Target::Path(name) | Target::Url(name) => {
            visible_within(name, MAX_NAME_CHARS)
        }
    };
    match effect.operation {
        Operation::Chat => format!("chat with {name}"),
        Operation::Complete => format!("have {name} continue a text"),
        Operation::Code => format!("have {name} write code"),
        Operation::Summarize => format!("have {name} summarize a text"),
        Operation::Embed => format!("have {name} make vectors of texts"),
        Operation::Generate => format!("paint a picture with {name}"),
        Operation::Edit => format!("change a picture with {name}"),
        Operation::Upscale => format!("enlarge a picture with {name}"),
        Operation::Variation => format!("paint a variation of a picture with {name}"),
        Operation::Fit => "fit a picture to its screen".into(),
        Operation::List if name.is_empty() => "list its drop folder".into(),
        Operation::List => format!("list the folder {name} in its drop folder"),
        Operation::Metadata => format!("look up size and date of {name} in its drop folder"),
        Operation::Get => format!("read {name} from its drop folder"),
        Operation::Put => format!("write {name} into its drop folder"),
        Operation::Delete => format!("delete {name} from its drop folder"),
        Operation::Fetch => format!("download {name}"),
        Operation::Status => "see what the laptop is doing".into(),
        Operation::Capabilities => "see what the laptop can do".into(),
        Operation::Resources => "see the laptop's memory, processor and disk".into(),
        Operation::Health => "see whether the laptop's services are well".into(),
    }
}

fn price(cost: &Cost) -> String {
    let mut parts = Vec::new();
    let usage = cost.usage;
    if usage.tokens > 0 {
        parts.push(format!("{} tokens", usage.tokens));
    }
    match usage.pictures {
        0 => {}
        1 => parts.push("1 picture".into()),
        many => parts.push(format!("{many} pictures")),
    }
    if usage.bytes > 0 {
        parts.push(size(usage.bytes));
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!("at most {}", parts.join(", "))
    }
}

/// A size as people read it: three digits, binary steps.
pub(super) fn size(bytes: u64) -> String {
    const STEPS: [(u64, &str); 3] = [(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")];
    for (step, unit) in STEPS {
        if bytes >= step {
            let tenths = (bytes as u128 * 10 / step as u128) as u64;
            return if tenths < 100 && !tenths.is_multiple_of(10) {
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            } else {
                format!("{} {unit}", tenths / 10)
            };
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Usage;

    fn demand(operation: Operation, target: Target, usage: Usage) -> Demand {
        Demand {
            relationship: 1,
            request: 7,
            digest: [3; 32],
            effects: vec![Effect {
                op: 0,
                operation,
                target,
                bound: usage,
            }],
            cost: Cost { usage, seconds: 0 },
        }
    }

    #[test]
    fn the_question_says_what_would_happen_and_what_it_may_cost() {
        let usage = Usage {
            tokens: 500,
            pictures: 1,
            bytes: 3 << 20,
            seconds: 60,
        };
        let prompt = Prompt::of(&demand(
            Operation::Chat,
            Target::Model("ollama/llama3.1:8b".into()),
            usage,
        ));
        assert_eq!(prompt.lines, ["chat with ollama/llama3.1:8b"]);
        assert_eq!(prompt.cost, "at most 500 tokens, 1 picture, 3 MB");
    }

    #[test]
    fn what_costs_nothing_names_no_price() {
        let prompt = Prompt::of(&demand(
            Operation::List,
            Target::Path(String::new()),
            Usage::default(),
        ));
        assert_eq!(prompt.lines, ["list its drop folder"]);
        assert_eq!(prompt.cost, "");
    }

    #[test]
    fn hostile_names_are_spelled_out() {
        let target = Target::Path("\x1b[2Jnotes\u{202e}txt".into());
        let prompt = Prompt::of(&demand(Operation::Delete, target, Usage::default()));
        assert_eq!(
            prompt.lines,
            ["delete \\u{1b}[2Jnotes\\u{202e}txt from its drop folder"]
        );
    }

    #[test]
    fn every_operation_has_words() {
        for operation in Operation::ALL {
            let line =
                sentence(&demand(operation, Target::Path("x".into()), Usage::default()).effects[0]);
            assert!(line.len() > 8, "{}: {line}", operation.name());
        }
    }

    #[test]
    fn sizes_read_well() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1 KB"),
            (1536, "1.5 KB"),
            (10 * 1024 + 512, "10 KB"),
            (256 << 20, "256 MB"),
            (5 << 30, "5 GB"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }
}
