//! Help: topics and their text, in Markdown.

/// A topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Title.
    pub title: &'static str,
    /// One line below the title.
    pub second: &'static str,
    /// Text.
    pub text: &'static str,
}

/// All topics, the first steps first.
pub const TOPICS: [Topic; 8] = [
    Topic {
        title: "First steps",
        second: "Pair, ask, read",
        text: FIRST_STEPS,
    },
    Topic {
        title: "Buttons",
        second: "Hold Select on any screen",
        text: BUTTONS,
    },
    Topic {
        title: "The arc in one minute",
        second: "Write a letter with one chord",
        text: ARC,
    },
    Topic {
        title: "Writing with few presses",
        second: "Words, accents, the edit layer",
        text: WRITING,
    },
    Topic {
        title: "When the laptop is away",
        second: "What waits, what works",
        text: AWAY,
    },
    Topic {
        title: "Being asked, being refused",
        second: "Who decides what",
        text: ASKED,
    },
    Topic {
        title: "What leaves this device",
        second: "And what cannot",
        text: PRIVACY,
    },
    Topic {
        title: "When something fails",
        second: "Whose fault, and what to do",
        text: FAILS,
    },
];

const FIRST_STEPS: &str = "\
This handheld never touches the internet. Your laptop does its work.

1. On the laptop, open pairing with `officectl pair`.
2. Here, open **Laptop**, choose **Pair a laptop**, and pick yours from those nearby. If it asks for a passphrase, `officectl pair` shows one.
3. Type the six digits that you see here on the laptop, then say yes here with **A**.
4. On the home screen press **Start** and write your first question. **Start** sends it.

A new device has to ask for everything: someone at the laptop says yes or no, and can allow things for good.";

const BUTTONS: &str = "\
**A** opens and confirms, **B** goes back. The row at the bottom says what else works here.

- **X** shows more that can be done.
- **Start** begins something new, and sends what you wrote.
- Hold **Select** for the map of all buttons on this screen.
- **Start** and **Select** together quit; what you wrote is kept.

A and B can be swapped in Settings. Letters never move.";

const ARC: &str = "\
Hold a direction, press a face button: that is a letter.

Each of the eight petals belongs to a direction, the middle to none. In a petal the four letters lie as the four buttons lie: **X** top, **A** right, **B** bottom, **Y** left.

1. Press **A** alone: **e**.
2. Hold **↑** and press **X**, **A**, **B**, **Y**: **h a t s**.
3. Hold **→**: **d i n g**. Hold **←**: **f o u r**. Hold **↓**: **p l y m**.
4. Now write *hats ding four*. **R1** is the space.
5. Rare letters and marks lie on the diagonals. Everything is always drawn, so there is nothing to learn by heart.

**B** alone deletes, **X** alone makes a capital, **Y** alone shows symbols and digits. **L1**, **L2** and **R2** take the suggested words.

Choose the arc under Settings, Keyboard.";

const WRITING: &str = "\
This holds for both keyboards.

- **L1**, **L2** and **R2** take the suggested words, already before the first letter. Hold one of them for three more. **B** straight after takes the word back.
- A full stop or comma after such a word moves before its space by itself.
- **R1** is the space, **B** deletes; hold it to go on.
- Hold a letter for its accents, pick with the D-pad, let go.
- Sentences and *I* begin with a capital by themselves. **X** turns that off, and gives a capital elsewhere; twice, until a space. **Y** does the same for symbols.
- **Select** opens the edit layer: the D-pad moves the cursor, **L1** and **R1** by words, **X** marks, **Y** has undo, cut, copy, paste and emoji. **Select** closes it.

The keyboard learns from what you send. **Settings, Learned words** forgets it.";

const AWAY: &str = "\
You can read and write everything while the laptop is away. What you send waits in the **Outbox** on the card and goes out by itself, in order, when the laptop is back. It runs once, however often the link breaks.

An answer that breaks off in the middle goes on where it stopped. A pulled battery loses nothing that was sent.

**Settings, Radio** lets link and radio sleep while nothing is under way. They wake by themselves when you begin to write; the first answer then waits about a second more.";

const ASKED: &str = "\
The laptop's owner decides what this handheld may do: *allowed*, *asks* or *refused*, for each kind of request. **Laptop** shows it.

If the laptop asks its owner, a countdown stands where the answer will be. If nobody answers in time, nothing runs; ask again with **X**. After a no, your text is kept.";

const PRIVACY: &str = "\
This handheld talks to paired laptops and to nothing else. The part that reads and draws can open no connection and run no program: another, small one hands it the link. **Settings, Air gap** tries it and shows what held.

Everything between the two is encrypted with keys made for this pair alone. The laptop may send your words on to the model server that its owner chose; the model's name says which.

Words that you write are remembered on this card, sealed, so that they can be suggested; passphrases and addresses never are. **Settings, Learned words** forgets them; with **Suggestions** off nothing is remembered.";

const FAILS: &str = "\
An error says what happened, whose fault it was, what is safe and what to do.

- **The laptop is away:** nothing is lost; it goes out by itself.
- **A server on the laptop fails:** the laptop is fine. Start the server there, then retry.
- **The laptop was restarted:** what ran has stopped. It is never run again by itself.
- **The card is full:** delete pictures or files here, then retry.

What had arrived always stays.";

/// The buttons, and the keys of a desktop keyboard that stand for them.
pub fn buttons() -> String {
    let keys: String = crate::input::keyboard::help_lines()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    format!(
        "The buttons of a handheld are known from tables, and the app can learn others: **Settings, Buttons, Set up again**. \
         A pad that no table knows is asked for by itself.\n\n\
         In a window on a desktop these keys stand for them:\n\n```\n{keys}```\n"
    )
}

/// What this is and under which licences.
pub const ABOUT: &str = "\
**OfficeOS handheld**, version VERSION

A pocket terminal that never touches the internet, and a laptop that does its work.

OfficeOS is free software under the MIT licence or the Apache License 2.0, as you choose.

**Type:** IBM Plex Sans and IBM Plex Mono, © IBM Corp., SIL Open Font License 1.1. Noto Emoji, © Google, SIL Open Font License 1.1. DejaVu Sans, Bitstream Vera licence. WenQuanYi Micro Hei, Apache License 2.0.

**Words:** SCOWL, © Kevin Atkinson, ordered for this app.

The full texts lie beside the app on the card.";

/// The version put into [`ABOUT`].
pub fn about() -> String {
    ABOUT.replace("VERSION", env!("CARGO_PKG_VERSION"))
}
