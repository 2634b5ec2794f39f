//! Writes every screen in every state, panel and theme as a PNG:
//! `cargo run -p handheld --example gallery -- OUT [--panel 1920x1152] [--text small|large] [NAME...]`.

#[path = "../tests/samples/mod.rs"]
mod samples;

use handheld::app::model::{Panel, settings};
use handheld::ui::{self, Canvas};
use std::path::PathBuf;

const PANELS: [(u32, u32); 4] = [(640, 480), (720, 480), (720, 720), (960, 544)];

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "gallery".into()));
    let mut panels = PANELS.to_vec();
    let mut text = settings::TextSize::Normal;
    let mut wanted = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--panel" => {
                let value = arguments.next().unwrap_or_default();
                let sides = value
                    .split_once('x')
                    .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
                panels =
                    vec![sides.ok_or_else(|| std::io::Error::other("--panel takes WIDTHxHEIGHT"))?];
            }
            "--text" => {
                text = match arguments.next().as_deref() {
                    Some("small") => settings::TextSize::Small,
                    Some("large") => settings::TextSize::Large,
                    _ => return Err(std::io::Error::other("--text takes small or large")),
                };
            }
            _ => wanted.push(argument),
        }
    }
    std::fs::create_dir_all(&out)?;
    for (width, height) in panels {
        let mut canvas = Canvas::new(width as i32, height as i32);
        for (name, mut model) in samples::all(Panel { width, height }) {
            if !wanted.is_empty() && !wanted.iter().any(|w| name.starts_with(w.as_str())) {
                continue;
            }
            model.settings.text_size = text;
            for (word, colours) in [
                ("dark", settings::Theme::Dark),
                ("light", settings::Theme::Light),
            ] {
                model.settings.theme = colours;
                let theme = ui::theme(&model);
                model.extent = ui::draw(&model, &theme, &mut canvas);
                ui::draw(&model, &theme, &mut canvas);
                std::fs::write(
                    out.join(format!("{name}-{width}x{height}-{word}.png")),
                    canvas.png(),
                )?;
            }
        }
    }
    Ok(())
}
