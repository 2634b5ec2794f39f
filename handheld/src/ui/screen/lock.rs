//! The lock: a button sequence unseals what is on the card. Which buttons were pressed is shown nowhere.

use crate::app::hints;
use crate::app::model::Model;
use crate::app::model::screen::{LockScreen, SetLockScreen};
use crate::app::words::quantity;
use crate::ui::canvas::{Align, Canvas, Icon};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::hint_bar;

/// Draws the screen that asks for the sequence, over the whole panel.
pub(super) fn lock(c: &mut Canvas, t: &Theme, panel: Rect, model: &Model, lock: &LockScreen) {
    let mut area = panel;
    let foot = area.take_bottom(t.m.bar());
    hint_bar::hint_bar(c, t, foot, &hints::bar(model));
    let wait = lock.wait_until.filter(|until| *until > model.now);
    let (line, tone) = match wait {
        _ if lock.checking => ("Checking.".to_string(), Tone::Muted),
        Some(until) => {
            let left = quantity::countdown(until.since(model.now));
            (format!("Wrong sequence. Next try in {left}."), Tone::Stop)
        }
        None if lock.wrong > 0 && lock.entered.is_empty() => {
            ("Wrong sequence. Try again.".into(), Tone::Stop)
        }
        None => ("Press your buttons, then Start.".into(), Tone::Muted),
    };
    sequence(c, t, area, "Locked", lock.entered.len(), &line, tone);
}

/// Draws the screen that takes a new sequence.
pub(super) fn set_lock(c: &mut Canvas, t: &Theme, area: Rect, screen: &SetLockScreen) {
    let (title, line, tone) = match (&screen.first, screen.differed) {
        (None, true) => ("New sequence", "The two differed. Begin again.", Tone::Stop),
        (None, false) => (
            "New sequence",
            "Press 4 to 16 buttons, then Start.",
            Tone::Muted,
        ),
        (Some(_), _) => (
            "Once more",
            "Press the same buttons again, then Start.",
            Tone::Muted,
        ),
    };
    sequence(c, t, area, title, screen.entered.len(), line, tone);
}

fn sequence(
    c: &mut Canvas,
    t: &Theme,
    area: Rect,
    title: &str,
    entered: usize,
    line: &str,
    tone: Tone,
) {
    let m = &t.m;
    let mut block = area.centered(
        area.w - 2 * m.margin(),
        9 * m.u + m.title.line + 6 * m.u + m.body.line,
    );
    let sign = block.take_top(9 * m.u);
    c.icon(Icon::Lock, sign, 8 * m.u, t.color(Tone::Accent));
    let head = block.take_top(m.title.line);
    c.label(
        head,
        title,
        Face::SemiBold,
        m.title.size,
        t.color(Tone::Text),
        Align::Center,
    );
    let dots = block.take_top(6 * m.u);
    let shown = entered.min(20) as i32;
    let (size, pitch) = (m.u * 3 / 2, m.u * 5 / 2);
    let slots = shown.max(4);
    let left = dots.center_x() - (slots * pitch - (pitch - size)) / 2;
    for i in 0..slots {
        let dot = Rect::new(left + i * pitch, dots.center_y() - size / 2, size, size);
        if i < shown {
            c.fill_round(dot, size, t.color(Tone::Accent));
        } else {
            c.stroke_round(dot, size, m.outline, t.color(Tone::Line));
        }
    }
    c.label(
        block,
        line,
        Face::Sans,
        m.body.size,
        t.color(tone),
        Align::Center,
    );
}
