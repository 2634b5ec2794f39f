//! What the agent does about what it hears: events and answers in, notifications and calls out. Pure.

use crate::control::api::{Event, Pending};
use std::collections::BTreeMap;

/// Most sentences of a question that are shown: a notification is small, and the whole is in `officectl pending`.
const MAX_LINES: usize = 6;

/// A notification to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    /// The question that it is about.
    pub(super) question: u64,
    /// Its heading; never markup.
    pub(super) summary: String,
    /// Its text, with markup escaped where the server reads markup.
    pub(super) body: String,
    /// Buttons: what each is called here, and what it says.
    pub(super) actions: Vec<(&'static str, &'static str)>,
    /// Milliseconds after which nobody is waited for.
    pub(super) lasts_ms: u32,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Something happened at the daemon.
    Event(Event),
    /// The questions that wait, after the daemon was reached.
    Waiting(Vec<Pending>),
    /// The daemon has gone, and every question with it.
    DaemonGone,
    /// The bus is there, and its server of notifications; whether that reads markup.
    BusHere {
        /// `body-markup` is among its capabilities.
        markup: bool,
    },
    /// The bus or the server has gone, and every notification with it.
    BusGone,
    /// The server has given a notification its number.
    Shown {
        /// The question.
        question: u64,
        /// The server's number.
        number: u32,
    },
    /// A person has pressed a button.
    Pressed {
        /// The server's number.
        number: u32,
        /// What the button is called here.
        action: String,
    },
    /// A notification has gone, whatever the reason.
    Closed {
        /// The server's number.
        number: u32,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Show this.
    Show(Note),
    /// Take this back.
    Close(u32),
    /// Say yes; for good, where `always`.
    Approve {
        /// The question.
        question: u64,
        /// From now on without asking.
        always: bool,
    },
    /// Say no.
    Deny(u64),
}

/// A question that waits, and its notification.
#[derive(Debug)]
struct Open {
    asked: Pending,
    number: Option<u32>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Core {
    open: BTreeMap<u64, Open>,
    markup: Option<bool>,
}

impl Core {
    /// Takes something in and says what is to be done.
    pub(super) fn take(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Event(Event::Asks(asked)) => self.ask(asked),
            Input::Event(Event::Answered { id, .. }) => self.forget(id),
            Input::Event(_) => Vec::new(),
            Input::Waiting(all) => {
                let gone: Vec<u64> = self.open.keys().copied().collect();
                let gone = gone.into_iter();
                let mut effects: Vec<Effect> = gone
                    .filter(|id| !all.iter().any(|one| one.id == *id))
                    .flat_map(|id| self.forget(id))
                    .collect();
                effects.extend(all.into_iter().flat_map(|asked| self.ask(asked)));
                effects
            }
            Input::DaemonGone => {
                let all: Vec<u64> = self.open.keys().copied().collect();
                all.into_iter().flat_map(|id| self.forget(id)).collect()
            }
            Input::BusHere { markup } => {
                self.markup = Some(markup);
                let open = self.open.values_mut();
                open.map(|one| {
                    one.number = None;
                    Effect::Show(note(&one.asked, markup))
                })
                .collect()
            }
            Input::BusGone => {
                self.markup = None;
                self.open.values_mut().for_each(|one| one.number = None);
                Vec::new()
            }
            Input::Shown { question, number } => match self.open.get_mut(&question) {
                Some(open) => {
                    open.number = Some(number);
                    Vec::new()
                }
                // It was answered while the server made it.
                None => vec![Effect::Close(number)],
            },
            Input::Pressed { number, action } => self.press(number, &action),
            Input::Closed { number } => {
                // A notification that is wiped away is no answer: the question waits on, and can be answered elsewhere.
                let mut open = self.open.values_mut();
                if let Some(one) = open.find(|one| one.number == Some(number)) {
                    one.number = None;
                }
                Vec::new()
            }
        }
    }

    fn ask(&mut self, asked: Pending) -> Vec<Effect> {
        if self.open.contains_key(&asked.id) {
            return Vec::new();
        }
        let effects = self.markup.map(|markup| Effect::Show(note(&asked, markup)));
        let number = None;
        self.open.insert(asked.id, Open { asked, number });
        effects.into_iter().collect()
    }

    fn forget(&mut self, id: u64) -> Vec<Effect> {
        let number = self.open.remove(&id).and_then(|open| open.number);
        number.map(Effect::Close).into_iter().collect()
    }

    fn press(&mut self, number: u32, action: &str) -> Vec<Effect> {
        let found = self.open.iter().find(|(_, one)| one.number == Some(number));
        let Some((&question, open)) = found else {
            return Vec::new();
        };
        let can_be_for_good = !open.asked.operations.is_empty();
        let effect = match action {
            "once" => Effect::Approve {
                question,
                always: false,
            },
            "always" if can_be_for_good => Effect::Approve {
                question,
                always: true,
            },
            "deny" => Effect::Deny(question),
            // A click on the text is no answer: what it means is nowhere written.
            _ => return Vec::new(),
        };
        self.open.remove(&question);
        vec![effect, Effect::Close(number)]
    }
}

fn note(asked: &Pending, markup: bool) -> Note {
    let plain = |text: &str| match markup {
        true => escaped(text),
        false => text.to_owned(),
    };
    let mut lines: Vec<String> = asked
        .wants
        .iter()
        .take(MAX_LINES)
        .map(|want| format!("• {}", plain(&crate::sanitize::visible_within(want, 160))))
        .collect();
    if asked.wants.len() > MAX_LINES {
        lines.push(format!("• and {} more", asked.wants.len() - MAX_LINES));
    }
    if !asked.cost.is_empty() {
        lines.push(plain(&crate::sanitize::visible(&asked.cost)));
    }
    let mut actions = vec![("once", "Allow once")];
    if !asked.operations.is_empty() {
        actions.push(("always", "Always"));
    }
    actions.push(("deny", "Deny"));
    Note {
        question: asked.id,
        summary: format!("{} would like to", crate::sanitize::visible(&asked.name)),
        body: lines.join("\n"),
        actions,
        lasts_ms: u32::try_from(asked.expires_in_s.saturating_mul(1000)).unwrap_or(0),
    }
}

/// Text that means itself where markup is read.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(id: u64) -> Pending {
        Pending {
            id,
            device: 1,
            name: "Ada's <b>\x1b".into(),
            wants: vec!["chat with <a href='x'>&".into(), "write a into it".into()],
            cost: "at most 400 tokens".into(),
            expires_in_s: 60,
            operations: vec!["chat".into(), "put".into()],
        }
    }

    fn shown(core: &mut Core, id: u64, number: u32) -> Note {
        let effects = core.take(Input::Event(Event::Asks(asked(id))));
        let [Effect::Show(note)] = effects.as_slice() else {
            panic!("{effects:?}");
        };
        let shown = Input::Shown {
            question: id,
            number,
        };
        assert_eq!(core.take(shown), []);
        note.clone()
    }

    fn with_bus(markup: bool) -> Core {
        let mut core = Core::default();
        assert_eq!(core.take(Input::BusHere { markup }), []);
        core
    }

    fn pressed(number: u32, action: &str) -> Input {
        let action = action.to_owned();
        Input::Pressed { number, action }
    }

    fn answered(id: u64) -> Input {
        let answer = "expired".to_owned();
        Input::Event(Event::Answered { id, answer })
    }

    #[test]
    fn a_question_says_in_words_what_would_happen_and_means_nothing_as_markup() {
        let note = shown(&mut with_bus(true), 4, 9);
        assert_eq!(note.summary, "Ada's <b>\\u{1b} would like to");
        assert_eq!(
            note.body,
            "• chat with &lt;a href=&#39;x&#39;&gt;&amp;\n• write a into it\nat most 400 tokens"
        );
        assert_eq!(
            note.actions,
            [
                ("once", "Allow once"),
                ("always", "Always"),
                ("deny", "Deny")
            ]
        );
        assert_eq!(note.lasts_ms, 60_000);
        let note = shown(&mut with_bus(false), 4, 9);
        assert!(note.body.starts_with("• chat with <a href='x'>&\n"));
    }

    #[test]
    fn each_button_is_one_answer_and_only_the_first_counts() {
        for (action, effect) in [
            (
                "once",
                Effect::Approve {
                    question: 4,
                    always: false,
                },
            ),
            (
                "always",
                Effect::Approve {
                    question: 4,
                    always: true,
                },
            ),
            ("deny", Effect::Deny(4)),
        ] {
            let mut core = with_bus(true);
            shown(&mut core, 4, 9);
            assert_eq!(core.take(pressed(8, action)), [], "another program's");
            assert_eq!(core.take(pressed(9, "default")), []);
            assert_eq!(core.take(pressed(9, action)), [effect, Effect::Close(9)]);
            assert_eq!(core.take(pressed(9, action)), []);
            assert_eq!(core.take(answered(4)), []);
        }
    }

    #[test]
    fn what_was_answered_elsewhere_or_by_nobody_is_taken_back() {
        let mut core = with_bus(true);
        shown(&mut core, 4, 9);
        assert_eq!(core.take(answered(4)), [Effect::Close(9)]);
        // Also where the server was slower than the answer.
        core.take(Input::Event(Event::Asks(asked(5))));
        assert_eq!(core.take(answered(5)), []);
        let late = Input::Shown {
            question: 5,
            number: 10,
        };
        assert_eq!(core.take(late), [Effect::Close(10)]);
    }

    #[test]
    fn a_wiped_notification_is_no_answer() {
        let mut core = with_bus(true);
        shown(&mut core, 4, 9);
        assert_eq!(core.take(Input::Closed { number: 9 }), []);
        assert_eq!(core.take(pressed(9, "once")), []);
        assert_eq!(core.take(answered(4)), []);
    }

    #[test]
    fn both_ends_come_and_go() {
        let mut core = Core::default();
        // Without a bus nothing can be shown; it is shown once there is one, and again on the next.
        assert_eq!(core.take(Input::Event(Event::Asks(asked(4)))), []);
        for _ in 0..2 {
            let effects = core.take(Input::BusHere { markup: true });
            assert!(matches!(effects.as_slice(), [Effect::Show(note)] if note.question == 4));
            core.take(Input::Shown {
                question: 4,
                number: 9,
            });
            assert_eq!(core.take(Input::BusGone), []);
        }
        core.take(Input::BusHere { markup: true });
        core.take(Input::Shown {
            question: 4,
            number: 11,
        });
        assert_eq!(core.take(Input::DaemonGone), [Effect::Close(11)]);
        // A daemon that was reached again tells what waits; what is known stays as it is.
        let effects = core.take(Input::Waiting(vec![asked(6)]));
        assert_eq!(effects.len(), 1);
        assert_eq!(core.take(Input::Waiting(vec![asked(6)])), []);
        assert_eq!(core.take(Input::Waiting(Vec::new())), []);
    }

    #[test]
    fn a_question_about_no_operation_cannot_be_answered_for_good() {
        let mut core = with_bus(true);
        let renewal = Pending {
            operations: Vec::new(),
            ..asked(4)
        };
        let effects = core.take(Input::Event(Event::Asks(renewal)));
        assert!(matches!(effects.as_slice(), [Effect::Show(note)] if note.actions.len() == 2));
        core.take(Input::Shown {
            question: 4,
            number: 9,
        });
        assert_eq!(core.take(pressed(9, "always")), []);
    }
}
