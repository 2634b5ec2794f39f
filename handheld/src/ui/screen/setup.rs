//! The set-up of buttons: a pad with the button that is asked for, and what to do, over the whole panel.

use crate::app::model::Model;
use crate::app::words::{quantity, setup as say};
use crate::input::Setup;
use crate::input::button::{Button, ButtonSet};
use crate::input::setup::Stage;
use crate::ui::canvas::{Align, Canvas, Icon};
use crate::ui::rect::Rect;
use crate::ui::text::Face;
use crate::ui::theme::{Theme, Tone};

/// Width and height of the drawn pad in units.
const PAD: (i32, i32) = (74, 34);

/// Draws the screen.
pub(super) fn setup(c: &mut Canvas, t: &Theme, panel: Rect, model: &Model, setup: &Setup) {
    let m = &t.m;
    let mut area = panel;
    let head = area.take_top(m.bar()).inset(m.margin(), 0);
    let foot = area.take_bottom(m.bar());
    c.tight_label(
        head,
        say::TITLE,
        Face::SemiBold,
        3 * m.u as u16,
        t.color(Tone::Text),
        Align::Left,
    );
    let known = setup.found().fold(ButtonSet::EMPTY, ButtonSet::with);
    let asked = match setup.stage() {
        Stage::Asking(button) => Some(*button),
        _ => None,
    };
    if let Some(asked) = asked {
        let count = format!("{} of {}", asked.index() + 1, Button::ALL.len());
        c.tight_label(
            head,
            &count,
            Face::Sans,
            m.caption.size,
            t.color(Tone::Muted),
            Align::Right,
        );
    }
    c.fill(foot, t.color(Tone::Surface));
    let left = quantity::countdown(setup.until().since(model.now));
    let bar = foot.inset(m.margin(), 0);
    c.tight_label(
        bar,
        &say::clock(setup, &left),
        Face::Sans,
        m.caption.size,
        t.color(Tone::Text),
        Align::Left,
    );

    let mut words = area.take_bottom(m.title.line + m.caption.line + 4 * m.u);
    words.take_top(m.u);
    let question = words.take_top(m.title.line);
    let title = (Face::SemiBold, m.title.size, t.color(Tone::Text));
    c.label(
        question,
        &say::question(setup),
        title.0,
        title.1,
        title.2,
        Align::Center,
    );
    let note = words.take_top(m.caption.line + m.u);
    let tone = if setup.is_leaving() {
        Tone::Wait
    } else {
        Tone::Muted
    };
    c.label(
        note,
        &say::note(setup),
        Face::Sans,
        m.caption.size,
        t.color(tone),
        Align::Center,
    );

    let board = area.centered(
        (PAD.0 * m.u).min(area.w - 2 * m.margin()),
        (PAD.1 * m.u).min(area.h),
    );
    c.card(
        board,
        4 * m.u,
        m.outline,
        t.color(Tone::Surface),
        t.color(Tone::Line),
    );
    for button in Button::ALL {
        let trying = asked.is_none();
        let state = match known.contains(button) {
            // What keeps it stands out in the trial.
            _ if asked == Some(button) || (trying && button == Button::A) => State::Asked,
            true if trying => State::Named,
            true => State::Known,
            false => State::Open,
        };
        key(c, t, place(t, board, button), button, state);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing stands for it yet.
    Open,
    /// It is to be pressed.
    Asked,
    /// It has been found: a tick, which tells it in greyscale too.
    Known,
    /// It has been found, and is tried by its name.
    Named,
}

/// Where a button lies on the drawn pad.
fn place(t: &Theme, board: Rect, button: Button) -> Rect {
    let u = t.m.u;
    let (key, pill) = (6 * u, 9 * u);
    let top = board.y + u * 3 / 2;
    // Shoulders above, the rest around the middle of what is left.
    let middle = top + 5 * u + (board.bottom() - top - 5 * u) / 2;
    let (pad, face) = (board.x + 14 * u, board.right() - 14 * u);
    let square = |x: i32, dx: i32, dy: i32| {
        Rect::new(
            x - key / 2 + dx * key,
            middle - key / 2 + dy * key,
            key,
            key,
        )
    };
    let shoulder = |x: i32| Rect::new(x, top, pill, 4 * u);
    let middle_pill = 10 * u;
    let centre =
        |dx: i32, dy: i32| Rect::new(board.center_x() + dx, middle + dy, middle_pill, 4 * u);
    match button {
        Button::Up => square(pad, 0, -1),
        Button::Down => square(pad, 0, 1),
        Button::Left => square(pad, -1, 0),
        Button::Right => square(pad, 1, 0),
        Button::X => square(face, 0, -1),
        Button::B => square(face, 0, 1),
        Button::Y => square(face, -1, 0),
        Button::A => square(face, 1, 0),
        Button::L2 => shoulder(board.x + 4 * u),
        Button::L1 => shoulder(board.x + 14 * u),
        Button::R1 => shoulder(board.right() - 14 * u - pill),
        Button::R2 => shoulder(board.right() - 4 * u - pill),
        Button::Select => centre(-middle_pill - u / 2, -5 * u),
        Button::Start => centre(u / 2, -5 * u),
        Button::Menu => centre(-middle_pill / 2, u),
    }
}

fn key(c: &mut Canvas, t: &Theme, area: Rect, button: Button, state: State) {
    let m = &t.m;
    let area = area.inset(m.u / 4, m.u / 4);
    let radius = if button.is_face() {
        area.h
    } else if button.is_dpad() {
        m.radius_key()
    } else {
        m.radius_card()
    };
    let (fill, line, ink) = match state {
        State::Asked => (Tone::Accent, Tone::Accent, Tone::On),
        State::Known | State::Named => (Tone::Raised, Tone::Line, Tone::Text),
        State::Open => (Tone::Surface, Tone::Line, Tone::Muted),
    };
    c.card(area, radius, m.outline, t.color(fill), t.color(line));
    let arrow = match button {
        Button::Up => Some(Icon::Up),
        Button::Down => Some(Icon::Down),
        Button::Left => Some(Icon::Left),
        Button::Right => Some(Icon::Right),
        _ => None,
    };
    if state == State::Known {
        return c.icon(Icon::Check, area, m.u * 5 / 2, t.color(Tone::Accent));
    }
    if let Some(icon) = arrow {
        return c.icon(icon, area, m.u * 5 / 2, t.color(ink));
    }
    let size = if button.is_face() {
        m.key
    } else {
        m.caption.size
    };
    let face = if state == State::Open {
        Face::Sans
    } else {
        Face::SemiBold
    };
    c.tight_label(
        area,
        button.label(),
        face,
        size,
        t.color(ink),
        Align::Center,
    );
}
