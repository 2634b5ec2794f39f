//! A handheld that loses its battery at random points: nothing that it acknowledged is lost, nothing is torn, and no
//! request runs twice.

mod support;

use std::time::Duration;
use support::laptop::Laptop;
use support::pocket::Pocket;
use support::provider::{Answer, Provider};
use support::{Folder, Random, eventually};

/// How often the handheld is killed.
const KILLS: u64 = 40;

fn story(prompt: &str) -> Answer {
    let pieces = (0..120)
        .map(|number| format!("{prompt} {number}. "))
        .collect();
    Answer {
        pieces,
        pause: Duration::from_millis(2),
        die_after: None,
    }
}

#[test]
fn a_handheld_killed_at_any_instant_loses_nothing_it_acknowledged() {
    let mut random = Random::new();
    let provider = Provider::start(story);
    let laptop = Laptop::with("kills", &provider.entry(), &[]);
    let card = Folder::new("kill-card");
    let home = card.path().join("card");
    let mut pocket = Pocket::start(&home, laptop.address());
    pocket.pair(&laptop);
    laptop.ctl().permit("Pocket", &["chat"], "allow");
    laptop
        .ctl()
        .json(&["limit", "Pocket", "--requests-per-minute", "1000"]);
    pocket.wait("may.chat=allow");
    let mut sent: usize = 0;
    for round in 0..KILLS {
        pocket.home();
        pocket.press("Start");
        pocket.wait("screen=writing");
        let prompt = format!("Kill {round}");
        pocket.type_text(&prompt);
        pocket.press("Start");
        // Sending shows the chat once the card has the question.
        pocket.wait("screen=chat");
        eventually("the card to have the question", || {
            let facts = pocket.facts();
            let state = facts.get("outbox.0").map(String::as_str);
            let kept = matches!(
                state,
                Some("waiting" | "sent" | "accepted" | "running" | "keeping")
            );
            (kept || facts["answer.state"] == "done").then_some(())
        });
        sent += 1;
        std::thread::park_timeout(Duration::from_millis(random.below(400)));
        let before = pocket.fact("answer");
        pocket.kill();

        pocket = Pocket::start(&home, laptop.address());
        let facts = pocket.facts();
        assert_eq!(
            facts["chats"],
            sent.to_string(),
            "every question that was sent is there"
        );
        assert_eq!(facts["laptops"], "1", "the laptop is still known");
        pocket.home();
        pocket.press("A");
        pocket.wait("screen=chats");
        pocket.press("A");
        pocket.wait("screen=chat");
        pocket.wait("answer.state=done");
        let expected = story(&prompt).pieces.concat();
        let answer = pocket.fact("answer");
        assert_eq!(
            answer.trim_end(),
            expected.trim_end(),
            "the whole answer, once"
        );
        assert!(
            expected.starts_with(before.trim_end()) || before.contains(&prompt),
            "{before:?}"
        );
        let asked = provider
            .prompts()
            .iter()
            .filter(|asked| **asked == prompt)
            .count();
        assert_eq!(asked, 1, "{prompt} ran {asked} times");
    }
    pocket.quit();
}
