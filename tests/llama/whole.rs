//! The whole path: buttons on the handheld, the daemon's judgement, the language service, the server, and back to the screen.

use crate::server::Llama;
use crate::support::laptop::Laptop;
use crate::support::pocket::Pocket;
use crate::support::{Folder, eventually};

/// Tokens of an answer that nobody cuts: what the handheld allows a chat.
const WHOLE: usize = 2048;

/// A handheld that is paired with a laptop whose only provider of text is `server`, under the name “attic”.
struct Pair {
    pocket: Pocket,
    laptop: Laptop,
    card: Folder,
}

impl Pair {
    fn with(server: &Llama) -> Self {
        let url = server.url("/v1");
        let providers =
            format!("[[provider]]\nname = 'attic'\nkind = 'openai'\nbase_url = '{url}'\n");
        let laptop = Laptop::with("llama", &providers, &[]);
        let card = Folder::new("card");
        let mut pocket = Pocket::start(&card.path().join("card"), laptop.address());
        pocket.pair(&laptop);
        laptop.ctl().permit("Pocket", &["chat"], "allow");
        pocket.wait("may.chat=allow");
        Self {
            pocket,
            laptop,
            card,
        }
    }

    /// Types a question and sends it.
    fn ask(&mut self, text: &str) {
        self.pocket.home();
        self.pocket.press("Start");
        self.pocket.wait("screen=writing");
        self.pocket.type_text(text);
        self.pocket.press("Start");
        self.pocket.wait("screen=chat");
    }

    /// The first words of an answer that goes on.
    fn first_words(&mut self) -> String {
        eventually("words on the screen", || {
            let facts = self.pocket.facts();
            assert_ne!(facts["answer.state"], "broken", "{facts:#?}");
            let said = facts["answer.role"] != "person" && words(&facts["answer"]) > 12;
            said.then(|| facts["answer"].clone())
        })
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

#[test]
fn an_answer_grows_on_the_screen_and_arrives_whole() {
    let server = Llama::start();
    let mut pair = Pair::with(&server);
    pair.ask("What is a river");
    let first = pair.first_words();
    assert!(
        words(&first) < WHOLE && server.is_generating(),
        "words show before the answer is finished"
    );
    pair.pocket.wait("answer.state=done");
    let whole = pair.pocket.fact("answer");
    assert!(whole.starts_with(&first));
    assert_eq!(pair.pocket.fact("answer.model"), "attic/tiny");
    // Each token of the model is a word.
    assert_eq!((words(&whole), server.tokens_made()), (WHOLE, WHOLE as u64));
}

#[test]
fn stopping_an_answer_with_a_button_stops_the_server() {
    let server = Llama::start();
    let mut pair = Pair::with(&server);
    pair.ask("Tell me everything");
    let first = pair.first_words();
    pair.pocket.press("Y");
    pair.pocket.wait("answer.state=stopped");
    eventually("an idle server", || (!server.is_generating()).then_some(()));
    let made = server.tokens_made();
    assert!(made < WHOLE as u64, "the answer was finished all the same");
    let kept = pair.pocket.fact("answer");
    assert!(kept.starts_with(&first), "what had arrived stays");

    pair.ask("Still there");
    pair.pocket.wait("answer.state=done");
    assert_eq!(server.tokens_made(), made + WHOLE as u64);
}

#[test]
fn a_killed_server_is_named_on_the_screen_and_what_had_arrived_stays() {
    let mut server = Llama::start();
    let mut pair = Pair::with(&server);
    pair.ask("Tell me everything");
    let first = pair.first_words();
    server.kill();
    pair.pocket.wait("answer.state=broken");
    let facts = pair.pocket.facts();
    assert_eq!(facts["answer.failure"], "ProviderBroke");
    assert!(facts["answer.detail"].contains("attic"), "{facts:#?}");
    let kept = facts["answer"].clone();
    assert!(kept.starts_with(&first) && words(&kept) < WHOLE);

    // Also on the card.
    let Pair {
        pocket,
        laptop,
        card,
    } = pair;
    pocket.quit();
    let mut pocket = Pocket::start(&card.path().join("card"), laptop.address());
    assert_eq!(pocket.fact("answer"), kept);
    assert_eq!(pocket.fact("answer.state"), "broken");
}
