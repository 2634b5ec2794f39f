//! Redraws to be counted by `valgrind --tool=callgrind`: `redraw WHAT FRAMES`. The difference between two runs with different
//! numbers of frames is what a frame costs: the view of the model, its layout, painting, and finding what changed. The
//! model is there before, fonts are parsed and letters rasterised. `scripts/bench redraw` does it.

#[path = "../tests/samples/mod.rs"]
#[allow(dead_code)] // The samples of other screens.
mod samples;

use handheld::app::Model;
use handheld::app::model::screen::Tile;
use handheld::app::model::{Panel, Screen, Scroll, Turn};
use handheld::input::button::{Button, ButtonSet, Edge, Press};
use handheld::ui::{self, Canvas};
use std::hint::black_box;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let frames: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut show = match wanted.as_str() {
        "chat-whole" | "chat-word" => Show::of("chat-streaming"),
        "long-word" => long(200, 600),
        "answer-word" => long(1, 100_000),
        "answer-open" => {
            // Nothing is laid out before the first frame.
            if frames > 0 {
                long(1, 100_000).frame();
            }
            return;
        }
        "list-whole" | "list-row" => Show::of("settings"),
        "grid-whole" | "grid-letter" => Show::of("writing-grid"),
        "home-whole" | "home-row" => Show::of("home"),
        _ => {
            eprintln!(
                "redraw chat-whole|chat-word|long-word|answer-open|answer-word|list-whole|list-row|grid-whole|grid-letter|home-whole|home-row FRAMES"
            );
            std::process::exit(2);
        }
    };
    // What is drawn once more is in the caches.
    show.frame();
    show.frame();
    let mut pixels = 0;
    for step in 0..frames {
        match wanted.rsplit('-').next() {
            Some("whole") => show.canvas.forget(),
            Some("word") => show.word(step),
            Some("letter") => show.letter(step),
            _ => show.row(step),
        }
        pixels += show.frame();
    }
    println!("{} pixels changed in a frame", pixels / frames.max(1));
}

struct Show {
    model: Model,
    canvas: Canvas,
}

/// A conversation of so many turns with answers of so many octets, seen at its end, where the last one is being written.
fn long(turns: usize, len: usize) -> Show {
    let mut show = Show::of("chat-streaming");
    let chat = current(&mut show.model);
    let said: Vec<Turn> = chat.turns.clone();
    let (question, answer) = (said[said.len() - 2].clone(), said[said.len() - 1].clone());
    let prose: String = answer.text.repeat(len / answer.text.len().max(1) + 1);
    let cut = prose.floor_char_boundary(len);
    chat.turns.clear();
    for turn in 0..turns {
        let mut answer = answer.clone();
        answer.text = prose[..cut].to_owned();
        if turn + 1 < turns {
            answer.state = handheld::app::model::TurnState::Done;
        }
        chat.turns.extend([question.clone(), answer]);
    }
    show
}

fn current(model: &mut Model) -> &mut handheld::app::model::Chat {
    let Screen::Chat(screen) = model.screen() else {
        unreachable!("the sample shows a chat");
    };
    let id = screen.chat;
    let found = model.chats.list.iter_mut().find(|c| c.id == id);
    found.expect("the sample has the chat that it shows")
}

impl Show {
    fn of(name: &str) -> Show {
        let panel = Panel::VGA;
        let (_, mut model) = samples::all(panel)
            .into_iter()
            .find(|(n, _)| *n == name)
            .expect("there is such a sample");
        if let Some(Screen::Chat(screen)) = model.screens.last_mut() {
            screen.scroll = Scroll::End;
        }
        let canvas = Canvas::new(panel.width as i32, panel.height as i32);
        Show { model, canvas }
    }

    /// Draws as the app does; pixels that changed.
    fn frame(&mut self) -> usize {
        let dirty = measured(&mut self.model, &mut self.canvas);
        dirty.iter().map(|r| (r.w * r.h) as usize).sum()
    }

    fn word(&mut self, step: usize) {
        let words = ["light ", "falls ", "on ", "the ", "harbour, ", "and "];
        let chat = current(&mut self.model);
        if let Some(turn) = chat.turns.last_mut() {
            turn.text.push_str(words[step % words.len()]);
        }
    }

    /// A types the letter that has the focus.
    fn letter(&mut self, step: usize) {
        let at = self.model.now.plus(1000 * (step as u64 + 1));
        for edge in [Edge::Press, Edge::Release] {
            let press = Press {
                button: Button::A,
                edge,
                at,
                down_at: at,
                with: ButtonSet::EMPTY,
            };
            self.model.keyboard.handle(press, at);
        }
    }

    fn row(&mut self, step: usize) {
        match self.model.screens.last_mut() {
            Some(Screen::Home(screen)) => screen.focus = Tile::ALL[step % Tile::ALL.len()],
            Some(Screen::Settings(list)) => list.focus = step % 6,
            _ => {}
        }
    }
}

#[inline(never)]
fn measured(model: &mut Model, canvas: &mut Canvas) -> Vec<ui::Rect> {
    for _ in 0..2 {
        let theme = ui::theme(model);
        let extent = ui::draw(black_box(model), &theme, canvas);
        if extent == model.extent {
            break;
        }
        model.extent = extent;
    }
    canvas.damage()
}
