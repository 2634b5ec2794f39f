//! Pairing: six digits to be typed on the laptop, then a question.

use super::column;
use crate::app::model::Model;
use crate::app::model::screen::{PairingScreen, PairingStage};
use crate::app::view::{Card, Mark};
use crate::app::words::{self, pairing as say, quantity};
use crate::ui::canvas::{Align, Canvas};
use crate::ui::rect::Rect;
use crate::ui::text::{Face, Ink, Span, wrap::wrap};
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::{card, mark};

/// How long the window is open, in milliseconds.
const WINDOW: u64 = 120_000;

/// Draws the screen.
pub(super) fn pairing(
    c: &mut Canvas,
    t: &Theme,
    area: Rect,
    model: &Model,
    screen: &PairingScreen,
) {
    let m = &t.m;
    let place = column(t, area).inset(0, m.gap());
    match &screen.stage {
        PairingStage::Calling => {
            let called = say::calling(&screen.call);
            paragraphs(
                c,
                t,
                place,
                &[(&called, Tone::Text), (say::OPEN_THERE, Tone::Muted)],
            );
        }
        PairingStage::Digits(digits) => {
            let left = screen.until.map(|until| until.since(model.now));
            number(c, t, place, say::TYPE_DIGITS, digits, say::WHERE, left);
        }
        PairingStage::Confirm { digits, laptop } => {
            let name = words::peer(laptop, words::PEER_NAME_LEN);
            let below = format!("{name} says that the number was right.");
            number(c, t, place, say::CONFIRM, digits, &below, None);
        }
        PairingStage::Keeping { laptop } => {
            let name = words::peer(laptop, words::PEER_NAME_LEN);
            let kept = format!("Paired with {name}. Its keys are being written to the card.");
            paragraphs(c, t, place, &[(&kept, Tone::Text)]);
        }
        PairingStage::Failed { title, body } => {
            let said = Card {
                mark: Mark::Failed,
                state: "not paired".into(),
                lines: vec![format!("{}.", title.trim_end_matches('.')), body.clone()],
                left: String::new(),
            };
            let layout = card::layout(c, t, said, place.w);
            let y = place.y + (place.h - layout.height) / 3;
            card::draw(c, t, place.x, y, place.w, &layout);
        }
    }
}

/// A sentence, the number, a sentence, and how long it counts.
fn number(
    c: &mut Canvas,
    t: &Theme,
    area: Rect,
    above: &str,
    digits: &[u8; 6],
    below: &str,
    left: Option<u64>,
) {
    let m = &t.m;
    let digit_line = i32::from(m.digits) * 5 / 4;
    let timer = if left.is_some() {
        5 * m.u + m.body.line
    } else {
        0
    };
    let height = m.title.line + 2 * m.u + digit_line + 2 * m.u + m.body.line + timer;
    let mut block = area.centered(area.w, height.min(area.h));
    let first = block.take_top(m.title.line);
    c.label(
        first,
        above,
        Face::SemiBold,
        m.title.size,
        t.color(Tone::Text),
        Align::Center,
    );
    block.take_top(2 * m.u);
    let line = block.take_top(digit_line);
    let text: String = digits.iter().map(|d| char::from(b'0' + d % 10)).collect();
    // Two groups of three, read as two words.
    let group = c.text.width(&text[..3], Face::MonoSemiBold, m.digits);
    let whole = line.centered(2 * group + 4 * m.u, line.h);
    let sides = [(&text[..3], Align::Left), (&text[3..], Align::Right)];
    for (part, align) in sides {
        c.tight_label(
            whole,
            part,
            Face::MonoSemiBold,
            m.digits,
            t.color(Tone::Accent),
            align,
        );
    }
    block.take_top(2 * m.u);
    let second = block.take_top(m.body.line);
    c.label(
        second,
        below,
        Face::Sans,
        m.body.size,
        t.color(Tone::Muted),
        Align::Center,
    );
    if let Some(left) = left {
        block.take_top(2 * m.u);
        let bar = block.take_top(3 * m.u).centered(44 * m.u, m.u * 3 / 2);
        let permille = (left.min(WINDOW) * 1000 / WINDOW) as u16;
        mark::blocks(c, t, bar, permille, Tone::Wait, Tone::Raised);
        let words = format!("{} left", quantity::countdown(left));
        c.label(
            block,
            &words,
            Face::Sans,
            m.body.size,
            t.color(Tone::Text),
            Align::Center,
        );
    }
}

/// Centred paragraphs.
fn paragraphs(c: &mut Canvas, t: &Theme, area: Rect, texts: &[(&str, Tone)]) {
    let m = &t.m;
    let mut top = area.y + area.h / 4;
    for (text, tone) in texts {
        let span = [Span {
            text: (*text).into(),
            face: Face::Sans,
            size: m.body.size,
            ink: Ink::of(*tone),
        }];
        for line in wrap(&mut c.text, &span, (area.w - 8 * m.u).min(60 * m.u)) {
            let x = area.x + (area.w - line.width as i32) / 2;
            c.line(x, top, m.body, &line, t, None);
            top += m.body.line;
        }
        top += m.paragraph();
    }
}
