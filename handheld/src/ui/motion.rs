//! What moves: keyboard, menus and dialogs rise, a finished picture takes the place of its frame. Nothing else does, and
//! nothing at all where the person has turned it off. The canvas always holds the finished frame; this is only how it is shown.

use super::canvas::Canvas;
use super::color::Color;
use super::metrics::Metrics;
use super::rect::Rect;
use crate::app::model::{Model, Overlay, Screen};
use crate::time::Millis;

/// How long something rises, in milliseconds.
const RISE_MS: u64 = 120;
/// How long a picture takes to stand where its frame stood.
const FADE_MS: u64 = 150;
/// Between two frames of a motion: 30 a second.
const FRAME_MS: u64 = 33;

/// What is on the panel, as far as motion cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    Dialog,
    Menu,
    Writing,
    Progress,
    Viewer,
    Other,
}

fn scene(model: &Model) -> Scene {
    match (&model.lock, &model.overlay, model.screen()) {
        (Some(_), ..) => Scene::Other,
        (None, Some(Overlay::Dialog(_)), _) => Scene::Dialog,
        (None, Some(Overlay::Menu(_)), _) => Scene::Menu,
        (None, Some(Overlay::ButtonMap), _) => Scene::Other,
        (None, None, Screen::Writing(_)) => Scene::Writing,
        (None, None, Screen::Progress(_)) => Scene::Progress,
        (None, None, Screen::Viewer(_)) => Scene::Viewer,
        _ => Scene::Other,
    }
}

/// How a new scene comes onto the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The rows of this area come up from so many pixels below.
    Rise(Rect, i32),
    /// Everything turns from the old into the new.
    Fade,
}

fn way(from: Scene, to: Scene, m: &Metrics) -> Option<(Way, u64)> {
    let middle = Rect::new(0, m.bar(), m.width, m.height - 2 * m.bar());
    let board = Rect::new(0, m.height - m.bar() - 34 * m.u, m.width, 34 * m.u);
    match (from, to) {
        (a, b) if a == b => None,
        (_, Scene::Dialog | Scene::Menu) => Some((Way::Rise(middle, 6 * m.u), RISE_MS)),
        // Back from a menu the keyboard was there all along.
        (Scene::Dialog | Scene::Menu, Scene::Writing) => None,
        (_, Scene::Writing) => Some((Way::Rise(board, board.h), RISE_MS)),
        (Scene::Progress, Scene::Viewer) => Some((Way::Fade, FADE_MS)),
        _ => None,
    }
}

struct Running {
    way: Way,
    since: Millis,
    span: u64,
    /// What was shown when it began.
    before: Vec<u16>,
}

/// A frame to be shown.
pub struct Frame<'a> {
    /// The whole panel, row by row.
    pub pixels: &'a [u16],
    /// What differs from the frame shown before.
    pub dirty: Vec<Rect>,
    /// When the next frame of the motion is due; nothing if it is over.
    pub next: Option<Millis>,
}

/// Remembers what was shown, and what is moving.
#[derive(Default)]
pub struct Motion {
    last: Option<Scene>,
    running: Option<Running>,
    buffer: Vec<u16>,
}

impl Motion {
    /// How the frame that was just drawn onto `canvas` is to be shown at `now`.
    pub fn frame<'a>(
        &'a mut self,
        model: &Model,
        m: &Metrics,
        canvas: &'a mut Canvas,
        now: Millis,
    ) -> Frame<'a> {
        let to = scene(model);
        let from = self.last.replace(to);
        if from != Some(to) {
            let way = from
                .filter(|_| model.settings.motion)
                .and_then(|from| way(from, to, m));
            let before = canvas.shown().to_vec();
            let same_size = before.len() == canvas.pixels().len();
            self.running = way.filter(|_| same_size).map(|(way, span)| Running {
                way,
                since: now,
                span,
                before,
            });
        }
        let done = |r: &Running| now.since(r.since) * 1000 / r.span;
        match self.running.take_if(|r| done(r) < 1000) {
            Some(running) => {
                self.buffer.clear();
                self.buffer.extend_from_slice(canvas.pixels());
                mix(&mut self.buffer, &running, done(&running), m.width);
                self.running = Some(running);
                let dirty = canvas.damage_by(&self.buffer);
                Frame {
                    pixels: &self.buffer,
                    dirty,
                    next: Some(now.plus(FRAME_MS)),
                }
            }
            None => {
                self.running = None;
                let dirty = canvas.damage();
                Frame {
                    pixels: canvas.pixels(),
                    dirty,
                    next: None,
                }
            }
        }
    }
}

/// Turns the finished frame in `pixels` into the one at `permille` of the way.
fn mix(pixels: &mut [u16], running: &Running, permille: u64, width: i32) {
    // Fast at first, then slower: what rises comes to rest.
    let left = 1.0 - permille as f32 / 1000.0;
    match running.way {
        Way::Rise(area, depth) => {
            let offset = (left.powi(3) * depth as f32).round() as i32;
            for y in (area.y..area.bottom()).rev() {
                let row = |y: i32| (y * width) as usize..((y + 1) * width) as usize;
                if row(y).end > pixels.len() {
                    continue;
                }
                if y - offset >= area.y {
                    pixels.copy_within(row(y - offset), row(y).start);
                } else {
                    pixels[row(y)].copy_from_slice(&running.before[row(y)]);
                }
            }
        }
        Way::Fade => {
            let old = (left * 255.0) as u8;
            for (new, &before) in pixels.iter_mut().zip(&running.before) {
                if *new != before {
                    *new = Color(before).over(Color(*new), old).0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::overlay::{Dialog, Menu};
    use crate::app::model::{ListState, Panel};
    use crate::ui;

    struct Show {
        model: Model,
        canvas: Canvas,
        motion: Motion,
    }

    impl Show {
        fn new() -> Show {
            let mut show = Show {
                model: Model::new(Panel::VGA, 1),
                canvas: Canvas::new(640, 480),
                motion: Motion::default(),
            };
            show.at(0);
            show
        }

        /// Draws at a time: the pixels shown, and when the next frame is due.
        fn at(&mut self, now: u64) -> (Vec<u16>, Option<Millis>) {
            let theme = ui::theme(&self.model);
            ui::draw(&self.model, &theme, &mut self.canvas);
            let frame = self
                .motion
                .frame(&self.model, &theme.m, &mut self.canvas, Millis(now));
            (frame.pixels.to_vec(), frame.next)
        }

        fn open_dialog(&mut self) {
            self.model.overlay = Some(Overlay::Dialog(Dialog {
                error: false,
                title: "Delete?".into(),
                body: vec!["It goes.".into()],
                yes: None,
                no: "Keep".into(),
            }));
        }
    }

    #[test]
    fn a_dialog_rises_and_comes_to_rest_within_its_time() {
        let mut show = Show::new();
        show.open_dialog();
        let (first, next) = show.at(1000);
        assert_eq!(next, Some(Millis(1033)));
        assert_ne!(first, show.canvas.pixels());
        let (last, next) = show.at(1000 + RISE_MS);
        assert_eq!((last, next), (show.canvas.pixels().to_vec(), None));
        assert_eq!(show.at(5000).1, None);
    }

    #[test]
    fn nothing_moves_where_motion_is_off_or_the_screen_merely_changes() {
        let mut show = Show::new();
        show.model.settings.motion = false;
        show.open_dialog();
        assert_eq!(show.at(1000), (show.canvas.pixels().to_vec(), None));
        let mut show = Show::new();
        show.model
            .screens
            .push(Screen::Settings(ListState::default()));
        assert_eq!(show.at(1000), (show.canvas.pixels().to_vec(), None));
    }

    #[test]
    fn what_was_uploaded_adds_up_to_what_is_shown() {
        let mut show = Show::new();
        show.model.overlay = Some(Overlay::Menu(Menu {
            title: "Menu".into(),
            items: Vec::new(),
            list: ListState::default(),
        }));
        let mut panel = show.canvas.shown().to_vec();
        for now in [1000, 1040, 1080, 1200] {
            let theme = ui::theme(&show.model);
            ui::draw(&show.model, &theme, &mut show.canvas);
            let frame = show
                .motion
                .frame(&show.model, &theme.m, &mut show.canvas, Millis(now));
            for r in &frame.dirty {
                for y in r.y..r.bottom() {
                    let row = (y * 640 + r.x) as usize..(y * 640 + r.right()) as usize;
                    panel[row.clone()].copy_from_slice(&frame.pixels[row]);
                }
            }
            assert!(panel == frame.pixels, "at {now}");
        }
    }

    #[test]
    fn a_fade_begins_at_the_old_and_ends_at_the_new() {
        let running = Running {
            way: Way::Fade,
            since: Millis(0),
            span: 100,
            before: vec![0x0000; 4],
        };
        let mut pixels = vec![0xffff; 4];
        mix(&mut pixels, &running, 0, 2);
        assert_eq!(pixels, [0; 4]);
        let mut pixels = vec![0xffff; 4];
        mix(&mut pixels, &running, 999, 2);
        assert_eq!(pixels, [0xffff; 4]);
    }
}
