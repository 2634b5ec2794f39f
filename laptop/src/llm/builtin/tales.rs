//! Stories, letters, lists and poems from templates, chosen by the words of the request.

/// A small deterministic chooser.
#[derive(Clone, Debug)]
pub struct Chooser(u64);

impl Chooser {
    /// A chooser seeded by text (FNV-1a).
    pub fn new(seed: &str) -> Self {
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// A number below `n`; 0 for 0.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % (n.max(1) as u64)) as usize
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const HEROES: [&str; 6] = ["Mara", "Tobias", "Ines", "old Henrik", "Yuki", "Amadou"];
const PLACES: [&str; 6] = [
    "a harbour town",
    "the edge of a pine forest",
    "a railway village",
    "an island of sheep",
    "the old quarter",
    "a desert post",
];
const OPENINGS: [&str; 4] = [
    "In {place} there lived somebody called {hero}, who had never once been late.",
    "Nobody in {place} could remember when {hero} had arrived, only that the kettle was on the same evening.",
    "It began on a Tuesday in {place}, when {hero} found {thing} on the doorstep.",
    "{hero} kept {thing} in a drawer in {place} and told nobody.",
];
const MIDDLES: [&str; 12] = [
    "The morning was grey and smelled of rain. {hero} put {thing} into a coat pocket and walked down to the water, where \
     the boats knocked against each other like people waiting for a bus.",
    "“You should not carry that around,” said the baker, who saw everything. “Things like {thing} want to be \
     somewhere.” {hero} bought two rolls and thought about it.",
    "At noon the bells rang thirteen times. Everyone in {place} stopped and counted again on their fingers. {hero} was the \
     only one who laughed.",
    "There was a path behind the last house that no map showed. It went uphill between brambles, and on it, quite alone, \
     sat a dog with one white ear. It looked at {thing} and stood up.",
    "They walked for an hour without a word. The dog knew where the stones were loose. {hero} knew where the water was \
     cold. It was a fair exchange.",
    "On the hill stood a small tower with a door that was too low. Inside there was a table, a lamp, and a book in which \
     every page said: not yet.",
    "{hero} sat down and waited. Waiting is a skill like any other, and in {place} one learns it early. The light moved \
     across the table a finger's width at a time.",
    "When it was nearly dark the lamp lit itself. The book turned a page. Now it said: put it here. So {hero} put down \
     {thing}, and the whole tower gave a sigh, like somebody who has been holding a door.",
    "Far below, the windows of {place} went yellow one after the other. Somewhere somebody practised the same four bars on \
     a piano, and for the first time got all of them right.",
    "The dog slept. The wind turned to the west. {hero} read the book from the beginning, and this time every page held a \
     different day, each of them ordinary, each of them dear.",
    "On the way down it rained at last, softly. {hero} did not mind. Wet shoes dry, and a story that is told to nobody \
     keeps as well as jam.",
    "The baker asked nothing the next morning, but there was a third roll in the bag, still warm, and crumbs of it fell on \
     the floor for a dog with one white ear.",
];
const ENDINGS: [&str; 3] = [
    "And if you come to {place} on a Tuesday, listen for the bells. If they ring thirteen times, look up at the hill.",
    "That is all that is known. {hero} is still never late.",
    "The drawer has been empty since then, and nothing in {place} has ever been lost again.",
];
const THINGS: [&str; 6] = [
    "a brass key without a lock",
    "a letter addressed to tomorrow",
    "a very small lighthouse",
    "a clock that ran backwards",
    "a map of a room",
    "a blue stone that hummed",
];

/// A story of at least `words` words (at most 3000), about the things named after "about" if any.
pub fn story(request: &str, words: usize) -> String {
    let mut chooser = Chooser::new(&request.to_lowercase());
    let (hero, place) = (chooser.pick(&HEROES), chooser.pick(&PLACES));
    let thing = match topic(request) {
        Some(topic) if has_article(&topic) => topic,
        Some(topic) => format!("the thing they called “{topic}”"),
        None => chooser.pick(&THINGS).to_owned(),
    };
    let fill = |text: &str| {
        text.replace("{hero}", hero)
            .replace("{place}", place)
            .replace("{thing}", &thing)
    };
    let mut parts = vec![
        "## A small story".to_owned(),
        capital(&fill(chooser.pick(&OPENINGS))),
    ];
    let ending = capital(&fill(chooser.pick(&ENDINGS)));
    let note = "*(told by the built-in partner, from templates)*".to_owned();
    let count = |parts: &[String]| {
        parts
            .iter()
            .map(|p| p.split_whitespace().count())
            .sum::<usize>()
    };
    let wanted = words.min(3000);
    let mut day = 1;
    'days: loop {
        for middle in MIDDLES {
            if count(&parts) + ending.split_whitespace().count() >= wanted && parts.len() > 4 {
                break 'days;
            }
            parts.push(capital(&fill(middle)));
        }
        day += 1;
        parts.push(format!("### Day {day}"));
    }
    parts.extend([ending, note]);
    parts.join("\n\n")
}

fn has_article(topic: &str) -> bool {
    ["a ", "an ", "the ", "my ", "our ", "his ", "her "]
        .iter()
        .any(|a| topic.starts_with(a))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// What stands after "about", "for" or "of" in a request: up to eight words, letters and digits only at the ends.
pub fn topic(request: &str) -> Option<String> {
    let words: Vec<&str> = request.split_whitespace().collect();
    let at = words
        .iter()
        .position(|w| w.eq_ignore_ascii_case("about"))
        .or_else(|| {
            words
                .iter()
                .position(|w| w.eq_ignore_ascii_case("for") || w.eq_ignore_ascii_case("of"))
        })?;
    let rest: Vec<&str> = words[at + 1..].iter().take(8).copied().collect();
    let text = rest.join(" ");
    let text = text
        .split(['.', '?', '!', ',', ';'])
        .next()
        .unwrap_or_default()
        .trim();
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    (!text.is_empty()).then(|| text.to_lowercase())
}

/// A short letter.
pub fn letter(request: &str) -> String {
    let to = request
        .split_whitespace()
        .skip_while(|w| !w.eq_ignore_ascii_case("to"))
        .skip(1)
        .find(|w| !["my", "the", "our", "a"].contains(&w.to_lowercase().as_str()))
        .map(|w| capital(w.trim_matches(|c: char| !c.is_alphanumeric())))
        .filter(|w| !w.is_empty())
        .unwrap_or_else(|| "friend".to_owned());
    let about = topic(request).unwrap_or_else(|| "the past weeks".to_owned());
    format!(
        "Dear {to},\n\nI hope this finds you well. I am writing about **{about}**, which has been on my mind.\n\n\
         It would be good to talk it over soon. Any evening this week suits me, and a short answer is enough.\n\n\
         With kind regards,\n\n*(your name)*\n\n*(a template of the built-in partner: change what does not fit)*"
    )
}

/// A list of what to think of.
pub fn list(request: &str) -> String {
    let lower = request.to_lowercase();
    let items: &[&str] =
        if lower.contains("pack") || lower.contains("travel") || lower.contains("trip") {
            &[
                "Passport and tickets",
                "Charger and cable",
                "Toothbrush",
                "Rain jacket",
                "Something to read",
                "Snacks",
            ]
        } else if lower.contains("shop") || lower.contains("grocer") {
            &["Bread", "Milk", "Apples", "Pasta", "Tomatoes", "Coffee"]
        } else if lower.contains("todo") || lower.contains("to-do") || lower.contains("task") {
            &[
                "Pick the one thing that matters today",
                "Do it for 25 minutes",
                "Answer two messages",
                "Take a walk",
                "Tidy the desk",
            ]
        } else {
            &[
                "Say in one sentence what it is",
                "Write down what you know already",
                "Find the first small step",
                "Ask one person about it",
                "Set a day to look again",
            ]
        };
    let title = topic(request)
        .map(|t| capital(&t))
        .unwrap_or_else(|| "A list".to_owned());
    let mut text = format!("**{title}**\n\n");
    for (n, item) in items.iter().enumerate() {
        text.push_str(&format!("{}. {item}\n", n + 1));
    }
    text.push_str("\n*(a ready-made list of the built-in partner)*");
    text
}

/// A poem of three lines.
pub fn poem(request: &str) -> String {
    let mut chooser = Chooser::new(request);
    let first = chooser.pick(&[
        "Small lamp in the hand",
        "Rain on the tin roof",
        "Snow before the door",
    ]);
    let second = chooser.pick(&[
        "letters walk across the glass",
        "a boat without a harbour",
        "nobody has stepped in it",
    ]);
    let third = chooser.pick(&[
        "the long night is read",
        "morning finds its way",
        "then the first bird calls",
    ]);
    format!("> {first}\n> {second}\n> {third}\n\n*(put together by the built-in partner)*")
}

/// What stands for a continuation: rules cannot continue a text, and this says so in its own words.
pub fn continuation(text: &str) -> String {
    let mut chooser = Chooser::new(text);
    let bridge = chooser.pick(&[
        "and so it went on for a while",
        "though nobody had expected it",
        "until the lamp went out",
    ]);
    let lead = if text.ends_with(['.', '!', '?', '。']) {
        format!(" {}.", capital(bridge))
    } else {
        format!(" {bridge}.")
    };
    format!(
        "{lead} *(The built-in partner follows rules and cannot really continue a text; a language model on the laptop can.)*"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_as_long_as_asked_and_always_the_same() {
        for words in [40, 300, 900] {
            let text = story("a long story about a brave cat", words);
            assert!(text.split_whitespace().count() >= words, "{words}");
            assert!(text.contains("a brave cat") && text.ends_with("from templates)*"));
            assert_eq!(text, story("a long story about a brave cat", words));
        }
        assert!(story("x", usize::MAX).split_whitespace().count() < 3300);
        assert!(!story("y", 300).contains('{'));
    }

    #[test]
    fn letters_name_their_reader_and_topic() {
        let text = letter("Write a letter to my landlord about the broken heating, please");
        assert!(text.starts_with("Dear Landlord,") && text.contains("**the broken heating**"));
    }

    #[test]
    fn lists_are_numbered() {
        assert!(list("shopping list for sunday").starts_with("**Sunday**\n\n1. Bread\n2. Milk"));
    }
}
